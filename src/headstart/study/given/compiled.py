"""What compiled code reads from outside: global names, attributes of these, and modules that it
imports.
"""

import dis
import itertools
import types

from headstart.study.given.source_files import bound

READS_A_GLOBAL = ("LOAD_GLOBAL", "LOAD_NAME")


def globals_of(code: types.CodeType) -> list[str]:
    """The global names that a function reads, also in the functions inside it."""
    names = [step.argval for step in dis.get_instructions(code) if step.opname in READS_A_GLOBAL]
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            names += globals_of(constant)
    return sorted(set(names))


def _inside(code: types.CodeType) -> list[types.CodeType]:
    """The code of a function and of the functions inside it."""
    inner = [constant for constant in code.co_consts if isinstance(constant, types.CodeType)]
    return list(itertools.chain([code], *map(_inside, inner)))


def _steps(code: types.CodeType) -> list[dis.Instruction]:
    return [step for step in dis.get_instructions(code) if step.opname != "EXTENDED_ARG"]


def imports_of(code: types.CodeType, package: str) -> list[str]:
    """The modules that import statements in a function reach."""
    found: list[str] = []
    for one in _inside(code):
        steps = _steps(one)
        for i, step in enumerate(steps):
            if step.opname == "IMPORT_NAME":
                level, members = steps[i - 2].argval, steps[i - 1].argval
                found += bound("." * int(level or 0) + step.argval, members or (), package)
    return sorted(set(found))


def read_of_modules(code: types.CodeType) -> list[tuple[str, str]]:
    """The global names of a function of which it reads an attribute, and that attribute."""
    found = set()
    for one in _inside(code):
        for step, after in itertools.pairwise(_steps(one)):
            if step.opname in READS_A_GLOBAL and after.opname in ("LOAD_ATTR", "LOAD_METHOD"):
                found.add((str(step.argval), str(after.argval)))
    return sorted(found)
