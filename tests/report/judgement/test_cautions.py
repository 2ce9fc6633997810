"""What stands beside a verdict."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from headstart.report.judgement.reading import Reading, read
from headstart.report.runs.grid import Grid
from headstart.report.runs.sorting import sort


def test_a_start_from_which_nothing_is_learned_is_a_caution(study: Callable[..., Path]) -> None:
    """Its pairs begin at 10 % and end at 11.5 at best; one that ends at 12.1 has learned
    something.
    """
    results = read(study("clear")).grid.records

    def cautions(random: float) -> list[str]:
        runs = tuple(
            replace(r, test_accuracy=random) if r.start == "random" else r for r in results.runs
        )
        reading = Reading(Path(), sort(replace(results, runs=runs)))
        return [text for text in reading.cautions.sentences if "before the first round" in text]

    assert cautions(0.121) == []
    (worse,) = cautions(0.075)
    assert worse.startswith(
        "From random training has made the accuracy worse: 10.0% before the first round, 7.5% at"
    )
    (said,) = cautions(0.115)
    assert said.startswith(
        "From random training has hardly changed the accuracy: 10.0% before the first round, 11.5%"
    )


def test_what_is_lost_is_told(table: Callable[..., Grid]) -> None:
    grid = table({"random": {"sgd + adam": [0.5, None], "gd + adam": [0.5, 0.6]}})
    found = Reading(Path(), grid).cautions
    assert (found.lost, found.runs) == ({"diverged": 1}, 4)
    fell = "1 of 4 runs diverged; a pair with one has no mean and ranks last."
    assert found.sentences == [found.few_seeds, fell]
