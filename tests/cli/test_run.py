"""`headstart run`: its lines, its bar, and what becomes of a study then."""

import os
import pty
import re
import select
import subprocess
import sys
from pathlib import Path

import pytest
from tests.cli.conftest import OWN, STUDY, headstart, invoke

from headstart.report.publication.findings_page import MARKS
from headstart.study.runner import run_study
from headstart.study.spec import Study


@pytest.mark.slow
def test_a_study_is_published_compared_and_put_into_the_page_of_findings(
    file: Path, tmp_path: Path
) -> None:
    study = Study.load(file)
    out = run_study(study, tmp_path / "out")
    kept, page, findings = (
        tmp_path / name for name in ("docs/results/own", "page.html", "docs/findings.md")
    )
    assert invoke("publish", out, "--into", kept).stdout == f"published: {kept}\n"
    assert [run.key for run in Study.load(kept / "study.yaml").runs] == [
        run.key for run in study.runs
    ]
    assert invoke("compare", out, out, "--into", page).stdout == f"page: {page}\n"
    assert page.read_text().startswith("<!doctype html>")
    findings.write_text(f"# Ours\n{MARKS[0]}\n{MARKS[1]}\n")
    assert invoke("findings", kept.parent, "--into", findings).stdout == f"findings: {findings}\n"
    assert "(results/own/README.md)" in findings.read_text()
    ended = headstart("findings", kept.parent, "--into", kept / "study.yaml")
    assert (ended.returncode, ended.stderr.count("\n"), ended.stderr.startswith("error: ")) == (
        2,
        1,
        True,
    )


def test_ones_own_parts_are_found_beside_the_study_file(file: Path, tmp_path: Path) -> None:
    (tmp_path / "tests_own_models.py").write_text(OWN)
    file.write_text(STUDY.replace("task: digits", "task: tests_own_models:labels"))
    ended = headstart("check", file, cwd="/")
    assert ended.returncode == 2
    assert (
        ended.stderr == "error: task 'own': expected labels 0 to 1 in its train split, got 0 to 2\n"
    )


@pytest.mark.slow
def test_run_prints_plain_lines_off_a_terminal_and_resumes(file: Path, tmp_path: Path) -> None:
    file.write_text(STUDY + "client_rates: [0.1, 1.0e+30]\n")
    ended = headstart("run", file, "--out", tmp_path / "out", "--jobs", 1)
    assert (ended.returncode, ended.stderr) == (0, "")
    *lines, last = ended.stdout.splitlines()
    assert last == f"report: {tmp_path / 'out' / 'report.html'}"
    assert (tmp_path / "out" / "report.html").exists()
    assert [line for line in lines if line.endswith(": diverged")] == [
        f"random, {client}, sgd, iid, equal, 1 local epoch, rates 1e+30 and 1, seed {seed}: "
        "diverged"
        for client in ("sgd", "proximal(mu=0.5)")
        for seed in (0, 1)
    ]
    assert any(re.fullmatch(r"8 of 8 runs, \d+ s", line) for line in lines)
    assert "\x1b" not in ended.stdout
    again = headstart("run", file, "--out", tmp_path / "out")
    assert again.returncode == 0
    assert "diverged" not in again.stdout


@pytest.mark.slow
def test_run_draws_a_bar_on_a_terminal(file: Path, tmp_path: Path) -> None:
    parent, child = pty.openpty()
    environment = {**os.environ, "TERM": "xterm-256color", "COLUMNS": "100"}
    command = [
        sys.executable,
        "-m",
        "headstart",
        "run",
        str(file),
        "--out",
        str(tmp_path / "out"),
        "--jobs",
        "1",
    ]
    process = subprocess.Popen(
        command, stdin=child, stdout=child, stderr=child, env=environment, close_fds=True
    )
    os.close(child)
    seen = b""
    while True:
        ready, _, _ = select.select([parent], [], [], 60)
        assert ready, "the terminal fell silent"
        try:
            part = os.read(parent, 65536)
        except OSError:  # closed by the process that ended
            break
        if not part:
            break
        seen += part
    os.close(parent)
    assert process.wait(10) == 0
    text = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", seen.decode())
    assert "left:" in text
    assert "4 of 4 runs" in text
    assert "runs, " not in text  # the plain lines are for elsewhere
    assert text.rstrip().endswith(f"report: {tmp_path / 'out' / 'report.html'}")
