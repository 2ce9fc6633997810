"""`python -m tests.campaign KIND --minutes 60`: tries cases of a kind,
and writes down what did not end well.
"""

import argparse
import importlib
import shutil
import sys
import tempfile
from pathlib import Path

from tests.campaign.frame import Case, Ended, carry_out

NO_KINDS = ("__main__", "frame")


def kinds() -> list[str]:
    """The modules beside this one."""
    found = sorted(path.stem for path in Path(__file__).parent.glob("*.py"))
    return [name for name in found if name not in NO_KINDS and not name.startswith("test_")]


def keep(case: Case, wrong: str, ended: Ended, number: int, into: Path) -> None:
    """Write down how to try a case again."""
    folder = into / f"{number:03d}"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for path in case.folder.iterdir():
        if path.is_file() and not path.is_symlink() and path.stat().st_size < 2**22:
            shutil.copy(path, folder)
    told = (
        f"{case.name}: {wrong}\nheadstart "
        f"{' '.join(map(repr, case.command))}\n\n{ended.out}\n{ended.err}"
    )
    (folder / "what.txt").write_text(told, encoding="utf-8", errors="backslashreplace")


def main() -> int:
    """Returns 1 where something did not end well."""
    parser = argparse.ArgumentParser(prog="python -m tests.campaign", description=__doc__)
    parser.add_argument("kind", choices=kinds())
    parser.add_argument("--minutes", type=float, default=60.0)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--into", type=Path, default=Path("campaign"), help="what did not end well")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="headstart-campaign-") as scratch:
        kind = importlib.import_module(f"tests.campaign.{asked.kind}")
        number = 0

        def kept(case: Case) -> Case:
            def expected(ended: Ended) -> str:
                nonlocal number
                if wrong := case.expectation(ended):
                    keep(case, wrong, ended, number, asked.into)
                    number += 1
                    print(f"{case.name}: {wrong} ({ended.seconds:.1f} s)", flush=True)
                return wrong

            return Case(case.name, case.command, expected, case.folder, case.seconds)

        tally = carry_out(map(kept, kind.cases(asked.seed, Path(scratch))), minutes=asked.minutes)
    counts = ", ".join(
        f"{count} with exit {status}" for status, count in sorted(tally.statuses.items(), key=str)
    )
    print(
        f"{tally.tried} cases of {asked.kind}, seed {asked.seed}: {counts}; {len(tally.broken)} "
        "did not end well"
    )
    return int(bool(tally.broken))


sys.exit(main())
