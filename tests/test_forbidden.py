"""Nothing draws from a global generator, nothing is unpickled, and no module's name says nothing.

Every rule is a function of a file's place and its syntax tree, and is shown here to catch what it
forbids.
"""

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.syntax import FILES, ROOT, broken, calls, imports
from tests.test_layout import goes_up

SETS_THE_GENERATOR = "models/conversion/building.py"
"""The one place that sets torch's global generator, because torch's own layers draw from it,
and puts it back.
"""

GLOBAL_NUMPY = {
    "seed", "rand", "randn", "randint", "random", "random_sample", "ranf", "sample", "choice",
    "shuffle", "permutation", "normal", "uniform", "standard_normal", "binomial", "dirichlet",
    "gamma", "beta", "poisson", "exponential", "bytes", "multinomial", "set_state",
    "random_integers", "lognormal", "integers", "standard_gamma", "RandomState",
}  # fmt: skip
GLOBAL_TORCH = {"manual_seed", "seed", "set_rng_state"}
TORCH_DRAWS = {
    "rand",
    "randn",
    "randint",
    "randperm",
    "normal",
    "bernoulli",
    "multinomial",
    "poisson",
}
TORCH_DRAWS |= {"rand_like", "randn_like", "randint_like"}
IN_PLACE_DRAWS = {
    "normal_",
    "uniform_",
    "random_",
    "bernoulli_",
    "exponential_",
    "log_normal_",
    "cauchy_",
    "geometric_",
}
NAMES_THAT_SAY_NOTHING = {
    "utils",
    "util",
    "helpers",
    "helper",
    "common",
    "manager",
    "managers",
    "misc",
}


def draws_globally(place: Any, tree: Any) -> Iterator[Any]:
    """Draws from, and seeding of, generators that are not an argument."""
    for line, module in imports(tree):
        if module == "random" or module.startswith("random."):
            yield line, "imports random; draw from headstart.rng.generator(seed, purpose)"
    for line, name, keywords in calls(tree):
        module, _, function = name.rpartition(".")
        numpy = module in ("np.random", "numpy.random") and function in GLOBAL_NUMPY
        torch = module in ("torch", "torch.random", "torch.cuda") and function in GLOBAL_TORCH
        default = name.startswith("torch.default_generator.")
        if numpy or ((torch or default) and place != SETS_THE_GENERATOR):
            yield line, f"{name} sets or draws from a global generator; take one from headstart.rng"
        draws = (module == "torch" and function in TORCH_DRAWS) or (function in IN_PLACE_DRAWS)
        if draws and "generator" not in keywords:
            yield (
                line,
                f"{name} without generator= draws from torch's global generator; take one from "
                "headstart.rng",
            )


def unpickles(place: Any, tree: Any) -> Iterator[Any]:
    """Ways to execute what a file holds."""
    for line, module in imports(tree):
        if module.split(".")[0] in (
            "pickle",
            "cPickle",
            "dill",
            "cloudpickle",
            "joblib",
            "marshal",
            "shelve",
        ):
            yield line, f"imports {module}; write JSON, Parquet or safetensors"
    safe_loaders = {"yaml.SafeLoader", "yaml.CSafeLoader"}
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef) and any(
            ast.unparse(base) in safe_loaders for base in node.bases
        ):
            safe_loaders.add(node.name)
    for line, name, keywords in calls(tree):
        keywords = {key: ast.unparse(value) for key, value in keywords.items()}
        if name == "torch.load" and keywords.get("weights_only") != "True":
            yield line, "torch.load without weights_only=True executes what the file says"
        if name in ("yaml.load", "yaml.load_all") and keywords.get("Loader") not in safe_loaders:
            yield (
                line,
                f"{name} without a Loader that derives from yaml.SafeLoader executes what the file "
                "says",
            )
        if name in ("yaml.unsafe_load", "yaml.full_load", "eval", "exec") or name.endswith(
            ".read_pickle"
        ):
            yield line, f"{name} executes what the file says"
        if name in ("np.load", "numpy.load") and keywords.get("allow_pickle", "False") != "False":
            yield line, f"{name} with allow_pickle executes what the file says"


def says_nothing(place: Any, tree: Any) -> Iterator[Any]:
    """Names of modules that do not say what is inside."""
    for part in Path(place).with_suffix("").parts:
        if NAMES_THAT_SAY_NOTHING & set(part.split("_")):
            yield 1, f"a module named {part!r} says nothing; name it after what it does"


RULES = [draws_globally, unpickles, says_nothing]


@pytest.mark.parametrize("rule", RULES)
def test_the_house_keeps(rule: Any) -> None:
    places = [path.relative_to(ROOT).as_posix() for path in FILES]
    found = [
        line
        for place, path in zip(places, FILES, strict=True)
        for line in broken(rule, place, path.read_text())
    ]
    assert not found, "\n" + "\n".join(found)


VIOLATIONS = [
    (draws_globally, "tasks/x.py", "import random", "headstart.rng"),
    (draws_globally, "tasks/x.py", "from random import shuffle", "headstart.rng"),
    (draws_globally, "tasks/x.py", "import torch\ntorch.manual_seed(0)", "global generator"),
    (
        draws_globally,
        "tasks/x.py",
        "from torch import manual_seed\nmanual_seed(0)",
        "global generator",
    ),
    (
        draws_globally,
        "tasks/x.py",
        "import torch\ntorch.default_generator.manual_seed(0)",
        "global generator",
    ),
    (draws_globally, "tasks/x.py", "import numpy as np\nnp.random.seed(0)", "global generator"),
    (draws_globally, "tasks/x.py", "import numpy\nnumpy.random.permutation(3)", "global generator"),
    (draws_globally, "tasks/x.py", "from numpy.random import rand\nrand()", "global generator"),
    (draws_globally, "tasks/x.py", "import torch\ntorch.randn(3)", "without generator="),
    (draws_globally, "tasks/x.py", "x.normal_()", "without generator="),
    (unpickles, "study/x.py", "import pickle", "safetensors"),
    (unpickles, "study/x.py", "import torch\ntorch.load(path)", "weights_only"),
    (unpickles, "study/x.py", "import torch\ntorch.load(path, weights_only=False)", "weights_only"),
    (unpickles, "study/x.py", "import yaml\nyaml.load(text)", "SafeLoader"),
    (unpickles, "study/x.py", "import yaml\nyaml.load(text, Loader=yaml.Loader)", "SafeLoader"),
    (
        unpickles,
        "study/x.py",
        "import yaml\nclass L(yaml.Loader): ...\nyaml.load(text, Loader=L)",
        "SafeLoader",
    ),
    (
        unpickles,
        "study/x.py",
        "import numpy as np\nnp.load(path, allow_pickle=True)",
        "allow_pickle",
    ),
    (unpickles, "study/x.py", "eval(text)", "executes"),
    (says_nothing, "study/utils.py", "", "says nothing"),
    (says_nothing, "study/run_manager.py", "", "says nothing"),
    (says_nothing, "helpers/x.py", "", "says nothing"),
]


@pytest.mark.parametrize(("rule", "place", "text", "message"), VIOLATIONS)
def test_every_rule_catches_what_it_forbids(rule: Any, place: Any, text: Any, message: Any) -> None:
    (line,) = broken(rule, place, text)
    assert line.startswith(f"{place}:")
    assert message in line


PERMITTED = [
    (
        "starts/proxy.py",
        "from headstart.tasks.base import TASKS\nfrom headstart.models.network import Network",
    ),
    (
        "report/pages/study_page.py",
        "from headstart.statistics import mean\nfrom headstart import files",
    ),
    (
        "parts/registry.py",
        "from headstart.errors import nearest\nfrom headstart.parts.given import find",
    ),
    ("study/runner.py", "import headstart\nfrom headstart.study.spec import Study"),
    (
        "tasks/x.py",
        "import numpy as np\nnp.random.Generator(np.random.Philox(key=1)).permutation(3)",
    ),
    ("tasks/x.py", "import torch\ntorch.randn(3, generator=g)\ntorch.Generator().manual_seed(1)"),
    ("models/conversion/building.py", "import torch\ntorch.default_generator.manual_seed(1)"),
    (
        "trackers/x.py",
        "import yaml\nclass L(yaml.SafeLoader): ...\nyaml.load(text, "
        "Loader=L)\nyaml.safe_load(text)",
    ),
    ("trackers/x.py", "import torch\ntorch.load(path, weights_only=True)"),
]


@pytest.mark.parametrize(("place", "text"), PERMITTED)
def test_no_rule_forbids_what_is_right(place: Any, text: Any) -> None:
    assert [line for rule in (goes_up, *RULES) for line in broken(rule, place, text)] == []
