"""Write what `benchmarks/card.sh` left in a folder as a page: tests, speeds, and the study as far
as it came.

python benchmarks/card_page.py FOLDER --into docs/card.md
"""

import argparse
from pathlib import Path

import headstart
from headstart.errors import HeadstartError


def main() -> None:
    arguments = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    arguments.add_argument("folder", type=Path)
    arguments.add_argument("--into", type=Path, required=True)
    options = arguments.parse_args()
    sections = [tests(options.folder), speeds(options.folder), study(options.folder)]
    options.into.write_text(
        "# On a card\n\nWritten by `benchmarks/card.sh`.\n\n" + "\n\n".join(sections) + "\n"
    )
    print(f"page: {options.into}")


def tests(folder: Path) -> str:
    """What pytest said last, and whether it was stopped."""
    *said, status = _text(folder / "tests.txt").strip().splitlines()
    last = next((line for line in reversed(said) if " in " in line), "no test ended")
    stopped = ", stopped for want of time" if status.split()[-1] in ("124", "137") else ""
    return f"## Tests\n\n`tests/test_card.py`: {last.strip('= ')}{stopped}."


def speeds(folder: Path) -> str:
    """The tables of the comparison; none where it did not come to its end."""
    path = folder / "speed.md"
    return "## Speed\n\n" + (
        path.read_text().strip() if path.exists() else "Not measured: the time did not suffice."
    )


def study(folder: Path) -> str:
    """How many runs of the study there are, and what they say."""
    try:
        results = headstart.load(folder / "study")
    except HeadstartError as error:
        return f"## Study\n\nNo run has ended: {error}"
    return f"## Study\n\n{len(results.runs)} runs so far.\n\n{results.verdict}"


def _text(path: Path) -> str:
    return path.read_text() if path.exists() else "not run\nstatus 124"


if __name__ == "__main__":
    main()
