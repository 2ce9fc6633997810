"""What is trained: the rest stays as the start gave it, and is neither sent nor part of what
optimizers see.
"""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
import torch
from tests.engine.conftest import one_round
from tests.study.conftest import carried_out
from torch import nn

from headstart import trees
from headstart.engine.executors.base import EXECUTORS
from headstart.engine.federation import begin
from headstart.errors import HeadstartError
from headstart.kernels.threads import torch_threads
from headstart.models.network import Network
from headstart.starts.weights import load
from headstart.study.beginnings import start_weights
from headstart.study.federations import federation_of, trained_network
from headstart.study.file.run_spec import RunSpec
from headstart.study.file.trainable import trained
from headstart.study.folder.writer import Writer
from headstart.study.runner import run_study
from headstart.study.spec import Study
from headstart.trees import Tree

KEYS = {
    "task": "digits",
    "model": "mlp(hidden=[6])",
    "population": 20,
    "cohort": 3,
    "seeds": [0],
    "rounds": 2,
}
KEY_BEFORE = "7d4fc5626daa93e6"
"""Of a run before there was `trainable`."""
HEAD = ["3.weight", "3.bias"]
INPUTS = torch.randn(4, 5, generator=torch.Generator().manual_seed(1))


def one(**keys: Any) -> RunSpec:
    (run,) = Study(**{**KEYS, **keys}).runs
    return run


def equal(a: Tree, b: Tree) -> bool:
    return list(a) == list(b) and all(torch.equal(a[name], b[name]) for name in a)


def test_a_network_that_holds_parameters_is_the_same_function_of_the_others() -> None:
    net = Network(
        lambda: nn.Sequential(nn.Linear(5, 7), nn.ReLU(), nn.Dropout(0.3), nn.Linear(7, 2))
    )
    whole, key = net.initial(3), torch.tensor(5, dtype=torch.int32)
    held = {name: whole[name] for name in ("0.weight", "0.bias")}
    rest = {name: whole[name] for name in HEAD}
    narrow = net.holding(held)
    assert torch.equal(narrow(rest, INPUTS), net(whole, INPUTS))
    assert torch.equal(narrow(rest, INPUTS, key), net(whole, INPUTS, key))
    assert equal(narrow.initial(3), rest)
    assert equal(net.initial(3), whole)  # the network itself is as it was
    leaves = {name: leaf.requires_grad_() for name, leaf in rest.items()}
    narrow(leaves, INPUTS).sum().backward()
    assert all(leaf.grad is not None for leaf in leaves.values())
    assert not any(leaf.requires_grad for leaf in held.values())


@pytest.mark.parametrize(
    ("written", "names"),
    [
        ("all", ["0.weight", "0.bias", "3.weight", "3.bias"]),
        ("head", HEAD),
        (r"0\..*", ["0.weight", "0.bias"]),
        (".*bias|3.*", ["0.bias", "3.weight", "3.bias"]),
    ],
)
def test_what_the_words_name(written: str, names: list[str]) -> None:
    assert (
        trained(
            written, dict.fromkeys(["0.weight", "0.bias", "3.weight", "3.bias"], torch.zeros(1, 1))
        )
        == names
    )


def test_an_expression_matches_whole_names() -> None:
    with pytest.raises(
        HeadstartError,
        match=r"'bias' names no parameter of the model, which has 0.weight and 0.bias$",
    ):
        trained("bias", dict.fromkeys(["0.weight", "0.bias"], torch.zeros(1)))


def test_nothing_to_train_is_refused_before_any_training(tmp_path: Path) -> None:
    study = Study(**{**KEYS, "trainable": ["head", "fc.*"]})
    with pytest.raises(
        HeadstartError,
        match=r"^trainable: 'fc.\*' names no parameter of the model, which has 1.weight",
    ):
        run_study(study, tmp_path / "out")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("executor", ["loop", "stacked", "threads(workers=2)"])
@pytest.mark.parametrize("client", ["sgd", "proximal(mu=0.5)", "mimelite", "nova", "gd"])
def test_it_is_the_whole_run_with_the_gradients_of_the_rest_at_zero(
    client: str, executor: str
) -> None:
    """The head's path, with the rest held, against a loop over the whole model whose other weights
    do not move.
    """
    run = one(clients=client, trainable="head", executor=executor)
    with torch_threads(1):
        start = federation_of(one()).network.initial(8)
        narrow = federation_of(run, start)
        whole = federation_of(one(clients=client, executor="loop"), start)
        state, _ = one_round(narrow, begin(narrow, {name: start[name] for name in HEAD}))
        frozen = Frozen(whole.network, HEAD)
        loop = EXECUTORS.build(EXECUTORS.component("loop")).compute_for(
            frozen, whole.task, whole.client
        )
        expected, _ = one_round(replace(whole, execute=loop), begin(whole, start))
    assert list(state.x) == HEAD
    for name in HEAD:
        torch.testing.assert_close(state.x[name], expected.x[name], rtol=1e-5, atol=1e-6)
        assert not torch.equal(state.x[name], start[name])
    assert equal(
        {n: expected.x[n] for n in start if n not in HEAD},
        {n: start[n] for n in start if n not in HEAD},
    )


class Frozen(Network):
    """A network of all parameters that cuts the gradient of those that are not named."""

    def __init__(self, network: Network, names: list[str]) -> None:
        super().__init__(network.build)
        self.names = names

    def __call__(
        self, params: Tree, inputs: torch.Tensor, key: torch.Tensor | None = None
    ) -> torch.Tensor:
        cut = {
            name: leaf if name in self.names else leaf.detach() + 0 * leaf
            for name, leaf in params.items()
        }
        return super().__call__(cut, inputs, key)


def test_only_what_is_trained_is_sent_and_the_file_holds_all(tmp_path: Path) -> None:
    keys = {
        **KEYS,
        "starts": ["random", "proxy(task='rendered-digits(examples=50)', epochs=1)"],
        "seeds": [0, 1],
    }
    study = Study(**keys, trainable=["all", "head"])
    out = run_study(study, tmp_path / "out")
    rows = pq.read_table(out / "results" / "runs.parquet").to_pylist()
    assert [(row["start"][:6], row["trainable"]) for row in rows[::2]] == [
        ("random", "all"), ("random", "head"), ("proxy(", "all"), ("proxy(", "head"),
    ]  # fmt: skip
    sizes = {"all": 4 * (64 * 6 + 6 + 6 * 10 + 10), "head": 4 * (6 * 10 + 10)}
    for run, row in zip(study.runs, rows, strict=True):
        assert row["bytes_up"] == row["bytes_down"] == 2 * 3 * sizes[row["trainable"]]
        assert row["parameters"] == 64 * 6 + 6 + 6 * 10 + 10
        final = load(out / "runs" / run.key / "weights.safetensors").state
        begun = Writer(out).write_all(start_weights(run, out))
        assert list(final) == list(begun)
        same = {name for name in final if torch.equal(final[name], begun[name])}
        assert same == (set() if row["trainable"] == "all" else {"1.weight", "1.bias"})


@pytest.mark.parametrize(
    ("start", "trainable"),
    [
        ("random", "head"),
        ("head-first(start=random, rounds=2)", "all"),
        ("head-first(start=random, rounds=2)", "1.*"),
    ],
)
def test_a_stopped_run_ends_in_the_same_bits(tmp_path: Path, start: str, trainable: str) -> None:
    keys = {
        "starts": start,
        "trainable": trainable,
        "rounds": 3,
        "servers": "adam",
        "clients": "mimelite",
    }
    study = Study(**{**KEYS, **keys})
    whole = run_study(study, tmp_path / "whole")
    with torch_threads(1):
        for _ in range(2):
            with pytest.raises(KeyboardInterrupt):
                carried_out((study.runs[0],), tmp_path / "out", 0.0, lambda: True)
        carried_out((study.runs[0],), tmp_path / "out", 0.0)
    names = ("rounds.parquet", "weights.safetensors")
    for name in names:
        mine, theirs = (
            folder / "runs" / study.runs[0].key / name for folder in (tmp_path / "out", whole)
        )
        assert mine.read_bytes() == theirs.read_bytes()


def test_runs_share_an_executor_where_what_they_hold_is_equal() -> None:
    run, other = one(trainable="head"), one(trainable="head", seeds=[1])
    whole = trained_network(one(), None)
    a, b = whole.initial(0), whole.initial(1)
    again = trees.map_tree(torch.clone, a) | {name: b[name] for name in HEAD}
    assert trained_network(run, a) is trained_network(other, again)
    assert federation_of(run, a).execute is federation_of(other, again).execute
    assert trained_network(run, a) is not trained_network(other, b)
    assert federation_of(run, a).execute is not federation_of(other, b).execute


def test_all_is_no_part_of_a_key_and_anything_else_is() -> None:
    # Whose parameters have not changed since the first studies.
    keys = {"probes": ["evaluation"], "model": "mlp"}
    assert one(**keys, trainable="all").key == one(**keys).key == KEY_BEFORE
    assert len({one(trainable=written).key for written in ("all", "head", ".*bias")}) == 3


def test_rates_may_depend_on_what_is_trained() -> None:
    row = {"trainable": "head", "client_rate": 0.5, "server_rate": 2.0}
    runs = Study(**KEYS, trainable=["all", "head"], rates=[row]).runs
    assert [(run.trainable, run.client_rate) for run in runs] == [("all", 0.1), ("head", 0.5)]


def test_what_is_no_expression_gets_one_line() -> None:
    with pytest.raises(HeadstartError) as caught:
        Study(**KEYS, trainable="*.bias")
    assert str(caught.value).startswith(
        "trainable[0]: expected all, head or a regular expression of parameter names such as "
        "'fc.*|layer4.*', got '*.bias' ("
    )


HOURS = [
    "((((((.*)*)*)*)*)*)*x",
    "(a|a)*x",
    "(.*a){12}b",
    ".*.*.*.*.*.*x",
    "(?:a+)+b",
    r"([\w.]+)*x",
    "[)]*(.+)*x",
]


@pytest.mark.parametrize("expression", HOURS)
def test_what_would_match_for_hours_is_refused_at_once(expression: str) -> None:
    with pytest.raises(
        HeadstartError, match=r"^trainable\[0\]: .*, which may take hours to match$"
    ):
        Study(**KEYS, trainable=expression)


@pytest.mark.parametrize(
    "expression", ["a{99999999999}", "(" * 5000 + ")" * 5000, "(?i", "x(?i)", "[a", "a**"]
)
def test_what_cannot_be_compiled_is_one_line(expression: str) -> None:
    with pytest.raises(
        HeadstartError, match=r"^trainable\[0\]: expected all, head or a regular expression"
    ) as caught:
        Study(**KEYS, trainable=expression)
    assert len(str(caught.value)) < 400


USUAL = [
    r"(layer4|fc)\..*",
    r"transformer\.h\.(10|11)\..*|lm_head\..*",
    r".*\.(weight|bias)",
    r"\(x\)*",
    "[*+]*",
    "(a.*)?b",
]


@pytest.mark.parametrize("expression", USUAL)
def test_what_people_write_is_taken(expression: str) -> None:
    assert Study(**KEYS, trainable=expression).file.trainable == [expression]
