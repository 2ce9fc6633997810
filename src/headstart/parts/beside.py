"""Modules of a folder of the user's, found for the modules of that folder alone.

Were the folder among those that Python looks in, a library that tries whether there is a `triton`
or a `pandas` would be given the user's file of that name.
"""

import sys
import sysconfig
from collections.abc import Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder
from pathlib import Path
from types import FrameType, ModuleType

from headstart.errors import HeadstartError

_IMPORTS = ("<frozen importlib", str(Path(sysconfig.get_path("stdlib"), "importlib")))
"""How the files begin whose code only carries out what somebody else imports."""


class ModulesBeside(MetaPathFinder):
    """What Python asks for a module before it looks anywhere else: it knows those of a folder, and
    answers to them, and to the program of the file `asks`.
    """

    def __init__(self, place: Path, asks: str) -> None:
        self._place, self._asks = place, asks

    def find_spec(
        self, name: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """The module in the folder, if it is there and is asked for by one who may.

        Raises:
            HeadstartError: it has the name of an installed one, which others would get in its
                place.
        """
        if path is not None or not self._answers_to(sys._getframe(1)):
            return None
        spec = PathFinder.find_spec(name, [str(self._place)])
        if spec is None or (spec.loader is None and PathFinder.find_spec(name) is not None):
            return None  # a folder without an __init__.py is a package only where there is no other
        refuse_name_of_installed(name, self._place)
        return spec

    def _answers_to(self, frame: FrameType | None) -> bool:
        while frame is not None and frame.f_code.co_filename.startswith(_IMPORTS):
            frame = frame.f_back
        if frame is None:
            return False
        file, name = frame.f_code.co_filename, str(frame.f_globals.get("__name__"))
        return file == self._asks or is_of(Path(file), name, self._place)


def is_of(file: Path, name: str, place: Path) -> bool:
    """Whether a file is that of a module of this name, or in the package, that lies in the
    folder.
    """
    top = name.partition(".")[0]
    return file == place / f"{top}.py" or file.is_relative_to(place / top)


def refuse_name_of_installed(name: str, place: Path) -> None:
    """Refuse a module of a folder that is called as one of Python's own or of an installed package.

    Raises:
        HeadstartError: it is.
    """
    installed = [sysconfig.get_path("purelib"), sysconfig.get_path("platlib")]
    if name in sys.stdlib_module_names or PathFinder.find_spec(name, installed):
        raise HeadstartError(f"{place / name} has the name of another module, {name!r}; rename it")
