"""Whether training from a start has changed anything."""

from headstart.report.panels.initial_loss import initial
from headstart.report.runs.grid import Study
from headstart.report.words.numbers import percent

LEARNED = 0.02  # two points of accuracy in all: less is no training to speak of. Ours.


def hardly(study: Study, start: str) -> str:
    """In words, where accuracy has hardly moved by the end from a start; else empty."""
    begin = initial(study, start, "test_accuracy")
    ends = [study.cell(start, pair).mean for pair in study.pairs()]
    best = max((end for end in ends if end == end), default=None)
    if not begin or best is None:
        return ""
    before = sum(begin.values()) / len(begin)
    if best - before >= LEARNED:
        return ""
    return (
        f"from {start} training has hardly changed the accuracy: {percent(before)} before the first round, "
        f"{percent(best)} at the end with the best pair"
    )
