"""How sharply the global training loss bends: the largest eigenvalues of its Hessian, and its
trace.

f(x) is the mean loss over a fixed sample of the clients' training rows, dropout off; the sample
depends on the seed alone, so the runs of a seed are compared on the same function. Nguyen et al.
(arXiv 2206.15387) report the largest eigenvalue before the first round. The numbers are exact for
the sample; what they say of all rows is as good as the sample. Eigenvalues by
`lanczos.top_eigenvalues`, products by `hessian.Hessian`.
"""

import math
import warnings
from collections.abc import Hashable
from typing import Annotated, Literal

import numpy as np
import torch
from pydantic import Field

from headstart import rng, trees
from headstart.engine.federation import Federation
from headstart.errors import HeadstartError
from headstart.models.network import Network
from headstart.probes.base import PROBES, Metrics, Moment, Probe
from headstart.probes.hessian import Hessian, refuse_asymmetric
from headstart.probes.lanczos import top_eigenvalues, trace
from headstart.tasks.base import Examples
from headstart.trees import Tree

MB = 1e6
LEAST_BASIS = 20
"""Vectors held whatever memory was given, as ARPACK's max(20, 2 k + 1): with 3, SqueezeNet took 98
products, not 16.
"""
REMEMBERED = 64
"""Spectra that a process keeps: a few numbers each."""
UNFUSED = (
    "curvature: cuDNN's recurrent kernels have no second derivative; torch's own are used for it, "
    "more slowly"
)

_found: dict[tuple[Hashable, ...], Metrics] = {}


@PROBES.register(
    "curvature", source="arXiv 2206.15387; Golub and Van Loan, section 10.3; Hutchinson 1989"
)
def curvature(
    federation: Federation,
    *,
    at: Annotated[
        Literal["start", "end", "both", "always"],
        Field(description="before the first round, after the last, both, or each time"),
    ] = "both",
    top: Annotated[int, Field(ge=1, description="how many of the largest eigenvalues")] = 1,
    rows: Annotated[
        int, Field(ge=1, description="size of the fixed sample of training rows")
    ] = 1024,
    tolerance: Annotated[
        float, Field(gt=0, lt=1, description="of |H u - value u| / |value|")
    ] = 1e-3,
    products: Annotated[
        int, Field(ge=1, description="at most so many products for the eigenvalues")
    ] = 100,
    trace_vectors: Annotated[
        int, Field(ge=0, description="random vectors for the trace; 0: no trace")
    ] = 16,
    double: Annotated[bool, Field(description="products and vectors in double precision")] = False,
    batch: Annotated[int, Field(ge=1, description="rows in one graph")] = 128,
    memory: Annotated[
        float, Field(gt=0, description="MB for kept graphs, and again for vectors (20 at least)")
    ] = 1000.0,
) -> Probe:
    """Largest eigenvalues and trace of the Hessian of the training loss: hessian_top_1, ...,
    hessian_trace.

    With them hessian_residual, hessian_converged and hessian_products, and hessian_trace_error, as
    docs/why.md says.

    Raises:
        HeadstartError: fewer products than eigenvalues are allowed, or the model has no second
            derivative.
    """
    if products < top:
        raise HeadstartError(
            f"curvature.products: expected at least as many as top ({top}), got {products}"
        )
    task = federation.task
    everything = np.sort(np.concatenate([np.asarray(client) for client in federation.clients]))
    draw = rng.generator(federation.seed, "curvature sample")
    sample = torch.as_tensor(
        np.sort(draw.choice(everything, min(rows, len(everything)), replace=False))
    )
    examples = Examples(task.train.inputs[sample], task.train.targets[sample])
    network = federation.network
    if double:
        in_double = Network(network.build, torch.float64, prepare=network.prepare)
        network = in_double.holding(network.held)
    refuse_asymmetric(network, task.objective, examples)

    def measure(moment: Moment) -> Metrics:
        asked = {"start": moment.state.round == 0, "end": moment.last, "always": True}
        asked["both"] = asked["start"] or asked["end"]
        return spectrum(moment.state.x) if asked[at] else {}

    def spectrum(x: Tree) -> Metrics:
        """Computed once where runs differ in what comes after: many begin from the same weights and
        rows.
        """
        content = trees.digest({**x, "/inputs": examples.inputs, "/targets": examples.targets})
        how = (federation.network, task.objective, federation.seed, double)
        same = (content, *how, top, tolerance, products, trace_vectors, batch, memory)
        if same not in _found:
            _found[same] = computed(x)
            if len(_found) > REMEMBERED:
                del _found[next(iter(_found))]
        return dict(_found[same])

    def computed(x: Tree) -> Metrics:
        hessian = Hessian(network, task.objective, examples, x, batch, memory * MB)
        if hessian.unfused:
            warnings.warn(UNFUSED, stacklevel=2)
        generator = rng.torch_generator(federation.seed, "curvature vectors")
        start = torch.randn(hessian.size, generator=generator).to(
            next(iter(x.values())).device, network.dtype
        )
        fitting = max(int(memory * MB / start.nbytes), LEAST_BASIS, 2 * top + 1)
        found = top_eigenvalues(
            hessian,
            start,
            count=top,
            tolerance=tolerance,
            products=products,
            basis=min(products, fitting),
            generator=generator,
        )
        metrics = {f"hessian_top_{i + 1}": value for i, value in enumerate(found.values)}
        metrics["hessian_residual"] = max(found.residuals)
        metrics["hessian_converged"] = float(found.converged)
        metrics["hessian_products"] = float(found.products)
        if trace_vectors:
            signs = rng.torch_generator(federation.seed, "curvature trace")
            estimates = trace(hessian, start, trace_vectors, signs)
            metrics["hessian_trace"] = float(np.mean(estimates))
            if trace_vectors > 1:
                deviation = float(np.std(estimates, ddof=1))
                metrics["hessian_trace_error"] = deviation / math.sqrt(trace_vectors)
        return metrics

    return Probe(measure, ends_only=at != "always")
