"""Every start is run at as many rates as the others, so that none has more chances to be best."""

from collections.abc import Sequence
from dataclasses import replace

from headstart.errors import HeadstartError
from headstart.study.file.run_spec import RunSpec

Tried = set[tuple[float, float]]
"""The rates that something is run at: the client's and the server's."""


def refuse_unequal_rates(runs: Sequence[RunSpec]) -> None:
    """Refuse a grid in which a pair is run at more rates from one start than from another.

    The best of several rates stands for a start: a start with four of them leads one with a single
    rate too often, where nothing differs.

    Raises:
        HeadstartError: there is such a pair.
    """
    if len(set(map(_rates, runs))) == 1:
        return
    tried: dict[RunSpec, dict[str, Tried]] = {}
    some = runs[0]
    for run in runs:
        place = replace(run, start=some.start, seed=some.seed, client_rate=1.0, server_rate=1.0)
        rates = tried.setdefault(place, {}).setdefault(run.start.label, set())
        rates.add(_rates(run))
    for place, by_start in tried.items():
        most, more = max(by_start.items(), key=_number)
        least, fewer = min(by_start.items(), key=_number)
        if len(more) > len(fewer):
            raise HeadstartError(
                f"starts: expected as many rates from every start, got {len(more)} from {most} "
                f"and {len(fewer)} from {least} with {place.client.label} + {place.server.label}; "
                "give each the same number of client_rates and server_rates, or name the rates of "
                "each start in `rates`"
            )


def _rates(run: RunSpec) -> tuple[float, float]:
    return run.client_rate, run.server_rate


def _number(of_start: tuple[str, Tried]) -> int:
    """The number of rates from one start, which is given with its name."""
    return len(of_start[1])
