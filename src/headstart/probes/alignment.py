"""Do clients pull in the same direction? Gradient diversity, two cosines, drift and noise, each
under its own name.

With D_i = x - y_i over the K clients of a cohort that report, out of N, and m = (1/K) sum_i D_i
their plain mean:

    gradient_diversity = sum_i |D_i|^2 / |sum_i D_i|^2          from 1/K (all equal) upwards
    cosine_between_clients = mean over pairs i != j of cos(D_i, D_j)
                           = (|sum_i D_i / |D_i||^2 - K) / (K (K - 1))
    cosine_over_time = cos of the pseudo-gradients of this round and the one before
    local_drift = sqrt(mean_i |D_i|^2)                          how far a client goes from x
    client_spread = s,  s^2 = sum_i |D_i - m|^2 / (K - 1)       how far clients are from each other
    aggregate_noise = sqrt((1 - K/N) s^2 / K) / |m|             standard error of m over its length

Nguyen et al. (arXiv 2206.15387) write that pre-training reduces client drift; Chen et al. (arXiv
2206.11488) that it does not, but makes aggregation more stable. These are two numbers: drift grows
with the steps and rates of clients and may point one way; noise is what another draw of K clients,
without replacement, would change (Cochran, Sampling Techniques, chapter 2). The definitions of the
last three are ours. All means here weigh clients equally, whatever the weighting of the run. |D_i|
goes with the client's rate: read local_drift together with the rates.
"""

import math

from headstart import trees
from headstart.engine.federation import Federation
from headstart.probes.base import PROBES, Metrics, Moment, Probe


@PROBES.register("alignment", source="arXiv 1706.05699, Definition 1; arXiv 2206.15387, Figure 5")
def alignment(federation: Federation) -> Probe:
    """gradient_diversity, two cosines, local_drift, client_spread and aggregate_noise of the round
    just done.
    """
    population = len(federation.clients)

    def measure(moment: Moment) -> Metrics:
        if moment.cohort is None or moment.cohort.alignment is None or moment.previous is None:
            return {}
        sums, metrics = moment.cohort.alignment, {}
        squared_norms, total_squared = float(sums.squared_norms), float(sums.total_squared)
        if total_squared > 0:
            metrics["gradient_diversity"] = squared_norms / total_squared
        if sums.count > 1:
            pairs = sums.count * (sums.count - 1)
            unit_total_squared = float(sums.unit_total_squared)
            metrics["cosine_between_clients"] = (unit_total_squared - sums.count) / pairs
        metrics |= drift_and_noise(squared_norms, total_squared, sums.count, population)
        before, now = moment.previous.pseudo_gradient, moment.state.pseudo_gradient
        lengths = float(trees.norm(before)) * float(trees.norm(now)) if before else 0.0
        if lengths > 0 and math.isfinite(lengths):
            metrics["cosine_over_time"] = float(trees.dot(before, now)) / lengths
        return metrics

    return Probe(measure)


def drift_and_noise(
    squared_norms: float, total_squared: float, count: int, population: int
) -> Metrics:
    """From Q = sum_i |D_i|^2 and T = |sum_i D_i|^2: s^2 = (Q - T/K) / (K - 1), |m|^2 = T / K^2.

    >>> two = drift_and_noise(9 + 25, 16 + 36, count=2, population=4)  # D = (0, 3), (4, 3)
    >>> [f"{name} {value:.6f}" for name, value in two.items()]
    ['local_drift 4.123106', 'client_spread 2.828427', 'aggregate_noise 0.392232']
    """
    metrics = {"local_drift": math.sqrt(squared_norms / count)}
    if count > 1:
        # Rounding may take equal clients below 0.
        variance = max(0.0, squared_norms - total_squared / count) / (count - 1)
        metrics["client_spread"] = math.sqrt(variance)
        if total_squared > 0:
            unseen = 1 - count / population
            metrics["aggregate_noise"] = (
                math.sqrt(unseen * variance / count) * count / math.sqrt(total_squared)
            )
    return metrics
