"""A study whose clients' batches are all of their rows, and a plain app of Flower's for it."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from headstart.export.app import write
from headstart.study.runner import run_study
from headstart.study.spec import Study

STUDY = """
name: plain
task: digits
model: logistic
population: 3
cohort: 3
rounds: 3
every: 3
partitions: ["dirichlet(alpha=0.5)"]
clients: [gd]
servers: [adam, sgd]
local_epochs: [2]
rates:
  - {server: sgd, client_rate: 0.1, server_rate: 1.0}
  - {server: adam, client_rate: 0.1, server_rate: 0.1}
seeds: [0]
executor: loop
"""

PYPROJECT = """
[project]
name = "plain"
version = "1.0.0"
[tool.flwr.app]
publisher = "somebody"
[tool.flwr.app.components]
serverapp = "server_app:app"
clientapp = "client_app:app"
[tool.flwr.app.config]
num-server-rounds = 3
strategy = "FedAvg"
share = 1.0
steps = 2
rate = 0.1
begin = "begin.safetensors"
"""

SERVER_APP = """
from pathlib import Path

import flwr.serverapp.strategy as strategies
from flwr.app import ArrayRecord
from flwr.serverapp import ServerApp
from safetensors.torch import load_file

app = ServerApp()


@app.main()
def main(grid, context):
    config = context.run_config
    arrays = ArrayRecord(load_file(Path(__file__).parent / config["begin"]))
    own = {} if config["strategy"] == "FedAvg" else {"eta": 0.1}
    share = {"fraction_train": config["share"], "fraction_evaluate": 0.0}
    strategy = getattr(strategies, config["strategy"])(**own, **share)
    strategy.start(grid=grid, initial_arrays=arrays, num_rounds=config["num-server-rounds"])
"""

CLIENT_APP = """
from pathlib import Path

import torch
from flwr.app import ArrayRecord, Message, MetricRecord, RecordDict
from flwr.clientapp import ClientApp
from torch import nn

from headstart.export.study_rows import rows_of

app = ClientApp()


@app.train()
def train(message, context):
    config = context.run_config
    if not config["steps"]:
        raise ValueError("no steps")
    inputs, targets = rows_of(Path(__file__).parent / "data", context.node_config["partition-id"])
    net = nn.Sequential(nn.Flatten(), nn.Linear(64, 10))
    net.load_state_dict(message.content["arrays"].to_torch_state_dict())
    sgd = torch.optim.SGD(net.parameters(), lr=config["rate"])
    for _ in range(config["steps"]):
        sgd.zero_grad()
        nn.functional.cross_entropy(net(inputs), targets).backward()
        sgd.step()
    metrics = MetricRecord({"num-examples": len(targets)})
    content = RecordDict({"arrays": ArrayRecord(net.state_dict()), "metrics": metrics})
    return Message(content, reply_to=message)
"""

Ours = Callable[[str], Path]


@pytest.fixture(scope="session")
def plain_out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("plain")
    (folder / "study.yaml").write_text(STUDY)
    return run_study(Study.load(folder / "study.yaml"), folder / "out")


@pytest.fixture(scope="session")
def ours(plain_out: Path, tmp_path_factory: pytest.TempPathFactory) -> Ours:
    def with_server(server: str) -> Path:
        app = tmp_path_factory.mktemp("ours") / "app"
        write(plain_out, app, "random", "gd", server)
        return app

    return with_server


@pytest.fixture
def plain_app(ours: Ours, tmp_path: Path) -> Path:
    app, data = tmp_path / "plain", tmp_path / "plain" / "data"
    data.mkdir(parents=True)
    (app / "pyproject.toml").write_text(PYPROJECT)
    (app / "server_app.py").write_text(SERVER_APP)
    (app / "client_app.py").write_text(CLIENT_APP)
    exported = ours("adam")
    shutil.copy(exported / "recipe.json", data)
    shutil.copy(exported / "weights.safetensors", app / "begin.safetensors")
    return app
