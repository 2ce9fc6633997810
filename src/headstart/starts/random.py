"""Random weights: what a model is before anything is known."""

from headstart.models.network import Network
from headstart.starts.base import STARTS, Start
from headstart.starts.weights import Weights
from headstart.tasks.base import Task
from headstart.trees import Tree


@STARTS.register("random", source="the initialisation that the model's own layers define")
def random() -> Start:
    """Newly initialised weights, others for every seed of a run."""

    def weights(artefact: Weights, network: Network, task: Task, seed: int) -> Tree:
        return network.state(seed)

    return Start(weights)
