"""A part from outside of the package is held to the contract of its kind,
and a wrong one is found out.
"""

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from headstart import trees
from headstart.clients.base import CLIENTS, ClientOptimizer, Upload
from headstart.parts.origin import Origin, within
from headstart.servers.base import ServerOptimizer
from headstart.tasks.base import PARTITIONS, Partition, Rows, Task
from headstart.testing import clients, partitions, servers
from headstart.trees import Tree

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
EXAMPLE = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)[0]
"""The client optimizer that CONTRIBUTING writes, `clipped`."""


@pytest.fixture
def clipped(tmp_path: Path) -> ClientOptimizer:
    """The example as a module of somebody's own, beside a study file that names it."""
    own = EXAMPLE.replace('@CLIENTS.register("clipped", source=', "REGISTERED = dict(source=")
    (tmp_path / "own_clipped.py").write_text(own)
    with within(Origin(tmp_path, allow=())):
        return CLIENTS.build(CLIENTS.component("own_clipped:clipped(bound=0.5)"))


@pytest.mark.parametrize("rule", [*clients.CONTRACT, *clients.OPTIONAL_CONTRACT])
def test_the_example_of_contributing_keeps_the_contract(
    rule: Callable[[ClientOptimizer], None], clipped: ClientOptimizer
) -> None:
    rule(clipped)


def test_its_direction_is_the_gradient_clipped_at_the_bound(clipped: ClientOptimizer) -> None:
    g = {"w": torch.tensor([-3.0, -0.25, 0.5, 2.0])}
    d, _ = clipped.direction(g, g, g, {}, {}, {})
    assert d["w"].tolist() == [-0.5, -0.25, 0.5, 0.5]


def in_place(
    g: Tree, x: Tree, y: Tree, local: Tree, shared: Tree, memory: Tree
) -> tuple[Tree, Tree]:
    for leaf in g.values():
        leaf.clamp_(-1, 1)
    return g, local


def in_double(
    g: Tree, x: Tree, y: Tree, local: Tree, shared: Tree, memory: Tree
) -> tuple[Tree, Tree]:
    return trees.map_tree(torch.Tensor.double, g), local


def by_branch(
    g: Tree, x: Tree, y: Tree, local: Tree, shared: Tree, memory: Tree
) -> tuple[Tree, Tree]:
    return (g if next(iter(g.values())).sum() > 0 else trees.scale(g, 2.0)), local


def renamed(
    x: Tree, y: Tree, steps: Any, rate: Any, at_x: Tree, shared: Tree, memory: Tree
) -> Upload:
    return Upload({f"new.{name}": x[name] - y[name] for name in x}, {}, memory)


@pytest.mark.parametrize(
    ("wrong", "rule", "error"),
    [
        ({"direction": in_place}, clients.changes_nothing_in_place, AssertionError),
        ({"direction": in_double}, clients.keeps_types, AssertionError),
        ({"direction": by_branch}, clients.is_the_same_under_vmap, RuntimeError),
        ({"finish": renamed}, clients.keeps_names_and_shapes, AssertionError),
    ],
)
def test_a_client_optimizer_that_breaks_a_rule_is_found_out(
    clipped: ClientOptimizer,
    wrong: dict[str, Callable[..., object]],
    rule: Callable[[ClientOptimizer], None],
    error: type[Exception],
) -> None:
    with pytest.raises(error):
        rule(replace(clipped, **wrong))  # type: ignore[arg-type]


def test_a_server_optimizer_that_goes_uphill_is_found_out() -> None:
    def update(delta: Tree, state: Tree, x: Tree, rate: Any) -> tuple[Tree, Tree]:
        return trees.add(x, delta), state

    server = ServerOptimizer(init=lambda x: {}, update=update)
    for rule in servers.CONTRACT:
        rule(server)
    with pytest.raises(AssertionError, match="layer"):
        servers.goes_downhill_at_first(server)


@pytest.mark.parametrize(
    "written", ["iid", "shards(each=1)", "quantity-skew(short='top-up')", "dirichlet(alpha=1.0)"]
)
@pytest.mark.parametrize("rule", partitions.CONTRACT)
def test_partitions_keep_the_contract(rule: Callable[[Partition], None], written: str) -> None:
    rule(PARTITIONS.build(PARTITIONS.component(written)))


def test_a_partition_that_leaves_rows_out_is_found_out() -> None:
    def halves(task: Task, population: int, seed: int) -> list[Rows]:
        rows = PARTITIONS.build(PARTITIONS.component("iid"))(task, population, seed)
        return [one[::2] for one in rows]

    with pytest.raises(AssertionError):
        partitions.uses_every_row_once(halves)
