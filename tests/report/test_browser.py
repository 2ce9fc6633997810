"""The page in a real browser: no error, no request, no horizontal scroll, no text cut or on top of
another.

A copy of the page gets a script that reports to a frame around it: headless Chromium opens no
window narrower than 500 px, a frame may have any width. No dependency but the browser.
"""

import html
import json
import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from headstart.report.pages import comparison as compare
from headstart.report.pages import study_page as page

CHROMIUM = next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None
)
pytestmark = pytest.mark.skipif(
    CHROMIUM is None, reason="no Chromium on this machine (Debian: apt install chromium)"
)

POLICY = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data:"
SPY = """
<script>
const seen = {errors: [], blocked: []};
addEventListener("error", e => seen.errors.push(String(e.message || e.target)), true);
addEventListener("securitypolicyviolation", e => seen.blocked.push(e.blockedURI));
for (const kind of ["error", "warn"])
  console[kind] = (...words) => seen.errors.push(words.join(" "));
addEventListener("load", () => {
  if (OPEN) document.querySelectorAll("details").forEach(d => d.open = true);
  const boxes = [...document.querySelectorAll("svg text")].filter(t => t.textContent.trim())
    .map(t => [t.closest("section").querySelector("h2").id, t.textContent.trim(),
      t.getBoundingClientRect(), t.closest("svg").getBoundingClientRect()])
    .filter(([, , r]) => r.width > 0);
  const width = document.documentElement.clientWidth, overlaps = [];
  boxes.forEach(([f, a, r], i) => boxes.slice(i + 1).forEach(([g, b, s]) => {
    const x = Math.min(r.right, s.right) - Math.max(r.left, s.left);
    const y = Math.min(r.bottom, s.bottom) - Math.max(r.top, s.top);
    if (f == g && x > 1 && y > 0.35 * Math.min(r.height, s.height))
      overlaps.push(f + ": " + a + " | " + b);
  }));
  const heading = document.querySelector(".panel table.sortable thead th.n"), falling = [];
  if (heading) {
    for (const click of [1, 2]) heading.querySelector("button").click();
    const column = heading.cellIndex, rows = heading.closest("table").tBodies[0].rows;
    for (const row of rows) falling.push(row.cells[column].textContent.trim());
  }
  parent.postMessage({...seen, width, falling,
    copies: document.querySelectorAll("pre.copied button").length,
    scroll: document.documentElement.scrollWidth, overlaps, texts: boxes.length,
    smallest: Math.min(...boxes.map(([, , r]) => r.height)),
    cut: boxes.filter(([, , r, s]) => r.left < s.left - 1 || r.right > s.right + 1)
      .map(([f, t]) => f + ": " + t),
    paper: getComputedStyle(document.body).backgroundColor,
    resources: performance.getEntriesByType("resource").map(e => e.name)}, "*");
});
</script>
"""


def visit(report: Path, width: int, dark: bool = False, opened: bool = False) -> dict[str, Any]:
    """Open a copy of the page in a frame of this width and return what it saw."""
    text = report.read_text()
    head = f'<head><meta http-equiv="Content-Security-Policy" content="{POLICY}">'
    head += SPY.replace("OPEN", json.dumps(opened))
    copy, frame = report.with_name("copy.html"), report.with_name("frame.html")
    copy.write_text(text.replace("<head>", head, 1))
    frame.write_text(
        '<iframe src="copy.html" '
        f'style="width:{width}px;height:4000px;border:0"></iframe><pre></pre><script>'
        "onmessage = m => document.querySelector('pre').textContent = "
        "JSON.stringify(m.data)</script>"
    )
    assert CHROMIUM is not None
    command = [
        CHROMIUM, "--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking",
        "--no-first-run", "--hide-scrollbars", "--window-size=1600,1200",
        "--virtual-time-budget=8000", "--enable-logging=stderr",
        f"--user-data-dir={report.parent / 'profile'}",
        f"--blink-settings=preferredColorScheme={0 if dark else 1}", "--dump-dom", frame.as_uri(),
    ]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)
    message = re.search(r"<pre>(\{.*?\})</pre>", done.stdout, re.DOTALL)
    assert message, f"the page did not report: {done.stderr[-2000:]}"
    found: dict[str, Any] = json.loads(html.unescape(message.group(1)))
    found["console"] = [line for line in done.stderr.splitlines() if ":CONSOLE" in line]
    return found


@pytest.fixture(scope="module")
def report(make: Callable[..., Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    return page.write(make(tmp_path_factory.mktemp("browser") / "clear"))


@pytest.mark.parametrize("opened", [False, True], ids=["closed", "opened"])
@pytest.mark.parametrize("width", [1280, 390])
def test_page_is_quiet_and_fits(report: Path, width: int, opened: bool) -> None:
    found = visit(report, width, opened=opened)
    assert (found["errors"], found["console"]) == ([], [])
    assert (found["blocked"], found["resources"]) == ([], [])
    assert (found["width"], found["scroll"]) == (width, width)


def test_tables_sort_by_their_headings_and_commands_can_be_copied(report: Path) -> None:
    found = visit(report, 1280)
    numbers = [
        float(text.replace("\u2212", "-").rstrip("%"))
        for text in found["falling"]
        if text != "\u2013"
    ]
    assert len(set(numbers)) > 2
    assert numbers == sorted(numbers, reverse=True)
    assert found["copies"] == report.read_text().count("<pre")


@pytest.mark.parametrize("width", [1280, 390])
def test_text_in_figures_is_legible(report: Path, width: int) -> None:
    found = visit(report, width)
    assert found["texts"] > 150  # nine panels
    assert (found["cut"], found["overlaps"]) == ([], [])
    assert found["smallest"] >= 9.5  # pixels of line height, about 8 px of letters


def test_long_names_diverged_runs_and_many_starts_fit(
    make: Callable[..., Path], tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = "a/very/long/path/to/some"
    long = [
        f"checkpoint(path='{path}/{word}-of-a-large-model.safetensors')"
        for word in ("letters", "digits", "faces")
    ]
    folder = make(
        tmp_path_factory.mktemp("browser") / "long",
        starts=("random", "proxy", *long, "hub", "head-first", "mine:start(width=64, depth=12)"),
        rename={"nova": "a-client-optimizer-with-a-long-name(parameter=0.123456789)"},
        diverge=lambda row: row["client"] == "mimelite" and row["seed"] == 0,
        title="W" * 60,
    )
    report = page.write(folder)
    for width in (390, 1280):
        found = visit(report, width, opened=True)
        assert (found["errors"], found["console"], found["scroll"]) == ([], [], width)
        assert (found["cut"], found["overlaps"]) == ([], [])


def test_page_and_figures_follow_the_theme(report: Path) -> None:
    assert visit(report, 1280)["paper"] == "rgb(253, 253, 252)"
    assert visit(report, 1280, dark=True)["paper"] == "rgb(20, 23, 28)"


@pytest.fixture(scope="module")
def compared(make: Callable[..., Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three tasks: all findings, some diverged runs with a long name,
    and a study of one seed and few findings.
    """
    root = tmp_path_factory.mktemp("compared")
    folders = [
        make(root / "clear", task="digits"),
        make(
            root / "contrary",
            "contrary",
            task="W" * 40,
            diverge=lambda row: row["client"] == "mimelite",
        ),
        make(
            root / "small",
            task="cifar10",
            seeds=(0,),
            keep=lambda row: row["client"] in ("sgd", "gd"),
        ),
    ]
    return compare.write(folders, root / "page.html")


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_page_over_several_tasks_is_quiet_and_fits(compared: Path, width: int, dark: bool) -> None:
    found = visit(compared, width, dark=dark, opened=True)
    assert (found["errors"], found["console"], found["blocked"], found["resources"]) == (
        [],
        [],
        [],
        [],
    )
    assert (found["width"], found["scroll"]) == (width, width)
    assert (found["cut"], found["overlaps"]) == ([], [])
    assert found["texts"] > 400
    assert found["smallest"] >= 9.5
    assert found["paper"] == ("rgb(20, 23, 28)" if dark else "rgb(253, 253, 252)")
