"""The card of a trained model: what it is, how it was trained, how good it is, how to repeat it.

Its header is YAML, as huggingface.co/docs/hub/model-cards has it.
"""

from collections.abc import Mapping
from typing import Any

import yaml

from headstart.report.words.numbers import percent
from headstart.results.model_file import Found
from headstart.results.study_results import Results, interval
from headstart.tables import STUDY_FILE

TEXT = """\
# {name}

{what}

| | |
|---|---|
| task | `{task}` |
| model | `{model}`, {parameters:,} parameters{trainable} |
| start | `{start}`{begun_with} |
| clients | `{client}`, rate {client_rate:g} |
| server | `{server}`, rate {server_rate:g} |
| rounds | {rounds}, {cohort} of {population} clients in each, {local_epochs:g} local epochs |
| data | partition `{partition}`, devices `{devices}`{data} |
| seed | {seed} |

## How good it is

{metrics}

{optimistic}

## What the study says

{verdict}

## How to use it

```python
from safetensors.torch import load_file

module.load_state_dict(load_file("model.safetensors"))
```

`module` is the study's model, `{model}`; its inputs are the rows of the task as the study has them.

## How to repeat it

Trained in simulation by Headstart {headstart}, run `{run}`. The study file below runs this start
and this pair alone: `headstart run {study_file} --out out`.

```yaml
{study}```
"""

METRICS = {"test_accuracy": "accuracy", "test_loss": "loss, in nats"}
"""The columns of a run that the card tells, and what they are."""


def card(results: Results, model: Found) -> str:
    """Write the card of a model of a study."""
    row, settings = model.row, results.settings
    name = f"{settings.get('name') or 'study'}-{str(row['run'])[:8]}"
    chosen = results.verdict.choice
    is_chosen = chosen is not None and f"runs/{row['run']}/" in chosen.weights
    study = chosen.study if chosen is not None and is_chosen else ""
    said = {
        **row,
        "name": name,
        "what": ". ".join(model.told) + ".",
        "trainable": "" if row["trainable"] == "all" else f", of which {row['trainable']}",
        "begun_with": f": {row['begun_with']}" if row["begun_with"] else "",
        "data": f"; {row['data']}" if row["data"] else "",
        "cohort": settings["cohort"],
        "population": settings["population"],
        "metrics": _metrics(model, str(settings["evaluate_on"])),
        "optimistic": _optimistic(model),
        "verdict": results.verdict.text,
        "study_file": STUDY_FILE,
        "study": study or _whole(results),
    }
    header = _header(name, row, str(settings["evaluate_on"]))
    return f"---\n{header}---\n\n{TEXT.format(**said)}"


def _header(name: str, row: Mapping[str, Any], split: str) -> str:
    results, metrics = [], []
    for column, said in METRICS.items():
        if row[column] is not None:
            measured = column.removeprefix("test_")
            value = round(float(row[column]), 6)
            metrics.append({"type": measured, "name": said, "value": value})
    data = {"name": str(row["task"]), "type": str(row["task"]), "split": split}
    if metrics:
        kind = {"type": "other", "name": str(row["task"])}
        results.append({"task": kind, "dataset": data, "metrics": metrics})
    header: dict[str, Any] = {
        "library_name": "pytorch",
        "tags": ["federated-learning", "headstart"],
    }
    if results:
        header["model-index"] = [{"name": name, "results": results}]
    return yaml.safe_dump(header, sort_keys=False, allow_unicode=True, width=1000)


def _metrics(model: Found, split: str) -> str:
    """What was measured, of this run and of all seeds of its start and pair."""
    lines = [f"| on the {split} split | this run, at its end | mean over seeds |", "|---|---|---|"]
    row, best = model.row, model.best
    if row["test_accuracy"] is not None:
        mean = interval(best.accuracy) if best is not None else ""
        lines.append(f"| {METRICS['test_accuracy']} | {percent(row['test_accuracy'])} | {mean} |")
    if row["test_loss"] is not None:
        lines.append(f"| {METRICS['test_loss']} | {row['test_loss']:.3f} | |")
    return "\n".join(lines)


def _optimistic(model: Found) -> str:
    """What flatters the figures."""
    best = model.best
    if best is None or len(best.runs) == 1:
        return "One run was measured, so nothing is known of how much it varies from seed to seed."
    return (
        f"The run is one of {len(best.runs)} seeds. Where it was picked as the highest of them, "
        "its own figure is too good; the mean is what to expect."
    )


def _whole(results: Results) -> str:
    """The study that it is a run of, where no shorter file runs it."""
    return yaml.safe_dump(dict(results.settings), sort_keys=False, allow_unicode=True, width=1000)
