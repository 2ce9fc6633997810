"""The verdict, the findings and how a study was run, as plain values: what `findings.json`
holds.
"""

import math
from dataclasses import asdict
from typing import Any

from headstart.report.judgement.findings import Judged
from headstart.report.judgement.reading import Reading
from headstart.report.panels.base import Missing
from headstart.report.runs.records import Records
from headstart.report.verdict.other_rows import OtherRows
from headstart.report.verdict.sentences import difference
from headstart.report.verdict.verdict import Verdict
from headstart.statistics.intervals import Estimate
from headstart.statistics.joint.decisions import Bounds

NAME = "findings.json"
FORMAT = 2
DIGITS = 6  # of a number
SETTINGS = ("starts", "rounds", "population", "cohort", "batch_size", "target_accuracy")
"""Keys of the study file that are told as they are."""


def summary(reading: Reading) -> dict[str, Any]:
    """What a study says and how it was run. `publication.form` describes what is read again."""
    grid = reading.grid
    settings = grid.records.settings
    return {
        "format": FORMAT,
        "title": str(settings.get("title") or settings.get("name") or ""),
        "task": grid.records.names.called("task", str(settings.get("task") or "")),
        "model": grid.records.names.called("model", str(settings.get("model") or "")),
        "preset": str(settings.get("preset") or ""),
        "setting": str(grid.base),
        "starts": list(grid.starts),
        "compared": list(grid.between or ()),
        "verdict": verdict_of(reading.verdict),
        "findings": list(map(finding_of, reading.findings)),
        "cautions": reading.cautions.sentences,
        "unlearned": [found.start for found in reading.cautions.unlearned],
        "run": how(grid.records),
    }


def verdict_of(said: Verdict) -> dict[str, Any]:
    """The verdict's sentences and its gain."""
    return {
        "headlines": list(said.headlines),
        "where": said.where.text,
        "where_decided": said.where.decided,
        "begin_from": list(said.where.names),
        "which": said.which.text,
        "which_decided": said.which.decided,
        "use": list(said.which.names),
        "avoid": list(said.which.avoid),
        "open": list(said.which.open),
        "sure": f"{said.sure} {said.unseen}".strip(),
        "cost": said.cost,
        "why": said.why,
        "left": said.outlook.sentence,
        "start": said.start,
        "against": said.against,
        "gain": bounds_of(said.gain),
        "gain_text": difference(said.gain) if said.gain else "",
        "other_rows": rows_of(said.other_rows),
    }


def rows_of(found: OtherRows | None) -> dict[str, Any] | None:
    """The rows that all seeds are judged on, and what others could change."""
    if found is None:
        return None
    told = asdict(found) | asdict(found.judged_on) | {"could_undo": found.could_undo}
    del told["judged_on"]
    return {name: rounded(value) for name, value in told.items()}


def bounds_of(gain: Bounds | None) -> dict[str, Any] | None:
    """A difference of accuracies, and where it lies; without an end where it is not bounded."""
    if gain is None:
        return None
    found: dict[str, Any] = {"unit": "accuracy"}
    for name in ("value", "low", "high"):
        bound = getattr(gain, name)
        found[name] = rounded(bound) if math.isfinite(bound) else None
    return found


def finding_of(each: Judged) -> dict[str, Any]:
    """A finding: judged with its sentence, or what it would have needed."""
    finding, panel = each.finding, each.panel
    known = {"number": finding.number, "claim": finding.claim, "question": panel.heading}
    if isinstance(panel, Missing):
        return {**known, "judgement": each.judgement, "needs": panel.need}
    answer = panel.answer
    return {
        **known,
        "judgement": each.judgement,
        "answer": answer.says,
        "difference": answer.difference,
        "judged": number_of(answer.judged, answer.unit),
        "p_holm": rounded(each.p),
        "margin": rounded(answer.margin),
        "within": answer.within,
        "more_seeds": answer.more_seeds,
        "sentence": answer.sentence,
        "to_decide": answer.to_decide,
        "figure": panel.slug,
    }


def number_of(e: Estimate | None, unit: str) -> dict[str, Any] | None:
    """An estimate with its interval, in its unit."""
    if e is None:
        return None
    return {name: rounded(value) for name, value in asdict(e).items()} | {"unit": unit}


def how(records: Records) -> dict[str, Any]:
    """How the study was run, from the records of runs and trials, never from the present."""
    ended = records.distinct("ended")
    told: dict[str, Any] = {
        "headstart": records.distinct("headstart"),
        "machines": records.distinct("machine"),
        "executors": records.distinct("executor"),
        "first_ended": ended[0] if ended else None,
        "last_ended": ended[-1] if ended else None,
        "runs": len(records.runs),
        "planned": records.planned,
        "diverged": records.diverged,
        "failed": len(records.failed),
        "run_seconds": round(sum(run.seconds or 0 for run in records.runs), 1),
        "trials": len(records.trials),
        "trial_seconds": round(sum(each.get("seconds") or 0 for each in records.trials), 1),
        "seeds": records.distinct("seed"),
        "parameters": records.distinct("parameters"),
    }
    for key in SETTINGS:
        told[key] = records.settings.get(key)
    if told["starts"]:
        told["starts"] = [records.names.told("starts", start) for start in told["starts"]]
    return told


def rounded(value: Any) -> Any:
    """A number to six digits; anything else as it is."""
    return float(f"{value:.{DIGITS}g}") if isinstance(value, float) else value
