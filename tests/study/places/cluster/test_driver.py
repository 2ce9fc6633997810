"""A study on two nodes ends in the bits that it has here, whatever is lost on the way."""

import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.study.conftest import (
    assert_equal_bits,
    assert_nothing_left_over,
    cli,
    start,
    under_way,
    wait_for,
)  # fmt: skip

from headstart.errors import HeadstartError
from headstart.study.events import Measured
from headstart.study.places.opening import On
from headstart.study.runner import run_study
from headstart.study.spec import Study

pytestmark = pytest.mark.slow

STUDY = """
name: own
task: digits
model: own:net(width=8)
starts: [random, "checkpoint(path='weights.safetensors', head='new')"]
clients: [sgd, mimelite]
servers: [adam]
population: 10
cohort: 3
rounds: 25
every: 5
seeds: {until: decided, first: 2, at_most: 3}
tuning: {trials: 2, seeds: [100], rounds: 4}
"""
OWN = """
import os, signal, sys
from pathlib import Path
from torch import nn
from hidden import activation

def net(input_shape, outputs, *, width: int = 4) -> nn.Module:
    once = Path(ONCE)
    if sys.argv[0].endswith("default_worker.py") and once.exists():
        once.unlink()
        os.kill(os.getpid(), signal.SIGKILL)
    return nn.Sequential(nn.Flatten(), nn.Linear(64, width), activation(), nn.Linear(width, 10))
"""


@pytest.fixture(scope="module")
def two_nodes() -> Iterator[Any]:
    """A cluster of a head that computes nothing and two nodes of one CPU, all on this machine."""
    pytest.importorskip("ray", reason="Ray is not installed")
    from ray.cluster_utils import Cluster

    small = {"object_store_memory": 100 * 2**20, "include_dashboard": False}
    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 0, **small})
    try:
        nodes = [cluster.add_node(num_cpus=1, object_store_memory=100 * 2**20) for _ in range(2)]
        yield cluster, nodes
    finally:
        cluster.shutdown()


@pytest.fixture
def own(tmp_path: Path) -> Path:
    """The file of a study with a module of its own, what that imports, and weights beside it."""
    import safetensors.torch
    import torch

    folder = tmp_path / "own"
    folder.mkdir()
    (folder / "own.py").write_text(OWN.replace("ONCE", repr(str(tmp_path / "once"))))
    (folder / "hidden.py").write_text("from torch import nn\n\nactivation = nn.Tanh\n")
    weights = {
        f"{layer}.{leaf}": torch.linspace(
            -0.1, 0.1, outputs * (inputs if leaf == "weight" else 1)
        ).reshape((outputs, inputs) if leaf == "weight" else (outputs,))
        for layer, inputs, outputs in ((1, 64, 8), (3, 8, 10))
        for leaf in ("weight", "bias")
    }
    safetensors.torch.save_file(weights, folder / "weights.safetensors")
    (folder / "study.yaml").write_text(STUDY)
    return folder / "study.yaml"


class Removing:
    """A watcher that removes a node once two runs have measured something and go on."""

    def __init__(self, remove: Any) -> None:
        self._remove, self._seen = remove, set[str]()

    def __call__(self, event: object) -> None:
        if isinstance(event, Measured) and self._remove is not None:
            self._seen.add(event.run.key)
            if len(self._seen) == 2:
                remove, self._remove = self._remove, None
                remove()


def test_a_tuned_study_loses_a_worker_and_a_node_and_ends_in_the_same_bits(
    two_nodes: Any, own: Path, tmp_path: Path
) -> None:
    cluster, nodes = two_nodes
    here = run_study(Study.load(own), tmp_path / "here")
    (tmp_path / "once").touch()
    told: list[str] = []
    watch = Removing(lambda: cluster.remove_node(nodes.pop(), allow_graceful=False))
    there = run_study(
        Study.load(own),
        tmp_path / "there",
        None,
        0.0,
        watch,
        told.append,
        On("ray", cluster.address),
    )
    nodes.append(cluster.add_node(num_cpus=1, object_store_memory=100 * 2**20))
    lost = [line for line in told if line.startswith("on ray: a worker was lost")]
    assert not (tmp_path / "once").exists()
    assert len(lost) >= 2, told
    assert_equal_bits(there, here)
    assert_nothing_left_over(there)


def test_a_driver_that_is_killed_goes_on_when_it_is_begun_again(
    two_nodes: Any, file: Path, study: Any, whole: Any, tmp_path: Path
) -> None:
    cluster, _ = two_nodes
    out = tmp_path / "out"
    command = [*cli(file, out, 2), "--on", "ray", "--address", cluster.address]
    process = start(file, out, 2, command)
    wait_for(lambda: under_way(out), process, 120)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    run_study(study, out, 2, on=On("ray", cluster.address))
    assert_equal_bits(out, whole)
    assert_nothing_left_over(out)


def test_what_no_node_has_is_refused_before_anything_is_written(
    two_nodes: Any, tmp_path: Path
) -> None:
    cluster, _ = two_nodes
    asked = Study(task="digits", model="mlp", per_run={"cpus": 64})
    with pytest.raises(
        HeadstartError, match="per_run: expected a node with 64 cpus and 0 gpus, got nodes with "
    ):
        run_study(asked, tmp_path / "out", on=On("ray", cluster.address))
    assert not (tmp_path / "out").exists()


def test_what_a_program_gave_is_refused(tmp_path: Path) -> None:
    from torch import nn

    asked = Study(task="digits", model=lambda: nn.Sequential(nn.Flatten(), nn.Linear(64, 10)))
    with pytest.raises(HeadstartError, match="on ray: what a Python program gave"):
        run_study(asked, tmp_path / "out", on=On("ray"))
    assert not (tmp_path / "out").exists()
