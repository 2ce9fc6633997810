"""How far the weights are from where they end: |x_t - x_T|, L2 over all parameters."""

from collections.abc import Mapping

from headstart import trees
from headstart.engine.rounds import Federation
from headstart.probes.base import PROBES, Metrics, Probe
from headstart.trees import Tree


@PROBES.register("distance", source="arXiv 2206.15387, Figure 5")
def distance(federation: Federation) -> Probe:
    """distance_to_final, once the run is over; keeps the weights of the measured rounds until then."""

    def look_back(kept: Mapping[int, Tree], final: Tree) -> dict[int, Metrics]:
        return {
            round_: {"distance_to_final": float(trees.norm(trees.subtract(x, final)))} for round_, x in kept.items()
        }

    return Probe(measure=lambda moment: {}, keeps_weights=True, look_back=look_back)
