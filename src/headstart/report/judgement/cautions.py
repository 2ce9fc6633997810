"""What stands beside a verdict: nothing that limits it is dropped in silence."""

from collections.abc import Mapping
from dataclasses import dataclass

from headstart.report.appendix import choice_of_rates, completeness, rates
from headstart.report.appendix.tuning import TuningNotes
from headstart.report.measures.learning import Learning, unlearned
from headstart.report.runs.grid import Grid
from headstart.report.words.numbers import percent
from headstart.report.words.remarks import capital
from headstart.wording.phrases import count, listed


@dataclass(frozen=True)
class Cautions:
    """Each caution of a study: a sentence that is empty where there is none, or a list.

    `unlearned`: the starts from which accuracy has hardly moved; `lost`: how many of the `runs`
    have no result, by what came of them; `tuning` and `edges`: warnings about the rates;
    `picked_on_test`, `unequal_rates`, `tuned_on_judged` and `tuned_once`: how they were chosen.
    """

    unmeasured: str
    few_seeds: str
    missing: str
    unused_clients: str
    unlearned: tuple[Learning, ...]
    lost: Mapping[str, int]
    failures: str
    tuning: tuple[str, ...]
    edges: tuple[str, ...]
    picked_on_test: str
    unequal_rates: str
    tuned_on_judged: str
    tuned_once: str
    runs: int

    @property
    def of_rates(self) -> list[str]:
        """How the rates were chosen, where that limits what can be concluded."""
        said = [self.picked_on_test, self.unequal_rates, self.tuned_on_judged]
        return list(filter(None, [*said, self.tuned_once]))

    @property
    def of_starts(self) -> list[str]:
        """What is said of the starts from which accuracy has hardly moved by the end.

        What the panels compare is then that.
        """
        return self.of_other_starts()

    def of_other_starts(self, told: str = "") -> list[str]:
        """A sentence for all that training has hardly moved, and one for all that it made worse.

        told: the start that a headline is about already.
        """
        sentences = []
        for is_worse in (False, True):
            alike = {}
            for found in self.unlearned:
                if found.worse == is_worse and found.start != told:
                    alike[found.start] = found
            if alike:
                limit = f"Comparisons with {listed(alike)} say no more than that."
                sentences.append(f"{capital(in_words(*alike.values()))}. {limit}")
        return sentences

    @property
    def sentences(self) -> list[str]:
        """All cautions, as they stand beside a verdict outside its own page."""
        diverged = self.lost.get("diverged", 0)
        fell = f"{diverged} of {count(self.runs, 'run')} diverged"
        fell += "; a pair with one has no mean and ranks last."
        said = [self.unmeasured, self.few_seeds, self.missing, self.unused_clients, *self.of_starts]
        said += [fell if diverged else "", self.failures, *self.of_rates]
        said += [*self.tuning, *self.edges]
        return list(filter(None, said))


def cautions(grid: Grid, tuning: TuningNotes | None) -> Cautions:
    """The cautions of a study; `tuning`: what is told of its tuning."""
    return Cautions(
        unmeasured=completeness.unmeasured(grid),
        few_seeds=completeness.few_seeds(grid),
        missing=completeness.missing(grid),
        unused_clients=completeness.unused_clients(grid),
        unlearned=tuple(unlearned(grid)),
        lost=completeness.lost(grid),
        failures=completeness.failures(grid),
        tuning=tuple(tuning.warnings) if tuning else (),
        edges=tuple(rates.edges(grid)),
        picked_on_test=choice_of_rates.picked_on_test(grid),
        unequal_rates=choice_of_rates.unequal(grid),
        tuned_on_judged=choice_of_rates.tuned_on_judged(grid),
        tuned_once=choice_of_rates.tuned_once(grid),
        runs=len(grid.records.runs),
    )


def in_words(*alike: Learning) -> str:
    """That training from some starts has hardly changed the accuracy, or made it worse, as a
    clause.
    """
    done = "made the accuracy worse" if alike[0].worse else "hardly changed the accuracy"
    first, *others = alike
    moved = [f"{percent(first.before)} before the first round, {percent(first.best)} at the end"]
    moved += [f"{percent(it.before)}, {percent(it.best)}" for it in others]
    starts = listed(it.start for it in alike)
    return f"from {starts} training has {done}: {' and '.join(moved)} with the best pair"
