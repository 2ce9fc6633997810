"""Files of weights as scripts write them, and as they should not: the same numbers come from each,
or one line.

The weights of a small network are packed (safetensors, torch, NumPy, shards), nested, given a
prefix, another type or other memory, set among an optimizer's state, or made wrong in one way: cut,
a header that lies, a shape, a name, NaN. Before any training the loss must be that of the plain
file, or that of a network with a new head where it says so.
"""

import io
import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import torch
from safetensors.torch import save as as_safetensors
from tests.campaign.frame import Case, Ended, ends_well, run
from torch import Tensor

STUDY = """
name: weights
task: digits
model: mlp(hidden=[8])
starts: ["checkpoint(path='{path}')"]
client_rates: 0.1
server_rates: 1.0
population: 10
cohort: 2
batch_size: 64
rounds: 1
seeds: [0]
executor: loop
probes: [evaluation]
"""
COMMAND = ("run", "study.yaml", "--out", "out", "--jobs", "1")

Weights = dict[str, Tensor]
SHAPES = {"1.weight": (8, 64), "1.bias": (8,), "3.weight": (10, 8), "3.bias": (10,)}
PREFIXES = ("module.", "_orig_mod.", "model.", "net.", "module._orig_mod.", "a b.", "x" * 300 + ".")
INSIDE = ("state_dict", "model_state_dict", "model", "weights", "params", "ema")
HALVES = (torch.float16, torch.bfloat16)


def plain(draw: np.random.Generator) -> Weights:
    """The same weights in every case of a campaign."""
    weights = {}
    for name, shape in SHAPES.items():
        weights[name] = torch.from_numpy(draw.normal(0, 0.2, size=shape).astype(np.float32))
    return weights


def torch_file(content: Any, legacy: bool = False) -> bytes:
    """What `torch.save` writes."""
    buffer = io.BytesIO()
    torch.save(content, buffer, _use_new_zipfile_serialization=not legacy)
    return buffer.getvalue()


def numpy_file(weights: Weights) -> bytes:
    """What `numpy.savez` writes."""
    buffer = io.BytesIO()
    arrays = {}
    for name, leaf in weights.items():
        arrays[name] = leaf.float().numpy() if leaf.dtype == torch.bfloat16 else leaf.numpy()
    np.savez(buffer, **arrays)  # type: ignore[arg-type]
    return buffer.getvalue()


def header_replaced(content: bytes, change: Callable[[dict[str, Any]], object]) -> bytes:
    """A safetensors file with another header."""
    length = int.from_bytes(content[:8], "little")
    header = json.loads(content[8 : 8 + length])
    changed = change(header)
    text = json.dumps(header if changed is None else changed).encode()
    return len(text).to_bytes(8, "little") + text + content[8 + length :]


# What changes no number. Each takes the weights and a generator, and returns others.


def prefixed(weights: Weights, draw: np.random.Generator) -> Weights:
    prefix = str(draw.choice(PREFIXES))
    return {prefix + name: leaf for name, leaf in weights.items()}


def reordered(weights: Weights, draw: np.random.Generator) -> Weights:
    names = list(weights)
    draw.shuffle(names)
    return {name: weights[name] for name in names}


def wider(weights: Weights, draw: np.random.Generator) -> Weights:
    return {name: leaf.double() for name, leaf in weights.items()}


def halved(weights: Weights, draw: np.random.Generator) -> Weights:
    kind = HALVES[int(draw.integers(2))]
    return {name: leaf.to(kind) for name, leaf in weights.items()}


def strided(weights: Weights, draw: np.random.Generator) -> Weights:
    """Every other row and column of memory that is larger."""
    changed = {}
    for name, leaf in weights.items():
        if leaf.ndim == 2:
            leaf = leaf.t().contiguous().t()
        changed[name] = leaf
    return changed


ALIKE = (prefixed, reordered, wider, halved, strided)


# What is wrong with it.


def among_others(weights: Weights, draw: np.random.Generator) -> Weights:
    return {**weights, "steps": torch.tensor(7), "extra.weight": torch.ones(3, 3)}


def lacking(weights: Weights, draw: np.random.Generator) -> Weights:
    gone = str(draw.choice(list(weights)))
    return {name: leaf for name, leaf in weights.items() if name != gone}


def renamed(weights: Weights, draw: np.random.Generator) -> Weights:
    old = str(draw.choice(list(weights)))
    return {("w.\x1b[31m" if name == old else name): leaf for name, leaf in weights.items()}


def reshaped(weights: Weights, draw: np.random.Generator) -> Weights:
    name = str(draw.choice(list(weights)))
    changes = (
        lambda leaf: leaf.reshape(-1, 2),
        lambda leaf: leaf[:0],
        lambda leaf: leaf.sum(),
        lambda leaf: leaf[None],
    )
    return {**weights, name: changes[int(draw.integers(4))](weights[name])}


def not_a_number(weights: Weights, draw: np.random.Generator) -> Weights:
    name = str(draw.choice(list(weights)))
    leaf = weights[name].clone(memory_format=torch.contiguous_format)
    leaf.view(-1)[int(draw.integers(leaf.numel()))] = float(draw.choice([np.nan, np.inf, -np.inf]))
    return {**weights, name: leaf}


def of_another_type(weights: Weights, draw: np.random.Generator) -> Weights:
    name = str(draw.choice(list(weights)))
    kinds = (torch.int8, torch.bool, torch.complex64, torch.int64)
    return {**weights, name: weights[name].to(kinds[int(draw.integers(4))])}


WRONG = (among_others, lacking, renamed, reshaped, not_a_number, of_another_type)


def packed(weights: Weights, folder: Path, draw: np.random.Generator) -> str:
    """Write the file or the folder, and return its name."""
    way = str(
        draw.choice(
            [
                "safetensors",
                "torch",
                "legacy",
                "nested",
                "training",
                "parameters",
                "numpy",
                "shards",
            ]
        )
    )
    contiguous = {name: leaf.contiguous() for name, leaf in weights.items()}
    if way == "safetensors":
        (folder / "w.safetensors").write_bytes(as_safetensors(contiguous))
        return "w.safetensors"
    if way == "numpy":
        (folder / "w.npz").write_bytes(numpy_file(weights))
        return "w.npz"
    if way == "shards":
        return sharded(contiguous, folder)
    content: object = weights
    if way == "nested":
        content = {str(draw.choice(INSIDE)): weights, "epoch": 3}
    elif way == "training":
        moments = {
            i: {"exp_avg": torch.zeros_like(leaf)} for i, leaf in enumerate(weights.values())
        }
        content = {
            "state_dict": weights,
            "optimizer": {"state": moments, "param_groups": [{"lr": 0.1}]},
            "epoch": 3,
        }
    elif way == "parameters":
        content = {
            name: torch.nn.Parameter(leaf, requires_grad=False) for name, leaf in weights.items()
        }
    (folder / "w.pt").write_bytes(torch_file(content, legacy=way == "legacy"))
    return "w.pt"


def sharded(weights: Weights, folder: Path) -> str:
    """Two files and their index, as large models are kept."""
    (folder / "w").mkdir()
    places: dict[str, str] = {}
    names = list(weights)
    for number, part in enumerate((names[::2], names[1::2])):
        file = f"model-{number + 1:05d}-of-00002.safetensors"
        (folder / "w" / file).write_bytes(as_safetensors({name: weights[name] for name in part}))
        places |= dict.fromkeys(part, file)
    (folder / "w" / "model.safetensors.index.json").write_text(json.dumps({"weight_map": places}))
    return "w"


def spoilt(path: Path, draw: np.random.Generator) -> str:
    """Damage the file, or one of the folder's, where a reader can tell. Returns what was done."""
    files = sorted(path.iterdir()) if path.is_dir() else [path]
    file = files[int(draw.integers(len(files)))]
    content = file.read_bytes()
    ways = ["cut", "empty", "gone", "other end", "text"]
    if file.suffix == ".safetensors":
        ways += ["longer header", "offsets", "shape", "type", "no object", "twice"]
    way = str(draw.choice(ways))
    if way == "cut":
        file.write_bytes(content[: int(draw.integers(len(content)))])
    elif way == "empty":
        file.write_bytes(b"")
    elif way == "gone":
        file.unlink()
    elif way == "other end":
        file.write_bytes(content + b"\0" * 100)
    elif way == "text":
        file.write_bytes(b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 3\n")
    elif way == "longer header":
        file.write_bytes((2**40).to_bytes(8, "little") + content[8:])
    elif way == "no object":
        file.write_bytes(header_replaced(content, lambda header: [1, 2]))
    elif way == "twice":
        file.write_bytes(content.replace(b'"data_offsets"', b'"dtype": "I8", "data_offsets"', 1))
    else:
        changes = {
            "offsets": ("data_offsets", [0, 2**50]),
            "shape": ("shape", [2**40]),
            "type": ("dtype", "F99"),
        }
        key, value = changes[way]

        def lie(header: dict[str, Any]) -> None:
            first = next(name for name in header if name != "__metadata__")
            header[first][key] = value

        file.write_bytes(header_replaced(content, lie))
    return way


def initial_loss(folder: Path) -> float:
    """The loss before training."""
    rounds = pq.read_table(folder / "out" / "results" / "rounds.parquet").to_pylist()
    return next(
        float(row["value"]) for row in rounds if row["round"] == 0 and row["metric"] == "test_loss"
    )


def told(folder: Path) -> bool:
    """Whether the results say that the run did not begin with the file's weights as they are."""
    (row,) = pq.read_table(folder / "out" / "results" / "runs.parquet").to_pylist()
    return bool(row.get("begun_with"))


def expecting(loss: float, tolerance: float) -> Callable[[Ended], str]:
    """That loss before training, to a relative `tolerance`; where that is 0,
    another one that is told, or one line.
    """

    def expectation(ended: Ended) -> str:
        if wrong := ends_well(ended):
            return wrong
        if ended.status != 0:
            return f"refused: {ended.err.strip()}" if tolerance else ""
        found = initial_loss(ended.folder)
        same = abs(found - loss) <= (tolerance or 1e-5) * loss
        return (
            ""
            if same or (not tolerance and told(ended.folder))
            else f"a loss of {found} in place of {loss}"
        )

    return expectation


def cases(seed: int, folder: Path) -> Iterator[Case]:
    weights = plain(np.random.Generator(np.random.Philox(key=0)))
    first = folder / "plain"
    first.mkdir()
    (first / "study.yaml").write_text(STUDY.format(path="w.safetensors"))
    (first / "w.safetensors").write_bytes(as_safetensors(weights))
    ended = run(Case("plain", COMMAND, ends_well, first))
    assert ended.status == 0, ended.err
    loss = initial_loss(first)
    draw = np.random.Generator(np.random.Philox(key=seed))
    number = 0
    while True:
        place = folder / f"{number:06d}"
        place.mkdir()
        done, tolerance, changed = [], 1e-5, weights
        for change in draw.permutation(np.array(ALIKE, dtype=object))[: int(draw.integers(3))]:
            changed = change(changed, draw)
            done.append(change.__name__)
            tolerance = max(tolerance, 0.02 if change is halved else 0)
        if draw.random() < 0.4:
            wrong = WRONG[int(draw.integers(len(WRONG)))]
            changed, tolerance = wrong(changed, draw), 0
            done.append(wrong.__name__)
        name = packed(changed, place, draw)
        if draw.random() < 0.3:
            done.append(spoilt(place / name, draw))
            tolerance = 0
        (place / "study.yaml").write_text(STUDY.format(path=name))
        yield Case(
            f"{name}: {', '.join(done) or 'as it is'}", COMMAND, expecting(loss, tolerance), place
        )
        shutil.rmtree(place)
        number += 1
