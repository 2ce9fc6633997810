"""The weights of the round with the highest accuracy so far, beside those that a run ends with.

By `test_accuracy` as the run measures it: every so many rounds, and on the split that `evaluate_on`
names. The first of equal rounds counts. DIR/runs/<key>/best.safetensors is written with each
checkpoint, and when the run is done.
"""

from collections.abc import Callable

from headstart.starts import weights
from headstart.starts.weights import Weights
from headstart.study.rounds import Progress
from headstart.trees import Tree


class BestSoFar:
    """The best round of one run, and its weights until they are written."""

    def __init__(self, progress: Progress) -> None:
        self.round, self.accuracy = -1, -1.0
        self._begun = progress.state.x if progress.state.round == 0 else None
        self._weights: Tree | None = None
        self._seen = 0
        self.look(progress)

    def look(self, progress: Progress) -> None:
        """Hold the weights of a round that was just measured, if it is the best."""
        for round_, metric, value in progress.rows[self._seen :]:
            if metric == "test_accuracy" and value > self.accuracy:
                self.round, self.accuracy = round_, value
                self._weights = progress.state.x if round_ == progress.state.round else None
                if round_ == 0:
                    self._weights = self._begun
        self._seen = len(progress.rows)

    def content(self, of: Callable[[Tree], Weights], run: str) -> bytes:
        """Return the file of the weights that are held, and hold them no longer; empty where they
        were written before.

        Args:
            of: makes a whole model of what is trained.
            run: the run in words.
        """
        if self._weights is None:
            return b""
        note = {"run": run, "round": self.round, "accuracy": self.accuracy}
        content = weights.content(of(self._weights), note)
        self._weights = None
        return content
