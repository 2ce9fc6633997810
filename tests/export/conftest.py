"""A small study of every client optimizer, run once, and apps of it."""

import importlib
from collections.abc import Callable
from pathlib import Path

import pytest

from headstart.export.app import write
from headstart.export.chosen import Chosen, chosen
from headstart.study.runner import run_study
from headstart.study.spec import Study

CLIENTS = ("sgd", "gd", "proximal", "nova", "mimelite", "scaffold")

STUDY = """
name: small
task: digits
model: "mlp(hidden=[4])"
population: 4
cohort: 3
batch_size: 64
rounds: 3
every: 3
partitions: ["dirichlet(alpha=0.5)"]
devices: ["uneven-epochs(share=0.5, high=2)"]
clients: [sgd, gd, proximal, nova, mimelite, scaffold]
servers: [adam, sgd]
client_rates: [0.1]
server_rates: [0.1]
seeds: [0]
executor: loop
"""

Choose = Callable[..., Chosen]
Export = Callable[..., Path]


@pytest.fixture(scope="session")
def out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("export")
    (folder / "study.yaml").write_text(STUDY)
    return run_study(Study.load(folder / "study.yaml"), folder / "out")


@pytest.fixture(scope="session")
def choose(out: Path) -> Choose:
    def of(client: str, server: str = "adam") -> Chosen:
        return chosen(out, "random", client, server)

    return of


@pytest.fixture
def exported(out: Path, tmp_path: Path) -> Export:
    def of(client: str, server: str = "adam") -> Path:
        app = tmp_path / f"{client}-{server}"
        write(out, app, "random", client, server)
        return app

    return of


@pytest.fixture(scope="session")
def needs_flower() -> None:
    try:
        importlib.import_module("flwr")
    except ImportError:
        pytest.skip("Flower is not installed")
