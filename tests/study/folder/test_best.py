"""The weights of the best round so far: the first of equal ones, each written once."""

import torch

from headstart.engine.federation import State
from headstart.starts.weights import Weights
from headstart.study.folder.best import BestSoFar
from headstart.study.rounds import Progress
from headstart.trees import Tree


def at(round_: int, x: float) -> State:
    return State(round_, {"w": torch.tensor([x])}, {}, {})


def written(best: BestSoFar) -> bool:
    def whole(x: Tree) -> Weights:
        return Weights(x)

    return bool(best.content(whole, "a run"))


def test_the_first_of_equal_rounds_is_held() -> None:
    progress = Progress(at(0, 0.0))
    best = BestSoFar(progress)
    assert (best.round, written(best)) == (-1, False)
    progress.rows.extend([(0, "test_accuracy", 0.1), (0, "test_loss", 9.0)])
    progress.state = at(1, 1.0)
    best.look(progress)
    assert (best.round, best.accuracy, written(best), written(best)) == (0, 0.1, True, False)
    progress.rows.extend([(5, "test_accuracy", 0.6)])
    progress.state = at(5, 5.0)
    best.look(progress)
    progress.rows.extend([(10, "test_accuracy", 0.6), (10, "train_accuracy", 0.9)])
    progress.state = at(10, 10.0)
    best.look(progress)
    assert (best.round, best.accuracy) == (5, 0.6)
    assert written(best)
