"""What starts keep that need no file."""

from collections.abc import Callable

import pytest

from headstart.starts.base import STARTS, Build, Start
from headstart.tasks.base import Task
from headstart.testing.starts import CONTRACT, linear_model, task_of_images

PROXY = "proxy(task='rendered-digits(examples=100)', epochs=1)"


@pytest.mark.parametrize("rule", CONTRACT)
@pytest.mark.parametrize(
    "written", ["random", PROXY, "head-first(start=random)", "head-first(start=random, rounds=2)"]
)
def test_it_keeps_the_contract(rule: Callable[[Start, Task, Build], None], written: str) -> None:
    rule(STARTS.build(STARTS.component(written)), task_of_images(), linear_model)
