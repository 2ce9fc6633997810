"""What tasks keep that need no files of others: one of images,
and a table of labels and one of numbers.
"""

from collections.abc import Callable
from pathlib import Path

import pytest

from headstart.parts.origin import Origin, within
from headstart.tasks.base import TASKS, Task
from headstart.testing.tasks import CONTRACT


def table(folder: Path) -> None:
    lines = ["who,x,y,amount", *(f"c{i % 4},{i * i % 23},{'ab'[i % 2]},{i / 8}" for i in range(80))]
    (folder / "visits.csv").write_text("\n".join(lines))


@pytest.mark.parametrize("rule", CONTRACT)
@pytest.mark.parametrize(
    "written",
    [
        "digits",
        "rendered-digits(examples=100)",
        "table(path='visits.csv', label='y', client='who')",
    ],
)
def test_it_keeps_the_contract(rule: Callable[[Task], None], written: str, tmp_path: Path) -> None:
    table(tmp_path)
    with within(Origin(tmp_path)):
        rule(TASKS.build(TASKS.component(written)))
