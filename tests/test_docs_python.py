"""The blocks of docs/python.md are one program that runs, and says what the page says."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from headstart.study.given.parts import KINDS

PAGE = (Path(__file__).parents[1] / "docs" / "python.md").read_text(encoding="utf-8")


@pytest.mark.slow
def test_the_blocks_are_one_program_that_runs(tmp_path: Path) -> None:
    pytest.importorskip("pandas")
    program = "\n".join(re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL))
    (tmp_path / "program.py").write_text(program + '\nheadstart.run_study(uneven, "uneven")\n')
    ended = subprocess.run(
        [sys.executable, "program.py"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert (ended.returncode, ended.stderr) == (0, "")
    lines = ended.stdout.splitlines()
    assert lines[0].startswith("<Results of 'visits': 16 runs. ")
    assert lines[2] in ("True", "False")
    assert re.fullmatch(
        r"(sgd|proximal\(mu=0.1\)) \+ (sgd|adam) from (random|ours), rates .* over 2 seeds",
        lines[4],
    )
    assert (tmp_path / "speed.pdf").exists()
    assert lines[5] == "visits/report.html"


def test_the_page_names_every_key_that_takes_values() -> None:
    table = PAGE.split("## What may be given")[1].split("\n## ")[0]
    rows = re.findall(r"^\| (`\w+`(?:, `\w+`)*) \|", table, re.MULTILINE)
    assert {key for row in rows for key in re.findall(r"`(\w+)`", row)} == set(KINDS)
