"""The README of a published study: the verdict, the findings, how it was run and how to
repeat it.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from headstart.report.appendix.needs import Needs
from headstart.report.panels.base import Panel
from headstart.report.publication import repeating
from headstart.report.publication.markdown import code, escaped, row
from headstart.report.publication.summary import NAME
from headstart.report.words.numbers import p_text
from headstart.report.words.remarks import capital
from headstart.report.words.written_parts import by_name
from headstart.wording.phrases import count, listed

ALL_AT_ONCE = (
    "What is judged stands although so many findings are asked: p, in the last column, is "
    "corrected for all of a study (Holm), and below 0.05."
)
SIZES = {
    "rounds": "rounds",
    "population": "clients",
    "cohort": "of them a round",
    "batch_size": "samples a batch",
}


def readme(summary: Mapping[str, Any], panels: Sequence[Panel], needs: Needs) -> str:
    """The whole text, as Markdown; `summary`: what `findings.json` holds."""
    said, run = summary["verdict"], summary["run"]
    title, seeds = escaped(summary["title"]), count(len(run["seeds"]), "seed")
    task, model = code(by_name(summary["task"])), code(by_name(summary["model"]))
    of_what = f"Task {task}, model {model}."
    lines = [
        f"# {title}",
        "",
        f"{of_what} Written by `headstart publish`; not to be edited.",
        "",
        *map("- **First.** {}".format, map(escaped, said["headlines"])),
        f"- **Where to begin.** {escaped(said['where'])}",
        f"- **With what.** {escaped(said['which'])}",
        *beside_the_verdict(said),
        *map("- **Caution.** {}".format, map(escaped, summary["cautions"])),
        "",
        "## The findings of the paper, here",
        "",
        "[Nguyen et al., ICLR 2023](https://arxiv.org/abs/2206.15387). A difference stands with "
        f"its 95% interval, paired over {seeds}. {ALL_AT_ONCE}",
        "",
        "| | finding | here | difference | all at once |",
        "|---|---|---|---|---|",
        *map(matrix_row, summary["findings"]),
        "",
        *[f"{each['number']}. {escaped(told(each))}" for each in summary["findings"]],
        "",
        "## How it was run",
        "",
        *map("- {}".format, map(escaped, in_words(run))),
        "",
        *repeating.in_words(needs),
        "",
        f"`study.yaml` has every default; `runs.csv` a row a run; `{NAME}` is this page for "
        "programs.",
        "",
        "## Figures",
        "",
    ]
    for panel in panels:
        heading = escaped(panel.heading)
        sources = listed(f"[{t.slug}.csv](tables/{t.slug}.csv)" for t in panel.tables)
        lines += [f"### {heading}", "", f"![{heading}](figures/{panel.slug}.png)", ""]
        lines += [f"{escaped(panel.caption)} {sources}.", ""]
    return "\n".join(lines).rstrip() + "\n"


BESIDE = {"sure": "How sure", "cost": "At what cost", "why": "Why", "left": "What is left"}
"""What stands with a verdict, by its key and its name."""


def beside_the_verdict(said: Mapping[str, Any]) -> list[str]:
    """How sure a verdict is, at what cost, why, and what is left, where it says so."""
    lines = []
    for key, name in BESIDE.items():
        if said.get(key):
            lines.append(f"- **{name}.** {escaped(said[key])}")
    return lines


def matrix_row(finding: Mapping[str, Any]) -> str:
    """A finding as a row of the table."""
    p = p_text(finding.get("p_holm"))
    known = finding["number"], finding["claim"], finding["judgement"]
    return row(*known, finding.get("difference", ""), p)


def told(finding: Mapping[str, Any]) -> str:
    """A finding's sentence, or what it would have needed."""
    if "needs" in finding:
        return f"Not asked here: needs {finding['needs']}."
    return f"{capital(finding['sentence'])} {finding['to_decide']}".rstrip()


def in_words(run: Mapping[str, Any]) -> list[str]:
    """How a study was run, a line a fact."""
    ended = run["first_ended"], run["last_ended"]
    dates = dict.fromkeys(date[:10] for date in ended if date)
    planned = f" of {run['planned']}" if run["planned"] not in (None, run["runs"]) else ""
    tuned = f" after {count(run['trials'], 'trial')} of tuning" if run["trials"] else ""
    failed = f", {run['failed']} failed" if run["failed"] else ""
    sizes = [f"{run[key]} {name}" for key, name in SIZES.items() if run[key]]
    sizes += [f"{n:,} parameters" for n in run["parameters"]]
    machines = listed(run["machines"]) or "a machine that its records do not name"
    seconds = f"{run['run_seconds'] + run['trial_seconds']:,.0f} s of computing"
    when = f"; {' to '.join(dates)}" if dates else ""
    return [
        f"{run['runs']}{planned} runs{tuned}, seeds {listed(run['seeds'])}; "
        f"{run['diverged']} diverged{failed}",
        f"starts: {'; '.join(run['starts'] or ['not recorded'])}",
        ", ".join(sizes),
        f"headstart {listed(run['headstart']) or '(version not recorded)'} on {machines}",
        f"{seconds}, all processes together{when}",
    ]
