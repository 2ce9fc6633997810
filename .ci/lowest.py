"""Prints, for pip, what pyproject.toml asks for.

By default the lowest version of every package, as constraints: `numpy==2.0`.
With `--names-but torch`: the packages that every installation needs, but those named.
"""

import re
import sys
import tomllib
from pathlib import Path

PYPROJECT = Path(__file__).parents[1] / "pyproject.toml"
REQUIREMENT = re.compile(r"(?P<name>[\w.-]+)(\[.*\])?(>=(?P<floor>[\d.]+))?")


def main(arguments: list[str]) -> None:
    """Print one line for each package."""
    project = tomllib.loads(PYPROJECT.read_text())["project"]
    needed = [REQUIREMENT.match(text) for text in project["dependencies"]]
    if arguments[:1] == ["--names-but"]:
        for match in needed:
            if match["name"] not in arguments[1:]:
                print(match["name"])
        return
    for extra in project["optional-dependencies"].values():
        needed += [REQUIREMENT.match(text) for text in extra]
    for match in needed:
        if match["floor"]:
            print(f"{match['name']}=={match['floor']}")


if __name__ == "__main__":
    main(sys.argv[1:])
