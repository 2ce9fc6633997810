"""What a repository can keep of a study: its file, its tables as CSV, its figures, and its judged findings.

DIR/README.md       for people: the verdict, the findings, how it was run and how to repeat it
DIR/findings.json   for programs: the same, with every judged difference as a number; `headstart findings` reads these
DIR/study.yaml      the study file, with every default
DIR/runs.csv        a row a run; what all runs share is left out, and so are the measurements of every round
DIR/tables/         the tables behind the figures
DIR/figures/        the figures
DIR/modules/        copies of the user's own modules that the study names, where it does
DIR/published.sha256  what was written, for `sha256sum -c`: by it an older README.md is known from that of others

The same folder of results gives the same bytes: dates and machines are those in the records of the runs.
"""

import io
import json
import os
from collections.abc import Iterable, Mapping
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

from headstart.errors import HeadstartError
from headstart.report import own_files as ours
from headstart.report.appendix import completeness as appendix
from headstart.report.appendix import shares
from headstart.report.appendix import tuning as trials
from headstart.report.figures.rendering import render
from headstart.report.judgement.findings import Judged, judged
from headstart.report.judgement.verdict import verdict
from headstart.report.panels.base import Panel
from headstart.report.publication import repeating
from headstart.report.publication.markdown import code, escaped, row
from headstart.report.runs import records as tables
from headstart.report.runs.grid import Study, slice_up
from headstart.report.runs.records import Run
from headstart.report.runs.standings import contrast
from headstart.report.words.numbers import count, listed, p_text, points
from headstart.report.words.table import csv_text
from headstart.statistics.intervals import Estimate

FORMAT = 1  # of findings.json
NAME = "findings.json"
SUMS = "published.sha256"
ALL_AT_ONCE = (
    "The last column corrects what is judged for all findings of a study (Holm): where p is below 0.05, a judgement "
    "stands although so many were made."
)
DIGITS = 6  # of a number in a CSV file
COLOURS = 32  # of a figure


def publish(directory: str | Path, into: str | Path) -> Path:
    """Write what is worth keeping of the study in `directory` to the folder `into`; return that folder.

    Raises HeadstartError where the study cannot be read, or a file cannot be written or is not ours. Files are
    replaced whole, and those that an earlier time wrote and this study does not have are removed.
    """
    directory, into = Path(directory), Path(into)
    if os.path.realpath(into) == os.path.realpath(directory):
        raise HeadstartError(f"{into} is the folder of the study itself; choose another one to publish to")
    study = slice_up(tables.read(directory))
    findings = judged(study)
    panels = [each.panel for each in findings if isinstance(each.panel, Panel)]
    found = summary(study, findings)
    tuned = trials.tuning(study)
    shown = [table for panel in panels for table in panel.tables]
    further = shares.table(study), appendix.differed(study)[0], appendix.diverged(study)
    shown += [table for table in further if table]
    shown += [tuned.best, tuned.trials] if tuned else []
    written = {f"tables/{table.slug}.csv": csv_text(table.columns, _short) for table in shown}
    written |= {f"figures/{panel.slug}.png": small_png(panel) for panel in panels}
    written["runs.csv"] = csv_text(varying(study.results.runs), _short)
    written["study.yaml"] = study.results.text.encode()
    written[NAME] = (json.dumps(found, indent=1, ensure_ascii=False) + "\n").encode()
    needs = repeating.needs_of(study.results.settings, directory)
    written |= needs.modules
    written["README.md"] = readme(found, panels, needs).encode()
    ours.replace(into, written, SUMS)
    return into


def summary(study: Study, findings: list[Judged]) -> dict[str, Any]:
    """The verdict, the findings and how the study was run, as plain values."""
    settings, said = study.results.settings, verdict(study)
    return {
        "format": FORMAT,
        "title": str(settings.get("title") or settings.get("name") or ""),
        "task": str(settings.get("task") or ""),
        "model": str(settings.get("model") or ""),
        "setting": str(study.base),
        "starts": list(study.starts),
        "compared": list(contrast(study) or ()),
        "verdict": {
            "where": said.where.text,
            "where_decided": said.where.decided,
            "which": said.which.text,
            "which_decided": said.which.decided,
            "start": said.where.start,
            "against": said.against,
            "gain": number_of(said.gain, "accuracy"),
            "gain_text": points(said.gain) if said.gain else "",
        },
        "findings": [finding_of(each) for each in findings],
        "cautions": appendix.cautions(study),
        "run": how(study),
    }


def finding_of(each: Judged) -> dict[str, Any]:
    known = {"number": each.finding.number, "claim": each.finding.claim, "question": each.panel.heading}
    if not isinstance(each.panel, Panel):
        return {**known, "judgement": each.judgement, "needs": each.panel.need}
    answer = each.panel.answer
    return {
        **known,
        "judgement": each.judgement,
        "answer": answer.says,
        "difference": answer.difference,
        "judged": number_of(answer.judged, answer.unit),
        "p_holm": _short(each.p),
        "sentence": answer.sentence,
        "to_decide": answer.to_decide,
        "figure": each.panel.slug,
    }


def number_of(e: Estimate | None, unit: str) -> dict[str, Any] | None:
    return None if e is None else {name: _short(value) for name, value in asdict(e).items()} | {"unit": unit}


def how(study: Study) -> dict[str, Any]:
    """From the records of the runs and trials, never from the present."""
    runs, settings = study.results.runs, study.results.settings
    ended = sorted(run.ended for run in runs if run.ended)
    return {
        "headstart": _distinct(run.headstart for run in runs),
        "machines": _distinct(run.machine for run in runs),
        "executors": _distinct(run.executor for run in runs),
        "first_ended": ended[0] if ended else None,
        "last_ended": ended[-1] if ended else None,
        "runs": len(runs),
        "planned": study.results.planned,
        "diverged": sum(not run.finished for run in runs),
        "failed": len(study.results.failed),
        "run_seconds": round(sum(run.seconds or 0 for run in runs), 1),
        "trials": len(study.results.trials),
        "trial_seconds": round(sum(trial.get("seconds") or 0 for trial in study.results.trials), 1),
        "seeds": study.seeds,
        "parameters": _distinct(run.parameters for run in runs),
        **{
            key: settings.get(key)
            for key in ("starts", "rounds", "population", "cohort", "batch_size", "target_accuracy")
        },
    }


def _distinct(values: Iterable[Any]) -> list[Any]:
    return sorted({value for value in values if value is not None})


def small_png(panel: Panel) -> bytes:
    """The wide figure in few colours: about a fifth of the full one, and half of its SVG."""
    from PIL import Image

    full = io.BytesIO(render(panel.draw, panel.heights[0], wide=True)["png"])
    few = io.BytesIO()
    Image.open(full).convert("RGB").quantize(COLOURS).save(few, "PNG", optimize=True)
    return few.getvalue()


def varying(runs: tuple[Run, ...]) -> dict[str, list[Any]]:
    """The columns of the runs that are not the same in all of them, and always their seed and what came of them."""
    columns = {each.name: [getattr(run, each.name) for run in runs] for each in fields(Run)}
    kept = ("start", "client", "server", "seed", "status", "test_accuracy", "test_loss")
    # of no use away from the folder
    left_out = ("run", "seconds", "ended", "executor", "executor_fallback", "data", "begun_with")
    return {
        name: values
        for name, values in columns.items()
        if name in kept or (name not in left_out and len(set(values)) > 1)
    }


def _short(value: Any) -> Any:
    return float(f"{value:.{DIGITS}g}") if isinstance(value, float) else value


def readme(found: Mapping[str, Any], panels: list[Panel], needs: repeating.Needs) -> str:
    said, run = found["verdict"], found["run"]
    lines = [
        f"# {escaped(found['title'])}",
        "",
        f"Task {code(found['task'])}, model {code(found['model'])}. Written by `headstart publish`; not to be edited.",
        "",
        f"- **Where to begin.** {escaped(said['where'])}",
        f"- **Which pair.** {escaped(said['which'])}",
        *(f"- **Caution.** {escaped(text)}" for text in found["cautions"]),
        "",
        "## The findings of the paper, here",
        "",
        "[Nguyen et al., ICLR 2023](https://arxiv.org/abs/2206.15387). A difference stands with its 95% interval, "
        f"paired over {count(len(run['seeds']), 'seed')}. {ALL_AT_ONCE}",
        "",
        "| | finding | here | difference | all at once |",
        "|---|---|---|---|---|",
        *(
            row(f["number"], f["claim"], f["judgement"], f.get("difference", ""), p_text(f.get("p_holm")))
            for f in found["findings"]
        ),
        "",
        *(f"{f['number']}. {escaped(told(f))}" for f in found["findings"]),
        "",
        "## How it was run",
        "",
        *(f"- {escaped(line)}" for line in in_words(run)),
        "",
        *repeating.in_words(needs),
        "",
        f"`study.yaml` has every default; `runs.csv` a row a run; `{NAME}` is this page for programs.",
        "",
        "## Figures",
        "",
    ]  # fmt: skip
    for panel in panels:
        lines += [f"### {escaped(panel.heading)}", "", f"![{escaped(panel.heading)}](figures/{panel.slug}.png)", ""]
        sources = listed(f"[{table.slug}.csv](tables/{table.slug}.csv)" for table in panel.tables)
        lines += [f"{escaped(panel.caption)} {sources}.", ""]
    return "\n".join(lines).rstrip() + "\n"


def told(finding: Mapping[str, Any]) -> str:
    """A finding's sentence, or what it would have needed."""
    if "needs" in finding:
        return f"Not asked here: needs {finding['needs']}."
    sentence = finding["sentence"]
    return f"{sentence[:1].upper()}{sentence[1:]} {finding['to_decide']}".rstrip()


def in_words(run: Mapping[str, Any]) -> list[str]:
    """How a study was run, a line a fact."""
    dates = list(dict.fromkeys(run[name][:10] for name in ("first_ended", "last_ended") if run[name]))
    planned = f" of {run['planned']}" if run["planned"] and run["planned"] != run["runs"] else ""
    tuned = f" after {count(run['trials'], 'trial')} of tuning" if run["trials"] else ""
    named = {"rounds": "rounds", "population": "clients", "cohort": "of them a round", "batch_size": "samples a batch"}
    sizes = [f"{run[key]} {name}" for key, name in named.items() if run[key]]
    failed = f", {run['failed']} failed" if run["failed"] else ""
    machines = listed(run["machines"]) or "a machine that its records do not name"
    return [
        f"{run['runs']}{planned} runs{tuned}, seeds {listed(run['seeds'])}; {run['diverged']} diverged{failed}",
        f"starts: {'; '.join(run['starts'] or ['not recorded'])}",
        ", ".join([*sizes, *(f"{n:,} parameters" for n in run["parameters"])]),
        f"headstart {listed(run['headstart']) or '(version not recorded)'} on {machines}",
        f"{run['run_seconds'] + run['trial_seconds']:,.0f} s of computing, all processes together"
        + (f"; {' to '.join(dates)}" if dates else ""),
    ]
