"""Finding by finding, what the paper says and what published studies measured: Markdown between two marks of a page."""

import json
import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

from headstart import files
from headstart.errors import HeadstartError
from headstart.report.answers import count, listed, p_text
from headstart.report.findings import FINDINGS
from headstart.report.judged import NOT_ASKED, labels
from headstart.report.markdown import escaped, row
from headstart.report.publish import FORMAT, NAME, told
from headstart.study.statistics import LEVEL

MARKS = "<!-- begin headstart findings -->", "<!-- end headstart findings -->"
ORDER = ("holds", "does not hold", "does not show", "undecided", "one start", NOT_ASKED)


def write(folders: Sequence[str | Path], into: str | Path) -> Path:
    """Replace what stands between the marks of the page `into` by what the studies published in `folders` say.

    Each folder is one that `headstart publish` wrote, or holds such folders. Raises HeadstartError where a folder or
    the page is not there, a file is damaged, or the page has no marks.
    """
    into = Path(into)
    with files.explained(into, "read"):
        page = into.read_text(encoding="utf-8")
    before, begin, rest = page.partition(MARKS[0])
    _, end, after = rest.partition(MARKS[1])
    if not begin or not end:
        raise HeadstartError(
            f"{into}: expected the marks {MARKS[0]} and {MARKS[1]}; put them where the findings belong"
        )
    files.write(into, f"{before}{begin}\n{block(read(folders), into.parent)}{end}{after}")
    return into


def read(folders: Iterable[str | Path]) -> dict[Path, Mapping[str, Any]]:
    """What was published in each folder, in the order of the names of folders."""
    found: dict[Path, Mapping[str, Any]] = {}
    for folder in map(Path, folders):
        if not folder.is_dir():
            raise HeadstartError(f"{folder}: not found; expected a folder that `headstart publish` wrote")
        for path in sorted(folder.rglob(NAME)):
            found[path.parent] = _open(path)
    return found


def _open(path: Path) -> Mapping[str, Any]:
    try:
        with files.explained(path, "read"):
            found = json.loads(path.read_bytes())
        known = {"title", "task", "model", "verdict", "findings", "cautions", "run"}
        if not isinstance(found, dict) or found.get("format") != FORMAT or not known <= found.keys():
            raise ValueError(f"format {FORMAT} expected")
    except ValueError as error:
        raise HeadstartError(f"{path} is damaged or of another version ({error}); publish the study again") from None
    return found


def block(published: Mapping[Path, Mapping[str, Any]], page_folder: Path) -> str:
    """The Markdown of all findings; links are relative to the folder of the page."""
    if not published:
        return "\nNo results are published yet.\n\n"
    studies = list(published.values())
    names = labels([(s["task"], s["model"], s["title"]) for s in studies])
    links = [
        f"[{escaped(name)}]({quote(Path(os.path.relpath(path, page_folder)).as_posix())}/README.md)"
        for name, path in zip(names, published, strict=True)
    ]
    by_number = [{each["number"]: each for each in study["findings"]} for study in studies]
    findings = sorted(FINDINGS.values(), key=lambda finding: finding.number)
    lines = ["", "## Where to begin", ""]
    for link, study in zip(links, studies, strict=True):
        lines += [
            f"- **{link}**, {how(study)}. {escaped(study['verdict']['where'])} {escaped(study['verdict']['which'])}"
        ]
        lines += [f"  - Caution: {escaped(caution)}" for caution in study["cautions"]]
    lines += [
        "",
        "## All findings",
        "",
        "Bold: it also stands where all findings of a study are asked at once (Holm).",
        "",
    ]
    lines += [f"| finding | {' | '.join(links)} |", f"|---|{'---|' * len(links)}"]
    lines += [
        f"{row(f'{finding.number}. {finding.claim}')} {' | '.join(cell(each[finding.number]) for each in by_number)} |"
        for finding in findings
    ]
    for finding in findings:
        answers = [each[finding.number] for each in by_number]
        figure = finding.figure or "The paper shows this as a picture only; it publishes no number."
        lines += ["", f"## Finding {finding.number}: {escaped(finding.claim)}", "", escaped(figure), ""]
        lines += [f"**Here:** {escaped(agreement(names, [answer['judgement'] for answer in answers]))}.", ""]
        lines += [
            "| task | model | here | difference, 95% interval | all at once | seeds |",
            "|---|---|---|---|---|---|",
        ]
        for link, study, answer in zip(links, studies, answers, strict=True):
            seeds = (answer.get("judged") or {}).get("n", "")
            p = p_text(answer.get("p_holm"))
            cells = row(study["model"], answer["judgement"], answer.get("difference", ""), p, seeds)
            lines += [f"| {link} {cells}"]
        lines += ["", *(f"- {link}: {escaped(told(each))}" for link, each in zip(links, answers, strict=True))]
    return "\n".join(lines) + "\n\n"


def cell(answer: Mapping[str, Any]) -> str:
    """
    >>> cell({"judgement": "holds", "p_holm": 0.01}), cell({"judgement": "holds", "p_holm": 0.2})
    ('**holds**', 'holds')
    """
    p = answer.get("p_holm")
    return f"**{answer['judgement']}**" if p is not None and p < 1 - LEVEL else str(answer["judgement"])


def how(study: Mapping[str, Any]) -> str:
    run = study["run"]
    lost = f", {run['diverged']} of them diverged" if run["diverged"] else ""
    return escaped(f"{study['model']}, {count(run['runs'], 'run')} over {count(len(run['seeds']), 'seed')}{lost}")


def agreement(names: Sequence[str], judgements: Sequence[str]) -> str:
    """
    >>> agreement(["digits", "femnist", "cifar10"], ["holds", "undecided", "holds"])
    'holds on digits and cifar10; undecided on femnist'
    """
    by_judgement = {j: [n for n, own in zip(names, judgements, strict=True) if own == j] for j in ORDER}
    return "; ".join(f"{judgement} on {listed(found)}" for judgement, found in by_judgement.items() if found)
