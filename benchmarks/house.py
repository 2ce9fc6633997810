"""How large the house is, and how many files lie between a command and the gradient:
`python benchmarks/house.py`.

The files are those of Headstart on the call stack while a network computes its first batch of local
training.
"""

import statistics
import sys
import tempfile
import traceback
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

import headstart

ROOT = Path(headstart.__file__).parent
STUDY = """
task: digits
model: "seen:net"
starts: [random]
client_rates: 0.1
server_rates: 1.0
population: 4
cohort: 2
batch_size: 8
rounds: 1
seeds: [0]
executor: {executor}
"""
OWN = """
from benchmarks_house import Seen
def net(input_shape, outputs):
    return Seen()
"""
EXECUTORS = ("stacked", "loop")

stacks: list[list[str]] = []


class Seen(nn.Module):
    """A linear network that notes who calls it while gradients are wanted."""

    def __init__(self) -> None:
        super().__init__()
        self.linear = nn.Linear(64, 10)

    def forward(self, x: Tensor) -> Tensor:
        """Compute the outputs, `[rows, 10]`."""
        files = []
        for frame in traceback.extract_stack():
            path = Path(frame.filename)
            if path.is_relative_to(ROOT):
                files.append(path.relative_to(ROOT).as_posix())
        stacks.append(list(dict.fromkeys(files)))
        return self.linear(x.flatten(1))


def trained() -> list[str]:
    """The files of the deepest stack of local training: that is in the rounds and in an executor;
    others are checks and evaluations.
    """
    of_rounds = [files for files in stacks if "study/rounds.py" in files]
    of_clients = [files for files in of_rounds if any("executors/" in file for file in files)]
    stacks.clear()
    return max(of_clients, key=len)


def by_command(executor: str) -> list[str]:
    """From `headstart run` on."""
    sys.modules["benchmarks_house"] = sys.modules[__name__]
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "study.yaml"
        file.write_text(STUDY.format(executor=executor))
        (Path(folder) / "seen.py").write_text(OWN)
        sys.argv = ["headstart", "run", str(file), "--out", f"{folder}/out", "--jobs", "1"]
        from headstart.cli import main

        main()
    return trained()


def by_simulate(executor: str) -> list[str]:
    """From `headstart.simulate` on."""
    rows = torch.zeros(20, 64)
    labels = torch.arange(20) % 10
    clients = [(rows[:10], labels[:10]), (rows[10:], labels[10:])]
    headstart.simulate(Seen(), clients, clients[0], rounds=1, cohort=2, executor=executor)
    return trained()


def lines() -> np.ndarray:
    """Of every module."""
    return np.array(
        [len(path.read_text(encoding="utf-8").splitlines()) for path in ROOT.rglob("*.py")]
    )


def main() -> None:
    """Print the figures."""
    counts = lines()
    print(
        f"{counts.sum():,} lines in {counts.size} modules, median {statistics.median(counts):.0f}, "
        f"most {counts.max()}"
    )
    for executor in EXECUTORS:
        files = by_command(executor)
        print(f"run, {executor}: {len(files)} files: {' '.join(files)}")
    files = by_simulate("loop")
    print(f"simulate, loop: {len(files)} files: {' '.join(files)}")


if __name__ == "__main__":
    main()
