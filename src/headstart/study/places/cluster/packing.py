"""Values as bytes, on their way to a node of the same study and back; they are in no file.

What a study names is looked up beside its file, and a node has no such folder: it has copies of the
study's own modules in one of its own. So an `Origin` is not sent, but named, and is that of the
node there and that of the study here.
"""

import io
from contextvars import ContextVar
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from headstart.parts.origin import Origin


@dataclass
class Packing:
    """Packs and unpacks values. `folder`: the one in which this process looks up what a study
    names; None where that is the study's own.
    """

    folder: Path | None = None
    studys: dict[Origin, Origin] = field(default_factory=dict)
    """By the origins of this process, those of the study."""

    def packed(self, value: Any) -> bytes:
        """Return a value as bytes."""
        from ray import cloudpickle

        studys = self.studys

        class Packer(cloudpickle.CloudPickler):  # type: ignore[misc]  # it is not typed
            def reducer_override(self, value: Any) -> Any:
                if not isinstance(value, Origin):
                    return super().reducer_override(value)
                origin = studys.get(value, value)
                return _origin, (str(origin.folder), origin.allow)

        target = io.BytesIO()
        Packer(target).dump(value)
        return target.getvalue()

    def unpacked(self, content: bytes) -> Any:
        """Return the value that bytes hold."""
        from ray import cloudpickle

        before = _unpacking.set(self)
        try:
            return cloudpickle.loads(content)
        finally:
            _unpacking.reset(before)


_unpacking: ContextVar[Packing] = ContextVar("unpacking")


def _origin(folder: str, allow: tuple[str, ...] | None) -> Origin:
    """The origin in this process that stands for one of the study."""
    packing, origin = _unpacking.get(), Origin(Path(folder), allow)
    if packing.folder is None:
        return origin
    own = Origin(packing.folder, allow)
    packing.studys[own] = origin
    return own
