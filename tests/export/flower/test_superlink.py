"""A SuperLink and three SuperNodes on this machine: exported apps end in the weights of their
study, and a round goes on without a node that is killed in it.
"""

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("flwr", reason="Flower is not installed")

from safetensors.torch import load_file

from headstart.export.app import write
from headstart.export.exchanges import distance
from headstart.export.recipe import Recipe
from headstart.study.runner import run_study
from headstart.study.spec import Study

from ..conftest import CLIENTS, STUDY

pytestmark = pytest.mark.slow

NODES = 3

SLEEPS = """
    if context.node_config["partition-id"] == 2:
        import time
        Path({marker!r}).touch()
        time.sleep(600)
"""


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


class Federated:
    """The processes of a federation; `nodes[i]` has partition-id i."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.port = folder, free_port()
        bin_ = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
        own = {"FLWR_HOME": str(folder), "FLWR_TELEMETRY_ENABLED": "0", "PATH": bin_}
        self._env = {**os.environ, **own, "OMP_NUM_THREADS": "1"}
        address = f'[superlink.local]\naddress = "127.0.0.1:{self.port}"\ninsecure = true\n'
        (folder / "config.toml").write_text(f'[superlink]\ndefault = "local"\n{address}')
        link = ["flower-superlink", "--disable-runtime-dependency-installation"]
        self.link = self._begin([*link, "--host", "127.0.0.1", "--port", str(self.port)])
        self._wait_for_link()
        self.nodes = [self.node(partition) for partition in range(NODES)]

    def node(self, partition: int) -> "subprocess.Popen[bytes]":
        own = ["--host", "127.0.0.1", "--port", str(free_port())]
        to = ["--superlink", f"127.0.0.1:{self.port}", "--node-config"]
        return self._begin(["flower-supernode", *to, f"partition-id={partition}", *own])

    def run(self, app: Path, **config: Any) -> str:
        """Run an app to its end, and return what it says."""
        asked = {"min-nodes": NODES, "cohorts": '"plan"', "timeout": 300.0, **config}
        written = " ".join(f"{name}={value}" for name, value in asked.items())
        command = ["flwr", "run", str(app), "local", "--stream", "--run-config", written]
        ended = subprocess.run(
            command, env=self._env, cwd=self.folder, capture_output=True, text=True, timeout=500
        )
        assert ended.returncode == 0, ended.stdout + ended.stderr
        return ended.stdout + ended.stderr

    def end(self) -> None:
        for process in (*self.nodes, self.link):
            end(process)

    def _begin(self, command: list[str]) -> "subprocess.Popen[bytes]":
        log = (self.folder / f"{command[0]}.log").open("ab")
        return subprocess.Popen(
            [command[0], "--insecure", *command[1:]],
            env=self._env, cwd=self.folder, stdout=log, stderr=log, start_new_session=True,
        )  # fmt: skip

    def _wait_for_link(self) -> None:
        for _ in range(600):
            with socket.socket() as one:
                if one.connect_ex(("127.0.0.1", self.port)) == 0:
                    return
            assert self.link.poll() is None, (self.folder / "flower-superlink.log").read_text()
            time.sleep(0.1)
        pytest.fail("the SuperLink did not begin")


def end(process: "subprocess.Popen[bytes]") -> None:
    """Kill a process with those that it began."""
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


@pytest.fixture(scope="module")
def federated(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Federated]:
    begun = Federated(tmp_path_factory.mktemp("flower"))
    yield begun
    begun.end()


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("three")
    few = STUDY.replace("population: 4", "population: 3").replace("cohort: 3", "cohort: 2")
    (folder / "study.yaml").write_text(few)
    return run_study(Study.load(folder / "study.yaml"), folder / "out")


@pytest.mark.parametrize("client", CLIENTS)
def test_a_federation_ends_in_the_weights_of_the_study(
    client: str, federated: Federated, study: Path, tmp_path: Path
) -> None:
    app = tmp_path / client
    write(study, app, "random", client, "adam")
    federated.run(app)
    trained = load_file(app / "trained.safetensors")
    ended = load_file(study / "runs" / Recipe.read(app).run / "weights.safetensors")
    assert set(trained) == set(ended)
    assert distance(trained, ended, ended) <= 1e-5
    begun = load_file(app / "weights.safetensors")
    assert distance(begun, ended, ended) > 1e-2


def test_a_round_goes_on_without_a_node_that_is_killed(
    federated: Federated, study: Path, tmp_path: Path
) -> None:
    app, marker = tmp_path / "killed", tmp_path / "training"
    write(study, app, "random", "sgd", "adam")
    recipe = Recipe.read(app).model_copy(update={"cohort": NODES})
    (app / "recipe.json").write_text(recipe.text())
    rows = "    from headstart.export.study_rows"
    text = (
        (app / "client_app.py").read_text().replace(rows, SLEEPS.format(marker=str(marker)) + rows)
    )
    (app / "client_app.py").write_text(text)
    killing = threading.Thread(target=kill_once_there, args=(marker, federated.nodes[2]))
    killing.start()
    said = federated.run(app, rounds=2, cohorts='"nodes"', timeout=90.0, **{"min-nodes": 2})
    killing.join()
    assert "round 1 goes on with 2 of 3 clients: nothing came from 2" in said, said
    assert (app / "trained.safetensors").exists()


def kill_once_there(marker: Path, node: "subprocess.Popen[bytes]") -> None:
    """Kill a node as soon as there is a file, and after five minutes in any case."""
    until = time.monotonic() + 300
    while not marker.exists() and time.monotonic() < until:
        time.sleep(0.1)
    end(node)
