"""Do clients pull in the same direction? Gradient diversity and two cosines, named apart.

With D_i = x - y_i over the K clients of a cohort:
gradient diversity (arXiv 1706.05699, Definition 1) = sum_i |D_i|^2 / |sum_i D_i|^2, from 1/K (all equal) upwards;
cosine between clients = mean over pairs i != j of cos(D_i, D_j) = (|sum_i D_i / |D_i||^2 - K) / (K (K - 1));
cosine over time = cos of the pseudo-gradients of this round and the one before.
"""

import math

from headstart import trees
from headstart.engine.rounds import Federation
from headstart.probes.base import PROBES, Metrics, Moment, Probe


@PROBES.register("alignment", source="arXiv 1706.05699, Definition 1; arXiv 2206.15387, Figure 5")
def alignment(federation: Federation) -> Probe:
    """gradient_diversity, cosine_between_clients, cosine_over_time of the round just done."""

    def measure(moment: Moment) -> Metrics:
        if moment.cohort is None or moment.cohort.alignment is None or moment.previous is None:
            return {}
        sums, metrics = moment.cohort.alignment, {}
        if float(sums.total) > 0:
            metrics["gradient_diversity"] = float(sums.squared_norms) / float(sums.total)
        if sums.count > 1:
            pairs = sums.count * (sums.count - 1)
            metrics["cosine_between_clients"] = (float(sums.unit_total) - sums.count) / pairs
        before, now = moment.previous.pseudo_gradient, moment.state.pseudo_gradient
        lengths = float(trees.norm(before)) * float(trees.norm(now)) if before else 0.0
        if lengths > 0 and math.isfinite(lengths):
            metrics["cosine_over_time"] = float(trees.dot(before, now)) / lengths
        return metrics

    return Probe(measure)
