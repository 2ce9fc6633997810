"""Models of text: the published sizes, the published forms,
and that no output sees what comes later.
"""

import math
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn
from torch.func import functional_call, grad, vmap

from headstart.errors import HeadstartError
from headstart.kernels.lstm import FusedLSTM
from headstart.kernels.recorded import Traced
from headstart.models.network import MODELS, Network, Precision
from headstart.starts.base import STARTS
from headstart.starts.weights import NOTHING
from headstart.study.file.trainable import trained
from headstart.tasks.base import Examples, Task
from headstart.tasks.text.next_token import next_token

SHAPES = {"lstm": (5,), "gpt2": (5,), "charlm": (5, 7)}
SMALL = {
    "lstm": "lstm(hidden=6, projection=4)",
    "charlm": "charlm(alphabet=9, filters=(2, 3), hidden=6)",
    "gpt2": "gpt2(width=8, layers=2, heads=2)",
}


def built(written: str, shape: tuple[int, ...], outputs: int) -> nn.Module:
    if written.startswith("gpt2"):
        pytest.importorskip("transformers")
    return MODELS.build(MODELS.component(written), shape, outputs)


def size(module: nn.Module) -> int:
    return sum(leaf.numel() for leaf in module.parameters())


def second_biases(module: nn.Module) -> int:
    """What torch's LSTM layers have on top of the published ones, which have one bias."""
    return sum(leaf.numel() for name, leaf in module.named_parameters() if "bias_hh" in name)


@pytest.mark.parametrize(
    ("written", "outputs", "published"),
    [("lstm", 90, 820_522), ("lstm@stackoverflow", 10_004, 4_050_748)],
)
def test_the_lstms_have_the_sizes_of_reddi_et_al(
    written: str, outputs: int, published: int
) -> None:
    module = built(written, (20,), outputs)
    assert size(module) - second_biases(module) == published


@pytest.mark.parametrize(
    ("written", "d", "filters", "highways", "hidden", "millions"),
    [
        ("charlm(alphabet=51)", 15, [25, 50, 75, 100, 125, 150], 1, 300, 5),
        ("charlm@large(alphabet=51)", 15, [50, 100, 150, 200, 200, 200, 200], 2, 650, 19),
    ],
)
def test_charlm_has_the_sizes_of_kim_et_al(
    written: str, d: int, filters: list[int], highways: int, hidden: int, millions: int
) -> None:
    """arXiv 1508.06615, Table 3: 5 and 19 million on the Penn Treebank,
    of 10,000 words and 51 characters.
    """
    module, features = built(written, (35, 21), 10_000), sum(filters)
    convolutions = sum(n * (d * width + 1) for width, n in enumerate(filters, start=1))
    lstms = 4 * hidden * (features + hidden + 1) + 4 * hidden * (hidden + hidden + 1)
    expected = (
        51 * d
        + convolutions
        + highways * 2 * features * (features + 1)
        + lstms
        + 10_000 * (hidden + 1)
    )
    assert size(module) - second_biases(module) == expected
    assert math.floor(expected / 1e6) == millions


@pytest.mark.parametrize(
    ("preset", "published"), [("distilgpt2", 81_912_576), ("gpt2", 124_439_808)]
)
def test_gpt2_has_the_sizes_of_the_checkpoints(preset: str, published: int) -> None:
    with torch.device("meta"):
        assert size(built(f"gpt2@{preset}", (64,), 50_257)) == published


@pytest.mark.parametrize("name", SHAPES)
def test_an_output_depends_on_what_came_before_and_on_nothing_later(name: str) -> None:
    shape = SHAPES[name]
    network = Network(lambda: built(SMALL[name], shape, 9), torch.float64)
    inputs = torch.randint(1, 9, (2, *shape), generator=torch.Generator().manual_seed(0))
    params = network.initial(0)
    outputs = network(params, inputs)
    for place in range(shape[0]):
        changed = inputs.clone()
        changed[:, place] = inputs[:, place] - 1
        differs = (network(params, changed) != outputs).any(-1)
        assert differs.tolist() == [[t >= place for t in range(shape[0])]] * 2


def test_charlm_is_the_equations_of_its_paper() -> None:
    """Eqs. 5, 6 and 8 of arXiv 1508.06615 written out for one word; then torch's LSTM."""
    module: Any = built(
        "charlm(alphabet=9, embedding=3, filters=(2, 3), hidden=6, layers=1)", (1, 4), 5
    ).double()
    word = torch.tensor([7, 3, 8, 0])
    C = module.characters.weight[word].T  # [d, letters]  # type: ignore[unused-ignore]
    features = []
    for width, layer in enumerate(module.convolutions, start=1):  # type: ignore[unused-ignore]
        for H, b in zip(layer.weight, layer.bias, strict=True):
            places = range(len(word) - width + 1)
            features.append(max(torch.tanh((C[:, i : i + width] * H).sum() + b) for i in places))
    y = torch.stack(features)
    highway = module.highways[0]  # type: ignore[unused-ignore]
    t = torch.sigmoid(highway.gate.weight @ y + highway.gate.bias)  # type: ignore[unused-ignore]
    z = t * torch.relu(highway.transform.weight @ y + highway.transform.bias) + (1 - t) * y  # type: ignore[unused-ignore]
    expected = module.output(module.lstms[0](z[None, None])[0])  # type: ignore[unused-ignore]
    torch.testing.assert_close(module(word[None, None]), expected, rtol=1e-12, atol=1e-12)


def test_gpt2_computes_what_transformers_does(tmp_path: Path) -> None:
    transformers = pytest.importorskip("transformers")
    config = transformers.GPT2Config(vocab_size=11, n_positions=8, n_embd=8, n_layer=2, n_head=2)
    theirs = transformers.GPT2LMHeadModel(config).eval()
    inputs = torch.randint(11, (3, 5), generator=torch.Generator().manual_seed(0))
    params = {name: leaf.detach() for name, leaf in theirs.named_parameters()}
    for attention in ("eager", "sdpa"):
        network = Network(
            lambda attention=attention: built(  # type: ignore[misc]
                f"gpt2(width=8, layers=2, heads=2, positions=8, attention='{attention}')", (5,), 11
            )
        )
        assert network.initial(0).keys() == params.keys()
        torch.testing.assert_close(
            network(params, inputs), theirs(inputs).logits, rtol=1e-5, atol=1e-6
        )


def test_gpt2_begins_from_what_save_pretrained_wrote(tmp_path: Path) -> None:
    transformers = pytest.importorskip("transformers")
    config = transformers.GPT2Config(vocab_size=11, n_positions=8, n_embd=8, n_layer=2, n_head=2)
    saved = transformers.GPT2LMHeadModel(config)
    saved.save_pretrained(tmp_path)
    inputs = torch.zeros(2, 5, dtype=torch.int64)
    examples = Examples(inputs, inputs)
    task = Task("text", examples, examples, examples, 11, next_token(0))
    network = Network(lambda: built("gpt2(width=8, layers=2, heads=2, positions=8)", (5,), 11))
    start = STARTS.build(
        STARTS.component({"checkpoint": {"path": str(tmp_path / "model.safetensors")}})
    )
    weights = start.weights(NOTHING, network, task, 0)
    assert list(weights) == [name for name, _ in saved.named_parameters()]  # the tied output once
    for name, leaf in saved.named_parameters():
        assert torch.equal(weights[name], leaf)


@pytest.mark.parametrize("prefix", ["transformer.", ""])
def test_gpt2_begins_from_files_of_older_transformers(tmp_path: Path, prefix: str) -> None:
    """They hold the causal mask, and the output layer or none;
    those of the published checkpoints have no prefix.
    """
    network = Network(lambda: built("gpt2(width=8, layers=2, heads=2, positions=8)", (5,), 11))
    drawn = network.initial(1)
    saved = {prefix + name.removeprefix("transformer."): leaf for name, leaf in drawn.items()}
    for layer in range(2):
        saved[f"{prefix}h.{layer}.attn.bias"] = torch.ones(1, 1, 8, 8, dtype=torch.bool).tril()
        saved[f"{prefix}h.{layer}.attn.masked_bias"] = torch.tensor(-1e4)
    saved["lm_head.weight"] = saved[f"{prefix}wte.weight"].clone()
    inputs = torch.zeros(2, 5, dtype=torch.int64)
    examples = Examples(inputs, inputs)
    task = Task("text", examples, examples, examples, 11, next_token(0))

    def weights(**parameters: str) -> dict[str, torch.Tensor]:
        torch.save(saved, tmp_path / "weights.bin")
        start = STARTS.build(
            STARTS.component({"checkpoint": {"path": str(tmp_path / "weights.bin"), **parameters}})
        )
        return start.weights(NOTHING, network, task, 0)

    found = weights()
    assert list(found) == list(drawn)
    assert all(torch.equal(found[name], leaf) for name, leaf in drawn.items())
    with pytest.raises(
        HeadstartError,
        match=r"^start checkpoint.head: .*'transformer.ln_f'.*head_layer='transformer.wte'",
    ):
        weights(head="new")
    saved["lm_head.weight"] += 1
    with pytest.raises(
        HeadstartError, match=r"'lm_head.weight' are one tensor of the model, but not of the file"
    ):
        weights()


def test_the_head_of_gpt2_is_not_its_last_norm() -> None:
    params = Network(lambda: built("gpt2(width=8, layers=2, heads=2)", (5,), 11)).initial(0)
    with pytest.raises(
        HeadstartError, match=r"^trainable: 'head' would be 'transformer.ln_f'.*'transformer.wte"
    ):
        trained("head", params)
    assert trained("transformer.wte.*", params) == ["transformer.wte.weight"]


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_the_recorded_lstm_is_that_of_torch(precision: Precision) -> None:
    """Gradients under `torch.func`, of one client, of two at once, and recorded,
    against torch's own layer.
    """
    torch.manual_seed(0)
    theirs, ours = nn.LSTM(3, 8, 2, batch_first=True), FusedLSTM(3, 8, 2)
    ours.load_state_dict(theirs.state_dict())
    assert list(ours.state_dict()) == list(theirs.state_dict())
    x_BTD, d_BTH = torch.randn(4, 5, 3), torch.randn(4, 5, 8)
    params = {name: leaf.detach() for name, leaf in ours.named_parameters()}
    bf16 = precision == "bf16"

    def loss(params: dict[str, torch.Tensor]) -> torch.Tensor:
        with torch.autocast("cpu", torch.bfloat16, enabled=bf16):
            return (functional_call(ours, params, (x_BTD,))[0].float() * d_BTH).sum()

    (theirs(x_BTD)[0] * d_BTH).sum().backward()
    twice = {name: torch.stack([leaf, 2 * leaf]) for name, leaf in params.items()}
    recorded = Traced(lambda params: (grad(loss)(params),))
    found = [
        grad(loss)(params),
        {n: leaf[0] for n, leaf in vmap(grad(loss))(twice).items()},
        recorded(params)[0],
    ]
    for gradients in found:
        for name, leaf in theirs.named_parameters():
            assert torch.linalg.norm(gradients[name] - leaf.grad) < (
                0.03 if bf16 else 1e-6
            ) * torch.linalg.norm(leaf.grad)
    (second,) = [one for name, one in vmap(grad(loss))(twice).items() if name == "weight_hh_l1"]
    torch.testing.assert_close(
        second[1], grad(loss)({n: 2 * leaf for n, leaf in params.items()})["weight_hh_l1"]
    )


def test_dropout_of_gpt2_follows_the_key() -> None:
    network = Network(lambda: built("gpt2(width=8, layers=2, heads=2, dropout=0.3)", (5,), 11))
    inputs, params = torch.arange(10).reshape(2, 5), network.initial(0)
    network.check(inputs, 11)
    assert network.draws
    key = torch.tensor(3, dtype=torch.int32)
    assert torch.equal(network(params, inputs, key), network(params, inputs, key))
    assert not torch.equal(network(params, inputs, key), network(params, inputs, key + 1))


@pytest.mark.parametrize(
    ("written", "shape", "message"),
    [
        ("lstm", (1, 8, 8), r"'lstm' needs rows of tokens \[length\], got inputs \[1, 8, 8\]"),
        ("gpt2", (5, 7), r"'gpt2' needs rows of tokens"),
        ("charlm", (5,), r"'charlm' needs spelled words .*words\(spelled=20\)"),
        ("charlm", (5, 4), "filters over 6 characters, but the task gives 4 a word"),
        ("gpt2(width=6, heads=4)", (5,), r"gpt2.width: expected a multiple of heads \(4\), got 6"),
        (
            "gpt2(positions=4)",
            (5,),
            r"gpt2.positions: expected at least the task's length \(5\), got 4",
        ),
        ("gpt2(dropout=0.1, attention='sdpa')", (5,), "use attention='eager' with it"),
    ],
)
def test_what_does_not_fit_is_refused(written: str, shape: tuple[int, ...], message: str) -> None:
    with pytest.raises(HeadstartError, match=message):
        built(written, shape, 9)
