"""Study files with something odd in them: each is checked, some are run."""

import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from tests.campaign.frame import Case, ends_well

TABLE = "who,x,z,y\n" + "".join(
    f"c{i % 6},{i % 7},{i % 5 - i % 3},{'yes' if i % 7 > 3 else 'no'}\n" for i in range(90)
)

OWN = """
from torch import nn
def net(input_shape, outputs, *, width: int = 4):
    return nn.Sequential(nn.Flatten(), nn.Linear(64, width), nn.ReLU(), nn.Linear(width, outputs))
"""

BASES: list[dict[str, Any]] = [
    {
        "name": "toy",
        "title": "A toy",
        "task": "digits",
        "model": "mlp(hidden=[8])",
        "starts": ["random", {"proxy": {"task": "rendered-digits(examples=200)", "epochs": 1}}],
        "clients": ["sgd", "proximal(mu=0.1)"],
        "servers": ["sgd", {"adam": {"epsilon": 1e-3}}],
        "partitions": "dirichlet(alpha=0.3)",
        "devices": ["equal", "uneven-epochs(share=0.3)"],
        "local_epochs": [1, 2],
        "client_rates": [0.1, 0.3],
        "server_rates": 1.0,
        "seeds": [0, 1],
        "population": 10,
        "cohort": 3,
        "batch_size": 16,
        "rounds": 2,
        "every": 1,
        "target_accuracy": 0.3,
        "probes": ["evaluation", "alignment", "distance", "curvature(rows=8, products=2)"],
        "executor": "loop",
        "also": [{"local_epochs": 3, "clients": "gd"}],
        "rates": [
            {"client": "proximal", "local_epochs": 2, "client_rate": 0.2, "server_rate": 0.5}
        ],
    },
    {
        "task": {"table": {"path": "visits.csv", "client": "who", "label": "y", "split_by": "row"}},
        "model": "logistic",
        "partitions": ["natural"],
        "starts": ["random", {"head-first": {"start": "random"}}],
        "cohort": 3,
        "rounds": 2,
        "seeds": [0],
        "trainable": ["all", "head", ".*bias"],
        "probes": ["evaluation"],
        "executor": "stacked(runs=2)",
        "tuning": {"trials": 2, "rounds": 1, "client_rate": [0.1, 1], "server_rate": [0.5, 2]},
    },
    {
        "task": "digits",
        "model": {"own_net:net": {"width": 3}},
        "population": 8,
        "cohort": 2,
        "rounds": 1,
        "seeds": 0,
        "evaluate_on": "validation",
        "precision": "fp32",
        "device": "cpu",
        "weighting": "uniform",
    },
]
"""Valid studies that name most keys."""

ODD: list[Any] = [
    *[None, True, False, 0, 1, -1, 2, 3.5, 1e-300, 1e300, float("inf"), float("nan")],
    *[2**31, 2**53, 2**62, 2**63 - 1, 2**63, -(2**63) - 1, 10**30],
    *[[], [[]], [0], [1, 2, 3], [[1]], {}, {"x": 1}, {"name": "sgd"}, {"name": None}],
    *[
        {"sgd": None},
        {"sgd": []},
        {"proximal": {"mu": 10**400}},
        {"proxy": {"task": {"digits": None}}},
    ],
    *["a\x00b", "\ud800", "\x1b[2J", "\u202e", "é" * 3, "x" * 5000, "", " ", "!!timestamp abc"],
]
ODD += (
    """
x|mlp|sgd|natural|all|head|0|1|1e3|0x_|[|(|(?i)x|:|a:|:b|cuda|meta|mps|cpu:0|bf16|test|010|1_0
2020-99-99
((((((.*)*)*)*)*)*)*x|a{99999999999}|.*.*.*.*.*.*.*.*.*.*.*x|(a|a)*x
sgd(|sgd()|sgd(,)|proximal(mu=1, mu=2)|proximal(mu=nan)|proxy|table|auto|threads|processes
curvature|evaluation
mlp(hidden=[8], hidden=[9])|mlp(hidden=[0])|mlp(hidden=[-1])|mlp(hidden=[])|mlp(hidden=[4]*9)
mlp(hidden=8)
mlp(hidden=[1000000000])|mlp(hidden=[9223372036854775807])|mlp(hidden=[4, 4, 4, 4, 4, 4])
os:abort|http.server:test|os:fork|own_net:net|own_net:nothing|own_net:nn|own_net:net(width=0)
own_net.x:y|builtins:exit
checkpoint(path='')|checkpoint(path='/dev/zero')|checkpoint(path='.')|checkpoint(path='pipe')
checkpoint(path='a\\x00b')
checkpoint(path='visits.csv')|proxy(task='proxy')|proxy(task='table')|proxy(task='digits', epochs=1)
head-first(start='head-first')|head-first(start='os:abort')|head-first(start='random', rounds=1)
table(path='/dev/zero', label='y')|table(path='pipe', label='y')
table(path='nothing.csv', label='y')
table(path='visits.csv', label='y', client='y')|table(path='.', label='y')|on-disk(path='.')
on-disk(path='pipe')
dirichlet(alpha=1e-300)|dirichlet(alpha=1e300)|shards(each=1000000)|iid|dropped|dropped(share=1.0)
stacked(runs=1000000)|curvature(rows=1000000)|evaluation(test_rows=1)|distance(width=1000000000)
""".replace("\n", "|")
    .strip("|")
    .split("|")
)
"""Values that somebody might put anywhere, or nobody would."""

LINES = r"""
seeds: !!python/object/apply:os.system ['touch HERE']
name: !!timestamp abc
name: 2020-99-99
name: 0x_
name: 'x
name: 
? [a]
a: &a [*a]
&a {*a : 1}
<<: 1
---
%YAML 9.9
...
- x
seeds: 0
*x
null: 1
1: 2
model: mlp
population: natural
client_rates: [0.1, 0.10000000000000002]
tuning: {client_rate: [0.1, 0.10000000000000002]}
tuning: {trials: 1, seeds: [0, 1], each: [partition]}
also: [{}]
also: [{seeds: [0]}, {seeds: [1]}]
rates: [{client_rate: 1, server_rate: 1}]
""".strip().split("\n")
LINES += [
    "\tname: x",
    "name: [" + "[" * 200,
    "seeds: [" + ", ".join(map(str, range(3000))) + "]",
    "local_epochs: 1000000",
]


LONG = re.compile(rb"(rounds|epochs|trials|every)\W[^\n]*\d{5}")
"""Studies that are checked only: who asks for a million local epochs has them, in a day."""


def cases(seed: int, folder: Path) -> Iterator[Case]:
    """One odd study file after another; every seventh is run, every eleventh inspected."""
    draw = np.random.Generator(np.random.Philox(key=seed))
    number = 0
    while True:
        text, what = _odd_text(draw)
        for path in folder.iterdir():
            shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink()
        (folder / "visits.csv").write_text(TABLE)
        (folder / "own_net.py").write_text(OWN)
        os.mkfifo(folder / "pipe")
        (folder / "study.yaml").write_bytes(text)
        command = ["check", "study.yaml"]
        if number % 7 == 6 and not LONG.search(text):
            command = ["run", "study.yaml", "--out", "out", "--jobs", "1"]
        elif number % 11 == 10:
            command = ["inspect", "study.yaml"]
        yield Case(f"{seed}-{number} {what}", tuple(command), ends_well, folder, 120.0)
        number += 1


def _odd_text(draw: np.random.Generator) -> tuple[bytes, str]:
    """A study file, and what was done to it."""
    keys = yaml.safe_load(yaml.safe_dump(BASES[draw.integers(len(BASES))]))
    kind = ["value", "value", "inside", "line", "bytes", "cut"][draw.integers(6)]
    if kind == "value":
        key = list(keys)[draw.integers(len(keys))]
        keys[key] = ODD[draw.integers(len(ODD))]
        return _dumped(keys), f"{key}: {ascii(keys[key])[:60]}"
    if kind == "inside":
        path = _odd_inside(keys, draw)
        return _dumped(keys), f"inside {path}"
    text = _dumped(keys)
    if kind == "line":
        line = LINES[draw.integers(len(LINES))]
        at = draw.integers(text.count(b"\n") + 1)
        lines = text.split(b"\n")
        return b"\n".join([*lines[:at], line.encode(), *lines[at:]]), f"line {at}: {line[:60]!r}"
    if kind == "cut":
        first, last = sorted(draw.integers(len(text), size=2))
        return text[:first] + text[last:], f"without bytes {first} to {last}"
    changed = bytearray(text)
    places = draw.integers(len(text), size=draw.integers(1, 6))
    for place in places:
        changed[place] = draw.integers(256)
    return bytes(changed), f"bytes {places.tolist()}"


def _odd_inside(keys: Any, draw: np.random.Generator) -> str:
    """Replace, add or take away something deep in the study."""
    inside, path = keys, ""
    while True:
        places = list(inside) if isinstance(inside, dict) else list(range(len(inside)))
        if not places:
            return path
        place = places[draw.integers(len(places))]
        path += f".{place}"
        if isinstance(inside[place], dict | list) and inside[place] and draw.integers(4):
            inside = inside[place]
            continue
        odd = ODD[draw.integers(len(ODD))]
        match draw.integers(4):
            case 0:
                del inside[place]
            case 1 if isinstance(inside, list):
                inside.append(inside[place])
            case 2 if isinstance(inside, dict):
                inside[f"{place}s"] = odd
            case _:
                inside[place] = odd
        return f"{path} {ascii(odd)[:60]}"


def _dumped(keys: Any) -> bytes:
    """YAML of the keys; what YAML cannot write, it writes as it can."""
    try:
        return yaml.safe_dump(keys, sort_keys=False).encode()
    except (yaml.YAMLError, UnicodeEncodeError):
        return yaml.safe_dump(keys, sort_keys=False).encode("utf-8", "surrogatepass")
