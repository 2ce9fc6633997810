"""The user's own modules: which they are, and the source files that they and what they import lie
in.
"""

import ast
import functools
import importlib.machinery
import importlib.util
import sys
import sysconfig
from collections.abc import Iterable, Iterator
from pathlib import Path
from types import ModuleType

INSTALLED = tuple(
    Path(sysconfig.get_path(name)).resolve()
    for name in ("stdlib", "platstdlib", "purelib", "platlib")
)
PACKAGES = {"site-packages", "dist-packages"}
OURS = Path(__file__).resolve().parents[2]


def is_own(name: str) -> bool:
    """Whether a module is neither Headstart's, nor of Python, nor of an installed package; one that
    cannot be found is the user's.
    """
    top = name.partition(".")[0]
    if top == "__main__":
        return True
    if top in sys.builtin_module_names or top in sys.stdlib_module_names:
        return False
    return not any(_is_installed(place) for place in _places(top))


@functools.cache
def _is_installed(place: str) -> bool:
    path = Path(place).resolve()
    if any(path.is_relative_to(folder) for folder in (*INSTALLED, OURS)):
        return True
    return bool(PACKAGES & set(path.parts))


def sources(names: Iterable[str]) -> dict[str, bytes]:
    """What the files of own modules hold, by the modules' names, with those of the own modules that
    these import; of a package, all its files. Nothing is imported.
    """
    found: dict[str, bytes] = {}
    left = list(names)
    while left:
        name = left.pop()
        if name in found or not is_own(name):
            continue
        for module, file in _files(name):
            if module not in found:
                found[module] = file.read_bytes()
                package = module if file.name == "__init__.py" else module.rpartition(".")[0]
                left += _imported(found[module], package)
    return dict(sorted(found.items()))


def bound(name: str, members: Iterable[str], package: str) -> list[str]:
    """The modules that an import statement reaches: `import a.b` the package `a`; `from a import b`
    the module `a.b` where there is one, else `a`.
    """
    if name.startswith("."):
        try:
            name = importlib.util.resolve_name(name, package)
        except ImportError:
            return []
    if not members:
        return [name.partition(".")[0]]
    if not is_own(name):
        return [name]
    return [inner if _places(inner := f"{name}.{member}") else name for member in members]


def _imported(source: bytes, package: str) -> list[str]:
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError):  # such as compiled modules
        return []
    names: list[str] = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                names += bound(alias.name, (), package)
        elif isinstance(node, ast.ImportFrom):
            written = "." * node.level + (node.module or "")
            names += bound(written, [alias.name for alias in node.names], package)
    return names


def _files(name: str) -> Iterator[tuple[str, Path]]:
    """The files of a module; of a package, of all the modules in its folders."""
    for place in map(Path, _places(name)):
        if place.is_file():
            yield name, place
        elif place.is_dir():
            for file in sorted(place.rglob("*.py")):
                inner = file.relative_to(place).with_suffix("").parts
                yield ".".join((name, *(part for part in inner if part != "__init__"))), file


def _places(name: str) -> list[str]:
    """The file of a module, or the folders of a package; none where it cannot be found."""
    spec = _spec(name)
    if spec is not None and spec.submodule_search_locations is not None:
        return list(spec.submodule_search_locations)
    file = getattr(sys.modules.get(name), "__file__", None) or (
        spec and spec.has_location and spec.origin
    )
    return [str(file)] if file else []


def _spec(name: str) -> importlib.machinery.ModuleSpec | None:
    loaded = sys.modules.get(name)
    if isinstance(loaded, ModuleType):
        return loaded.__spec__
    above, _, _ = name.rpartition(".")
    try:
        if not above:
            return importlib.util.find_spec(name)
        outer = _spec(above)
        folders = outer and outer.submodule_search_locations
        return importlib.machinery.PathFinder.find_spec(name, list(folders)) if folders else None
    except (ImportError, ValueError, AttributeError):
        return None
