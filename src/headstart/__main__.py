"""`python -m headstart` is the command line.

Python then looks for modules in the working folder first, where a file may have the name of a
library (`yaml.py`, `random.py`). The command does as `headstart` does, which Python starts without
it; parts of the user's own are found there all the same.
"""

import os
import sys
from contextlib import suppress


def _leave_working_folder() -> None:
    with suppress(OSError):  # it may be gone
        if not sys.flags.safe_path and sys.path[:1] == [os.getcwd()]:
            del sys.path[0]


if __name__ == "__main__":
    _leave_working_folder()
    from headstart.cli import main

    main()
