"""The ways of a terminal: text of others is shown and not obeyed, and a reader who leaves stops no
study.

What is printed may hold names, titles and errors that somebody else wrote. `say` prints it with
every control character written out. `lenient` makes the two streams fit for a study of hours:
letters that the terminal has not become `?`, and once nobody reads a stream any more (`headstart
run ... | head -1`), what is written to it is dropped.
"""

import errno
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any, TextIO

from headstart.wording.escapes import printable

NOBODY_READS = (errno.EPIPE, errno.EIO, errno.ESHUTDOWN)


def say(*texts: object, to: "TextIO | Lenient | None" = None) -> None:
    """Prints a line of `texts` at once, to standard output or `to`."""
    print(*map(printable, texts), file=to or sys.stdout, flush=True)


class Lenient:
    """A stream for text that outlives its reader: after an error of writing, all else goes to
    nowhere.

    `lost`: that error, where it is not that nobody reads.
    """

    def __init__(self, stream: Any) -> None:
        self._stream = stream
        self.lost: OSError | None = None
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    def write(self, text: str) -> int:
        """Write text, as far as anybody still reads."""
        try:
            return int(self._stream.write(text))
        except OSError as error:
            self._leave(error)
            return len(text)

    def flush(self) -> None:
        """Flush the stream, as far as anybody still reads."""
        try:
            self._stream.flush()
        except OSError as error:
            self._leave(error)

    def _leave(self, error: OSError) -> None:
        """What is still in the stream's buffer, and all that follows, goes to nowhere."""
        if error.errno not in NOBODY_READS:
            self.lost = self.lost or error
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, self._stream.fileno())
        os.close(nowhere)
        with suppress(OSError):
            self._stream.flush()


@contextmanager
def lenient() -> Iterator[None]:
    """Makes both streams lenient within the block.

    Raises:
        SystemExit: at the end, where standard output could not be written although somebody reads
            it.
    """
    before = sys.stdout, sys.stderr
    out, err = (stream if stream is None else Lenient(stream) for stream in before)
    sys.stdout, sys.stderr = out, err
    try:
        yield
    finally:
        for stream in filter(None, (out, err)):
            stream.flush()
        if out is not None and out.lost is not None:
            say(f"error: cannot write to standard output: {out.lost.strerror}", to=sys.stderr)
            raise SystemExit(2)
        sys.stdout, sys.stderr = before
