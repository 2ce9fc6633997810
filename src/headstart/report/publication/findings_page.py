"""Finding by finding, what the paper says and what published studies measured: Markdown between two marks of a page."""

import json
import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

from headstart import files
from headstart.errors import HeadstartError
from headstart.paper.findings import FINDINGS, Finding
from headstart.report import own_files as ours
from headstart.report.judgement.findings import NOT_ASKED, labels
from headstart.report.publication import setup
from headstart.report.publication.folder import FORMAT, NAME, SUMS, told
from headstart.report.publication.form import refuse_other_forms
from headstart.report.publication.markdown import escaped, row
from headstart.report.publication.marks import marks, notes
from headstart.report.words.numbers import count, listed, p_text
from headstart.statistics.intervals import LEVEL

MARKS = "<!-- begin headstart findings -->", "<!-- end headstart findings -->"
ORDER = ("holds", "does not hold", "does not show", "undecided", "one start", NOT_ASKED)


def write(folders: Sequence[str | Path], into: str | Path) -> Path:
    """Replace what stands between the marks of the page `into` by what the studies published in `folders` say.

    Each folder is one that `headstart publish` wrote, or holds such folders. Raises HeadstartError where a folder or
    the page is not there, a file is damaged, or the page has no marks.
    """
    into = Path(into)
    if into.is_symlink():
        raise HeadstartError(f"{into} is a link; name the page itself")
    try:
        with files.explained(into, "read"):
            page = into.read_bytes().decode()
    except UnicodeDecodeError as error:
        raise HeadstartError(f"{into}: expected a Markdown page in UTF-8 ({error})") from None
    before, begin, rest = page.partition(MARKS[0])
    _, end, after = rest.partition(MARKS[1])
    if not begin or not end:
        raise HeadstartError(
            f"{into}: expected the marks {MARKS[0]} and {MARKS[1]}; put them where the findings belong"
        )
    text = f"{begin}\n{block(read(folders), into.parent)}{end}"
    if "\r\n" in page:
        text = text.replace("\n", "\r\n")
    files.write(into, f"{before}{text}{after}")
    return into


def read(folders: Iterable[str | Path]) -> dict[Path, Mapping[str, Any]]:
    """What was published in each folder, in the order of the names of folders."""
    found: dict[Path, Mapping[str, Any]] = {}
    for folder in map(Path, folders):
        if not folder.is_dir():
            raise HeadstartError(f"{folder}: not found; expected a folder that `headstart publish` wrote")
        for path in sorted(folder.rglob(NAME)):
            for name in (NAME, "study.yaml"):
                ours.refuse_changed_one(path.parent, name, SUMS)
            found[path.parent] = _open(path)
    return found


def _open(path: Path) -> Mapping[str, Any]:
    try:
        with files.explained(path, "read"):
            found = json.loads(path.read_bytes())
        if not isinstance(found, dict) or found.get("format") != FORMAT:
            raise ValueError(f"format {FORMAT} expected")
        refuse_other_forms(found)
    except (ValueError, RecursionError) as error:
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
    findings = sorted(FINDINGS.values(), key=lambda finding: finding.number)
    parts = [verdicts(links, studies), setups(links, published), matrix(links, studies, findings)]
    parts += [section(finding, names, links, studies) for finding in findings]
    return "\n".join(line for part in parts for line in ["", *part]) + "\n\n"


def verdicts(links: Sequence[str], studies: Sequence[Mapping[str, Any]]) -> list[str]:
    lines = ["## Where to begin", ""]
    for link, study in zip(links, studies, strict=True):
        lines += [
            f"- **{link}**, {how(study)}. {escaped(study['verdict']['where'])} {escaped(study['verdict']['which'])}"
        ]
        lines += [f"  - Caution: {escaped(caution)}" for caution in study["cautions"]]
    return lines


def setups(links: Sequence[str], published: Mapping[Path, Mapping[str, Any]]) -> list[str]:
    lines = ["## How each was set up", "", f"| study | {' | '.join(setup.COLUMNS)} |"]
    lines += [f"|---|{'---|' * len(setup.COLUMNS)}"]
    for link, (folder, study) in zip(links, published.items(), strict=True):
        lines += [f"| {link} {row(*setup.cells(study, setup.settings_of(folder)))}"]
    return lines


def matrix(links: Sequence[str], studies: Sequence[Mapping[str, Any]], findings: Sequence[Finding]) -> list[str]:
    lines = ["## All findings", "", "Bold: it also stands where all findings of a study are asked at once (Holm).", ""]
    lines += [f"| finding | {' | '.join(links)} |", f"|---|{'---|' * len(links)}"]
    for finding in findings:
        answers = [answer_to(finding, study) for study in studies]
        cells = [cell(a) + marks(study, a, studies) for study, a in zip(studies, answers, strict=True)]
        lines += [f"{row(f'{finding.number}. {finding.claim}')} {' | '.join(cells)} |"]
    return lines + noted(lines)


def section(
    finding: Finding, names: Sequence[str], links: Sequence[str], studies: Sequence[Mapping[str, Any]]
) -> list[str]:
    answers = [answer_to(finding, study) for study in studies]
    marked = [marks(study, answer, studies) for study, answer in zip(studies, answers, strict=True)]
    figure = finding.published or "The paper shows this as a picture only; it publishes no number."
    here = agreement([n + m for n, m in zip(names, marked, strict=True)], [answer["judgement"] for answer in answers])
    lines = [f"## Finding {finding.number}: {escaped(finding.claim)}", "", escaped(figure), ""]
    lines += [f"**Here:** {escaped(here)}.", ""]
    lines += ["| task | model | here | difference, 95% interval | all at once | seeds |", "|---|---|---|---|---|---|"]
    for link, study, answer, mark in zip(links, studies, answers, marked, strict=True):
        seeds = (answer.get("judged") or {}).get("n", "")
        p = p_text(answer.get("p_holm"))
        cells = row(study["model"], answer["judgement"] + mark, answer.get("difference", ""), p, seeds)
        lines += [f"| {link} {cells}"]
    lines += noted(lines)
    return [*lines, "", *(f"- {link}: {escaped(told(each))}" for link, each in zip(links, answers, strict=True))]


def answer_to(finding: Finding, study: Mapping[str, Any]) -> Mapping[str, Any]:
    return next(each for each in study["findings"] if each["number"] == finding.number)


def noted(lines: Sequence[str]) -> list[str]:
    """What the marks in these lines mean, each a paragraph."""
    return [part for note in notes(lines) for part in ("", note)]


def cell(answer: Mapping[str, Any]) -> str:
    """
    >>> cell({"judgement": "holds", "p_holm": 0.01}), cell({"judgement": "holds", "p_holm": 0.2})
    ('**holds**', 'holds')
    """
    p = answer.get("p_holm")
    return f"**{answer['judgement']}**" if p is not None and p < 1 - LEVEL else str(answer["judgement"])


def how(study: Mapping[str, Any]) -> str:
    run = study["run"]
    lost = "".join(f", {run[status]} of them {status}" for status in ("diverged", "failed") if run.get(status))
    return escaped(f"{study['model']}, {count(run['runs'], 'run')} over {count(len(run['seeds']), 'seed')}{lost}")


def agreement(names: Sequence[str], judgements: Sequence[str]) -> str:
    """
    >>> agreement(["digits", "femnist", "cifar10"], ["holds", "undecided", "holds"])
    'holds on digits and cifar10; undecided on femnist'
    """
    by_judgement = {j: [n for n, own in zip(names, judgements, strict=True) if own == j] for j in ORDER}
    return "; ".join(f"{judgement} on {listed(found)}" for judgement, found in by_judgement.items() if found)
