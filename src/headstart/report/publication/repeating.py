"""How a published study is repeated, in the lines of its README."""

from headstart.parts.origin import KEPT
from headstart.report.appendix.needs import Needs
from headstart.report.publication.markdown import code
from headstart.wording.phrases import listed

RUN = "headstart run study.yaml --out out"
SAME = "   # the same clients, batches and order, so the same results"


def in_words(needs: Needs) -> list[str]:
    """The lines of a README on how to repeat the study."""
    if needs.given:
        return [
            f"A Python program gave this study {listed(map(code, needs.given))}, which "
            "`study.yaml` names and does not hold: run that program to repeat it.",
            *_to_have(needs),
        ]
    allow = "".join(f" --allow {name}" for name in needs.elsewhere)
    command = f"{RUN}{allow}{SAME}"
    return [*_to_have(needs), "```bash", command, "headstart publish out --into again", "```"]


def _to_have(needs: Needs) -> list[str]:
    """What must be there before the study is run again, each with an empty line behind it."""
    lines = []
    if needs.paths:
        names = listed(map(code, needs.paths))
        lines += [
            f"Not in this folder, and to be put in place first: {names} (a path that does not "
            "begin with `/`, `~` or `$` is looked up beside `study.yaml`).",
            "",
        ]
    if needs.modules:
        copies = f"`{KEPT}/` has copies of the study's own modules: code that runs with it."
        lines += [copies, ""]
    if needs.elsewhere:
        names = listed(map(code, needs.elsewhere))
        first = "Not in this folder, and to be installed first"
        lines += [f"{first}: the Python modules {names}.", ""]
    return lines
