"""Finding by finding, what the paper says and what published studies measured: Markdown between two
marks of a page; and between two others, where the page has them, all answers at a glance.
"""

import json
import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, get_args
from urllib.parse import quote

from headstart import files
from headstart.errors import HeadstartError
from headstart.paper.findings import FINDINGS, Finding
from headstart.report import written_files
from headstart.report.judgement.study_names import labels
from headstart.report.publication import answers, setup
from headstart.report.publication.form import Judgement, refuse_other_forms
from headstart.report.publication.markdown import escaped, row
from headstart.report.publication.marks import Published, answer_to, marks, notes
from headstart.report.publication.readme import told
from headstart.report.publication.summary import FORMAT, NAME
from headstart.report.words.numbers import p_text
from headstart.report.words.written_parts import by_name
from headstart.report.written_files import PUBLISHED
from headstart.statistics.intervals import LEVEL
from headstart.tables import STUDY_FILE
from headstart.wording.phrases import count, listed

Marks = tuple[str, str]
MARKS: Marks = "<!-- begin headstart findings -->", "<!-- end headstart findings -->"
AT_A_GLANCE: Marks = "<!-- begin headstart answers -->", "<!-- end headstart answers -->"
ORDER = get_args(Judgement)


def write(folders: Sequence[str | Path], into: str | Path) -> Path:
    """Replace what stands between the marks of the page `into` by what published studies say.

    Each folder is one that `headstart publish` wrote, or holds such folders. A page with marks for
    the answers at a glance gets their table, and beside it a picture of its own name.

    Raises:
        HeadstartError: a folder or the page is not there, a file is damaged, or the page has no
            marks.
    """
    into = Path(into)
    if into.is_symlink():
        raise HeadstartError(f"{into} is a link; name the page itself")
    try:
        with files.explained(into, "read"):
            page = into.read_bytes().decode()
    except UnicodeDecodeError as error:
        raise HeadstartError(f"{into}: expected a Markdown page in UTF-8 ({error})") from None
    published, has_glance = read(folders), AT_A_GLANCE[0] in page
    page = between(page, MARKS, block(published, into.parent, has_glance), into)
    if has_glance:
        shown = into.with_suffix(".png")
        written_files.refuse_foreign(
            shown, answers.CREATOR, "a picture that `headstart findings` drew"
        )
        page = between(page, AT_A_GLANCE, glance(published, into.parent, shown.name), into)
        if published:
            names, _ = named(published, into.parent)
            drawn = answers.picture(names, answers.cells(list(published.values()), names))
            files.write(shown, drawn)
    files.write(into, page)
    return into


def between(page: str, marks: Marks, text: str, path: Path) -> str:
    """The page with another text between two marks.

    Args:
        page: the text of the page.
        marks: the first and the last.
        text: what is to stand there.
        path: of the page, for messages.
    """
    before, begin, rest = page.partition(marks[0])
    _, end, after = rest.partition(marks[1])
    if not begin or not end:
        raise HeadstartError(
            f"{path}: expected the marks {marks[0]} and {marks[1]}; put them where the findings "
            "belong"
        )
    text = f"\n{text}"
    if "\r\n" in page:
        text = text.replace("\n", "\r\n")
    return f"{before}{begin}{text}{end}{after}"


def read(folders: Iterable[str | Path]) -> dict[Path, Published]:
    """What was published in each folder, in the order of the names of folders."""
    found: dict[Path, Published] = {}
    for folder in map(Path, folders):
        if not folder.is_dir():
            raise HeadstartError(
                f"{folder}: not found; expected a folder that `headstart publish` wrote"
            )
        for path in sorted(folder.rglob(NAME)):
            for name in (NAME, STUDY_FILE):
                written_files.refuse_changed_one(path.parent, name, PUBLISHED)
            found[path.parent] = _open(path)
    return found


def _open(path: Path) -> Published:
    try:
        with files.explained(path, "read"):
            found = json.loads(path.read_bytes())
        if not isinstance(found, dict) or found.get("format") != FORMAT:
            raise ValueError(f"format {FORMAT} expected")
        refuse_other_forms(found)
    except (ValueError, RecursionError) as error:
        raise HeadstartError(
            f"{path} is damaged or of another version ({error}); publish the study again"
        ) from None
    return found


NOTHING = "\nNo results are published yet.\n\n"


def named(published: Mapping[Path, Published], page_folder: Path) -> tuple[list[str], list[str]]:
    """What the studies are called, and links to their pages, relative to the folder of this one."""
    described = []
    for study in published.values():
        described.append((by_name(study["task"]), by_name(study["model"]), study["title"]))
    names, links = labels(described), []
    for name, path in zip(names, published, strict=True):
        target = quote(Path(os.path.relpath(path, page_folder)).as_posix())
        links.append(f"[{escaped(name)}]({target}/README.md)")
    return names, links


def glance(published: Mapping[Path, Published], page_folder: Path, picture: str) -> str:
    """The Markdown of all answers at a glance; `picture`: the name of its file."""
    if not published:
        return NOTHING
    names, links = named(published, page_folder)
    found = answers.cells(list(published.values()), names)
    shown = f"![Whether each finding holds, a column a study]({quote(picture)})"
    return "\n".join(["", shown, "", *answers.table(links, found)]) + "\n\n"


def block(published: Mapping[Path, Published], page_folder: Path, has_glance: bool = False) -> str:
    """The Markdown of all findings; links are relative to the folder of the page.

    `has_glance`: whether the page has all answers already.
    """
    if not published:
        return NOTHING
    studies = list(published.values())
    names, links = named(published, page_folder)
    findings = sorted(FINDINGS.values(), key=lambda finding: finding.number)
    parts = [verdicts(links, studies), setups(links, published)]
    if not has_glance:
        parts.append(matrix(links, studies, findings))
    parts += [section(finding, names, links, studies) for finding in findings]
    return "\n".join("\n" + "\n".join(part) for part in parts) + "\n\n"


def verdicts(links: Sequence[str], studies: Sequence[Published]) -> list[str]:
    """The verdict of each study, with its cautions below it."""
    lines = ["## Where to begin", ""]
    for link, study in zip(links, studies, strict=True):
        verdict = study["verdict"]
        said = [*verdict.get("headlines", ()), verdict["where"], verdict["which"]]
        lines.append(f"- **{link}**, {how(study)}. {escaped(' '.join(said))}")
        lines += [f"  - Caution: {escaped(caution)}" for caution in study["cautions"]]
    return lines


def setups(links: Sequence[str], published: Mapping[Path, Published]) -> list[str]:
    """How each study was set up, a row each."""
    lines = ["## How each was set up", "", *_head("study", setup.COLUMNS)]
    for link, (folder, study) in zip(links, published.items(), strict=True):
        lines.append(f"| {link} {row(*setup.cells(study, setup.settings_of(folder)))}")
    return lines


def _head(first: str, columns: Sequence[str]) -> list[str]:
    return [f"| {first} | {' | '.join(columns)} |", f"|---|{'---|' * len(columns)}"]


def matrix(
    links: Sequence[str], studies: Sequence[Published], findings: Sequence[Finding]
) -> list[str]:
    """All judgements at once: a row a finding, a column a study."""
    bold = "Bold: decided, though all findings of a study are asked at once (Holm)."
    lines = ["## All findings", "", bold, "", *_head("finding", links)]
    for finding in findings:
        cells = []
        for study in studies:
            answer = answer_to(finding.number, study)
            cells.append(cell(answer) + marks(study, answer, studies))
        lines.append(f"{row(f'{finding.number}. {finding.claim}')} {' | '.join(cells)} |")
    return lines + noted(lines)


def section(
    finding: Finding,
    names: Sequence[str],
    links: Sequence[str],
    studies: Sequence[Published],
) -> list[str]:
    """What the paper says of a finding, and what each study does."""
    published = finding.published
    if not published:
        published = "The paper shows this as a picture only; it publishes no number."
    by_judgement: dict[str, list[str]] = {}
    rows, sentences = [], []
    for name, link, study in zip(names, links, studies, strict=True):
        answer = answer_to(finding.number, study)
        mark = marks(study, answer, studies)
        by_judgement.setdefault(answer["judgement"], []).append(name + mark)
        rows.append(f"| {link} {row(study['model'], *measured(answer, mark))}")
        sentences.append(f"- {link}: {escaped(told(answer))}")
    return [
        f"## Finding {finding.number}: {escaped(finding.claim)}",
        "",
        escaped(published),
        "",
        f"**Here:** {escaped(agreement(by_judgement))}.",
        "",
        "| task | model | here | difference, 95% interval | all at once | seeds |",
        "|---|---|---|---|---|---|",
        *rows,
        *noted(rows),
        "",
        *sentences,
    ]


def measured(answer: Mapping[str, Any], mark: str) -> tuple[str, str, str, object]:
    """The judgement with its marks, the difference, p, and the seeds of an answer."""
    judged = answer.get("judged") or {}
    difference, p = answer.get("difference", ""), p_text(answer.get("p_holm"))
    return answer["judgement"] + mark, difference, p, judged.get("n", "")


def noted(lines: Sequence[str]) -> list[str]:
    """What the marks in these lines mean, each a paragraph."""
    paragraphs = []
    for note in notes(lines):
        paragraphs += ["", note]
    return paragraphs


def cell(answer: Mapping[str, Any]) -> str:
    """A judgement, bold where it stands among all.

    >>> cell({"judgement": "holds", "p_holm": 0.01}), cell({"judgement": "holds", "p_holm": 0.2})
    ('**holds**', 'holds')
    """
    p = answer.get("p_holm")
    is_sure = p is not None and p < 1 - LEVEL
    return f"**{answer['judgement']}**" if is_sure else str(answer["judgement"])


def how(study: Published) -> str:
    """The model of a study, and how many runs and seeds it had."""
    run = study["run"]
    lost = ""
    for status in ("diverged", "failed"):
        if run.get(status):
            lost += f", {run[status]} of them {status}"
    runs, seeds = count(run["runs"], "run"), count(len(run["seeds"]), "seed")
    return escaped(f"{study['model']}, {runs} over {seeds}{lost}")


def agreement(by_judgement: Mapping[str, Sequence[str]]) -> str:
    """Which judgement is that of which studies.

    >>> agreement({"undecided": ["femnist"], "holds": ["digits", "cifar10"]})
    'holds on digits and cifar10; undecided on femnist'
    """
    ordered = sorted(by_judgement, key=ORDER.index)
    return "; ".join(f"{each} on {listed(by_judgement[each])}" for each in ordered)
