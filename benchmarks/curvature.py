"""The top eigenvalue of the Hessian: ours, and scipy's eigsh on curvlinops' operator, at equal
tolerance. Prints JSON.

python benchmarks/curvature.py [--task cifar10] [--model squeezenet1_0] [--rows 1024] [--tolerance
1e-3] [--batch 128]

All see the same rows, batches, weights, start vector and number of threads, and take turns.
`eigsh on ours` is scipy's solver on our operator, so its ratio is the solver's alone. Without
curvlinops in the environment its row is left out; its own dependencies include torchvision, so
install it with `pip install --no-deps curvlinops-for-pytorch backpack-for-pytorch einops einconv
linear_operator opt-einsum jaxtyping wadler-lindig tqdm`.
"""

import argparse
import json
import statistics
import time
from collections.abc import Callable
from importlib.util import find_spec
from typing import Any

import numpy as np
import torch
from scipy.sparse.linalg import LinearOperator, eigsh

from headstart import rng
from headstart.models.network import MODELS, Network
from headstart.probes.hessian import Hessian
from headstart.probes.lanczos import top_eigenvalues
from headstart.study.data import task_of
from headstart.study.federations import network_of
from headstart.tasks.base import TASKS, Examples
from headstart.trees import Tree

Found = tuple[float, int]
"""(eigenvalue, products)."""


def sample(task: str, rows: int) -> Examples:
    train = task_of(TASKS.component(task)).train
    chosen = torch.as_tensor(
        np.sort(rng.generator(0, "curvature sample").permutation(len(train))[:rows])
    )
    return Examples(train.inputs[chosen], train.targets[chosen])


def ours(
    network: Network, objective: Any, data: Examples, x: Tree, start: torch.Tensor, o: Any
) -> Found:
    hessian = Hessian(network, objective, data, x, o.batch, o.memory * 1e6)
    generator = torch.Generator().manual_seed(0)
    found = top_eigenvalues(
        hessian, start, tolerance=o.tolerance, products=1000, generator=generator
    )
    assert found.converged
    return found.values[0], found.products


def counted(
    product: Callable[[torch.Tensor], torch.Tensor], start: torch.Tensor, tolerance: float
) -> Found:
    """eigsh as a user calls it: the largest eigenvalue, ARPACK's other defaults."""
    products = 0

    def matvec(v: Any) -> Any:
        nonlocal products
        products += 1
        return product(torch.from_numpy(np.ascontiguousarray(v.ravel()))).numpy()

    operator = LinearOperator((len(start),) * 2, matvec=matvec, dtype=np.float32)
    (value,) = eigsh(
        operator, 1, which="LA", tol=tolerance, v0=start.numpy(), return_eigenvectors=False
    )
    return float(value), products


def eigsh_on_ours(
    network: Network, objective: Any, data: Examples, x: Tree, start: torch.Tensor, o: Any
) -> Found:
    return counted(
        Hessian(network, objective, data, x, o.batch, o.memory * 1e6), start, o.tolerance
    )


def eigsh_on_curvlinops(
    network: Network, objective: Any, data: Examples, x: Tree, start: torch.Tensor, o: Any
) -> Found:
    from curvlinops import HessianLinearOperator

    module = network.build().eval()
    module.load_state_dict(x)
    batches = list(zip(data.inputs.split(o.batch), data.targets.split(o.batch), strict=True))
    operator = HessianLinearOperator(
        module,
        torch.nn.CrossEntropyLoss(),
        list(module.parameters()),
        batches,
        check_deterministic=False,
        num_data=len(data),
    )
    return counted(lambda v: operator @ v, start, o.tolerance)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--task", default="cifar10")
    parser.add_argument("--model", default="squeezenet1_0")
    for name, default in (("rows", 1024), ("batch", 128), ("repetitions", 3), ("threads", 1)):
        parser.add_argument(f"--{name}", type=int, default=default)
    for name, value in (("tolerance", 1e-3), ("memory", 1000.0)):
        parser.add_argument(f"--{name}", type=float, default=value)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)

    task = TASKS.component(options.task)
    network = network_of(MODELS.component(options.model), task)
    x, data = network.initial(0), sample(options.task, options.rows)
    size = sum(leaf.numel() for leaf in x.values())
    start = torch.randn(size, generator=torch.Generator().manual_seed(1))
    ways: dict[str, Any] = {"ours": ours, "eigsh on ours": eigsh_on_ours}
    if find_spec("curvlinops"):
        ways["eigsh on curvlinops"] = eigsh_on_curvlinops
    found: dict[str, Found] = {}
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(options.repetitions):
        for name, way in ways.items():
            began = time.perf_counter()
            found[name] = way(network, task_of(task).objective, data, x, start, options)
            seconds[name].append(time.perf_counter() - began)
    for value, _ in found.values():
        assert abs(value - found["ours"][0]) <= options.tolerance * abs(value), found
    medians = {name: statistics.median(times) for name, times in seconds.items()}
    print(
        json.dumps(
            {
                **vars(options),
                "parameters": size,
                "torch": torch.__version__,
                "eigenvalue": {name: value for name, (value, _) in found.items()},
                "products": {name: products for name, (_, products) in found.items()},
                "seconds": seconds,
                "times_ours": {name: median / medians["ours"] for name, median in medians.items()},
            },
            indent=1,
        )
    )


if __name__ == "__main__":
    main()
