"""Every start is run at as many rates as the others, so that none has more chances to be best."""

from collections.abc import Sequence
from dataclasses import replace

from headstart.errors import HeadstartError
from headstart.study.file.run_spec import RunSpec


def refuse_unequal_rates(runs: Sequence[RunSpec]) -> None:
    """Refuse a grid in which a pair is run at more rates from one start than from another.

    The best of several rates stands for a start: a start with four of them leads one with a single
    rate too often, where nothing differs.

    Raises:
        HeadstartError: there is such a pair.
    """
    tried: dict[RunSpec, dict[str, set[tuple[float, float]]]] = {}
    if len({(run.client_rate, run.server_rate) for run in runs}) == 1:
        return
    some = runs[0]
    for run in runs:
        place = replace(run, start=some.start, seed=some.seed, client_rate=1.0, server_rate=1.0)
        rates = tried.setdefault(place, {}).setdefault(str(run.start), set())
        rates.add((run.client_rate, run.server_rate))
    for place, by_start in tried.items():
        numbers = {start: len(rates) for start, rates in by_start.items()}
        most, least = max(numbers, key=numbers.__getitem__), min(numbers, key=numbers.__getitem__)
        if numbers[most] > numbers[least]:
            raise HeadstartError(
                f"starts: expected as many rates from every start, got {numbers[most]} from {most} "
                f"and {numbers[least]} from {least} with {place.client} + {place.server}; give "
                "each the same number of client_rates and server_rates, or name the rates of each "
                "start in `rates`"
            )
