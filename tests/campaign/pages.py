"""Studies with hostile texts everywhere, reported, published,
compared and put on the page of findings.
"""

import csv
import html.parser
import re
import shutil
import xml.etree.ElementTree as ElementTree
from collections.abc import Callable, Iterator
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np
from tests.campaign.frame import Case, Ended, ends_well
from tests.report.conftest import make_study

from headstart.report.publication.findings_page import MARKS
from headstart.report.publication.folder import publish
from headstart.report.words.table import FORMULA
from headstart.wording.escapes import printable

FRAGMENTS = (
    "<script>alert(1)</script>", "<img src=x onerror=alert(1)>", "</title></style></svg>", "<!--",
    "-->", "]]>", "`", "``", "```\n", "**", "_a_", "[x](javascript:alert(1))",
    "![i](http://example.org/i.png)", "|", "\\", "$x_1$", "&amp;", "&#60;script>", "\"'",
    "' onmouseover='alert(1)", "=1+1", "+cmd|' /C calc'!A0", "-mu", "@SUM(1)", "\t=1", "\x1b[2J",
    "\x1b]0;t\x07", "\x00", "\r", "\u202e", "\u2028", "\ufeff", "\u200d", "\uff1d1", "{{ 7 * 7 }}",
    "{% raw %}", "%s%n", "../../x", "$(touch x)", "; rm -rf x", "Köln", "東京",
    "\U0001f469\u200d\U0001f52c", "\u0301" * 9, "x" * 400,
    "# h", "- item", "1. one", "> q", "~~s~~", "<b>", "https://example.org/<b>", "\\end{document}",
    "%", "^^5c", "nan",
)  # fmt: skip
OURS = (
    f"<script>{resources.files('headstart.report.pages').joinpath('page.js').read_text()}</script>"
)
FOLDERS = ("study", "a b", "a;b", "$(x)", "`x`", "-dash", "<b>", "Köln", "a'b", 'a"b', "%41", "#a")


def cases(seed: int, folder: Path) -> Iterator[Case]:
    """A study a case; what it writes must hold its texts as text."""
    generator = np.random.default_rng(seed)
    kinds = (_report, _publish, _compare, _findings, _into_a_repository)
    for number in range(10**9):
        for path in folder.iterdir():
            shutil.rmtree(path) if path.is_dir() else path.unlink()
        name = str(generator.choice(FOLDERS))
        study = _study(generator, folder / name)
        yield kinds[number % len(kinds)](study, folder, number)


def _study(generator: np.random.Generator, path: Path) -> Path:
    def text() -> str:
        chosen = generator.choice(len(FRAGMENTS), size=generator.integers(1, 4))
        return "".join(FRAGMENTS[i] for i in chosen)

    def is_kept(row: dict[str, Any]) -> bool:
        return row["client"] in ("sgd", "nova") and row["server"] == "adam"

    rename = {
        name: f"{name}({text()})"
        for name in ("proxy", "nova", "adam", "iid")
        if generator.random() < 0.7
    }
    return make_study(
        path, str(generator.choice(["clear", "contrary", "undecided"])),
        starts=("random", "proxy") if generator.random() < 0.8 else ("proxy",),
        seeds=tuple(range(generator.integers(1, 4))), keep=is_kept, rename=rename,
        diverge=lambda row: bool(row["client"] == "nova" and row["seed"] == 1),
        title=text(), name=text(), task=f"table(path={text()!r})", model=text(),
    )  # fmt: skip


def _report(study: Path, folder: Path, number: int) -> Case:
    return Case(f"report {number}", ("report", f"./{study.name}"), _holds_text_as_text, folder)


def _publish(study: Path, folder: Path, number: int) -> Case:
    command = ("publish", f"./{study.name}", "--into", "kept")
    return Case(f"publish {number}", command, _holds_text_as_text, folder)


def _compare(study: Path, folder: Path, number: int) -> Case:
    command = ("compare", f"./{study.name}", f"./{study.name}", "--into", "page.html")
    return Case(f"compare {number}", command, _holds_text_as_text, folder)


def _findings(study: Path, folder: Path, number: int) -> Case:
    publish(study, folder / f"kept {study.name}")
    (folder / "page.md").write_text(f"# Mine\n{MARKS[0]}\n{MARKS[1]}\n")
    command = ("findings", f"./kept {study.name}", "--into", "page.md")
    return Case(f"findings {number}", command, _holds_text_as_text, folder)


def _into_a_repository(study: Path, folder: Path, number: int) -> Case:
    mine = {"README.md": "mine", "figures/mine.png": "mine", "study.yaml": "mine"}
    for name, text in mine.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(text)

    def kept(ended: Ended) -> str:
        if ended.status != 2 or ends_well(ended):
            return ends_well(ended) or "a repository was written to"
        lost = [name for name, text in mine.items() if (folder / name).read_text() != text]
        return f"{lost[0]} was overwritten" if lost else ""

    return Case(
        f"into a repository {number}", ("publish", f"./{study.name}", "--into", "."), kept, folder
    )


def _holds_text_as_text(ended: Ended) -> str:
    if wrong := ends_well(ended) or ("" if ended.status == 0 else ended.err):
        return wrong
    if printable(ended.out) != ended.out:
        return "a control character on standard output"
    for path in sorted(ended.folder.rglob("*")):
        if (check := CHECKS.get(path.suffix)) and path.is_file() and (wrong := check(path)):
            return f"{path.name}: {wrong}"
    return ""


class _Tags(html.parser.HTMLParser):
    """Collects what a browser would carry out, or would not close."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.wrong = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        active = [
            name
            for name, value in attrs
            if name.startswith("on") or (value or "").startswith("javascript:")
        ]
        if tag in ("script", "img", "iframe", "b") or active:
            self.wrong = self.wrong or f"<{tag} {' '.join(active)}>"


def _html(path: Path) -> str:
    text = path.read_text(encoding="utf-8")
    if OURS in text:  # the one that the page's policy names
        text = text.replace(OURS, "", 1)
    return _Tags(text).wrong or ("a control character" if printable(text) != text else "")


def _markdown(path: Path) -> str:
    text = path.read_text(encoding="utf-8")
    if found := re.search(r"<(?!/?code>|!-- (?:begin|end) headstart)[a-zA-Z/!]", text):
        return f"a raw tag {text[found.start() : found.start() + 20]!r}"
    for line in text.splitlines():
        if not line.startswith("```") and _has_open_code(line):
            return f"an open code span in {line[:80]!r}"
    return "a control character" if printable(text) != text else ""


def _has_open_code(line: str) -> bool:
    """Whether backticks begin a code span that does not end: outside of one,
    a backslash escapes what follows.
    """
    at = 0
    while found := re.compile(r"\\.|(`+)").search(line, at):
        at = found.end()
        if found[1]:
            end = re.compile(rf"(?<!`){found[1]}(?!`)").search(line, at)
            if end is None:
                return True
            at = end.end()
    return False


def _table(path: Path) -> str:
    with path.open(encoding="utf-8", newline="") as opened:
        for row in csv.reader(opened):
            for cell in row:
                if cell.startswith(FORMULA) and not re.fullmatch(
                    r"[-+]?[\d.]+(e[-+]?\d+)?|-?inf|-?nan", cell
                ):
                    return f"a formula {cell[:40]!r}"
    return ""


def _figure(path: Path) -> str:
    try:
        ElementTree.parse(path)
    except ElementTree.ParseError as error:
        return f"no XML ({error})"
    return ""


CHECKS: dict[str, Callable[[Path], str]] = {
    ".html": _html,
    ".md": _markdown,
    ".csv": _table,
    ".svg": _figure,
}
