"""The command line: what it lists and prints, and that bad input is one line on standard error and exit status 2."""

import os
import pty
import re
import select
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from headstart import __version__ as headstart_version
from headstart import cli
from headstart.cli import commands
from headstart.cli.listing import registries
from headstart.errors import HeadstartError
from headstart.parts import own_modules
from headstart.parts.validation import describe
from headstart.report.publication.findings_page import MARKS
from headstart.study.runner import run_study
from headstart.study.spec import Study

STUDY = """
task: digits
model: mlp(hidden=[8])
clients: [sgd, proximal(mu=0.5)]
population: 10
cohort: 3
batch_size: 60
rounds: 4
every: 2
seeds: [0, 1]
executor: loop
"""
KINDS = ["starts", "clients", "servers", "models", "tasks", "tokens", "partitions", "devices", "executors", "probes"]
KINDS += ["rates-by-round"]
ENTRIES = [(kind, entry) for kind in KINDS for entry in registries()[kind]]
IDS = [f"{kind}-{entry.name}" for kind, entry in ENTRIES]


def invoke(*arguments: Any) -> Any:
    return CliRunner().invoke(cli.app, [str(argument) for argument in arguments])  # type: ignore[attr-defined]


def headstart(*arguments: Any, **keys: Any) -> Any:
    """A process of its own, as a user begins it."""
    command = [sys.executable, "-m", "headstart", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False, **keys)


@pytest.fixture
def file(tmp_path: Path) -> Any:
    path = tmp_path / "study.yaml"
    path.write_text(STUDY)
    return path


# --------------------------------------------------------------------------------------------------------------- list


def test_the_kinds_are_those_of_a_study() -> None:
    assert list(registries()) == KINDS
    assert all(list(registry) for registry in registries().values())


@pytest.mark.parametrize(("kind", "entry"), ENTRIES, ids=IDS)
def test_every_entry_says_what_it_is_and_on_what_it_stands(kind: Any, entry: Any) -> None:
    assert re.fullmatch(r"[a-z0-9]+([-_][a-z0-9]+)*", entry.name)
    assert len(entry.source) > 10
    assert entry.summary.endswith(".")
    for name, info in entry.parameters.model_fields.items():
        assert info.description, f"{kind} {entry.name}: describe {name}"
        assert "a mapping" not in describe(info), f"{kind} {entry.name}: {name} has a type that cannot be described"


@pytest.mark.parametrize(("kind", "entry"), ENTRIES, ids=IDS)
def test_every_preset_fits_its_parameters(kind: Any, entry: Any) -> None:
    for preset in entry.presets:
        component = registries()[kind].component(f"{entry.name}@{preset}")
        values = dict(component.parameters)
        assert {key: values[key] for key in entry.presets[preset]} == dict(entry.presets[preset])


@pytest.mark.parametrize("kind", KINDS)
def test_list_shows_all_that_is_declared(kind: Any) -> None:
    result = invoke("list", kind)
    assert result.exit_code == 0
    shown = " ".join(result.stdout.split())
    for entry in registries()[kind]:
        assert f"{entry.name} {' '.join(entry.summary.split())} source: {entry.source}" in shown
        for name, info in entry.parameters.model_fields.items():
            default = "required" if info.is_required() else f"default {info.default!r}"
            assert f"{name}: {describe(info)}, {default}. {info.description}" in shown
        for preset in entry.presets:
            assert f"@{preset}: " in shown


def test_list_shows_all_kinds() -> None:
    lines = invoke("list").stdout.splitlines()
    assert [line for line in lines if line in KINDS] == KINDS


def test_list_of_an_unknown_kind_offers_the_nearest() -> None:
    result = invoke("list", "client")
    assert isinstance(result.exception, HeadstartError)
    assert str(result.exception) == "unknown kind 'client'; did you mean 'clients'?"


# -------------------------------------------------------------------------------------------------------------- check


def test_check_prints_the_grid_and_writes_nothing(file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    result = invoke("check", file)
    assert result.exit_code == 0
    assert list(tmp_path.iterdir()) == [file]
    lines = [line.split(maxsplit=1) for line in result.stdout.splitlines()[1:]]
    assert ["clients", "sgd, proximal(mu=0.5)"] in lines
    assert ["seeds", "0, 1"] in lines
    assert ["client", "rates  0.1"] in [[first, " ".join(rest.split(" "))] for first, rest in lines]
    assert "4 runs of 4 rounds, 3 of 10 clients a round" in result.stdout
    assert re.search(
        r"about \d+ s in one process, \d+ s in \d+, without pre-training\n  \(timed: .*\)\n$", result.stdout
    )
    assert "note: 2 seeds decide little; run 3 or more" in result.stdout


def test_the_estimate_grows_with_the_work(file: Path) -> None:
    from headstart.study.spec import Study
    from headstart.tools.estimate import estimate_seconds

    keys = Study.load(file).file.model_dump(exclude_none=True)
    few, many = (estimate_seconds(Study(**{**keys, "rounds": rounds, "every": rounds})) for rounds in (10, 1000))
    assert many > 10 * few  # 100 times the rounds, timed on a machine that does other things too


def test_the_estimate_grows_with_local_epochs_and_uneven_devices(file: Path) -> None:
    """Timed once: what differs is the number of places for rows. 5 epochs are 5 times those of one, when stacked."""
    from headstart.study.spec import Study
    from headstart.tools import estimate

    keys = Study.load(file).file.model_dump(exclude_none=True) | {"clients": ["sgd"], "every": 1000, "rounds": 1000}
    study = Study(**{**keys, "local_epochs": [1, 5], "probes": ["evaluation"]})
    costs = estimate._Costs(study.runs[0], at_once=1)
    one, five = (costs.seconds(run) for run in (study.runs[0], study.runs[-1]))
    assert study.runs[-1].local_epochs == 5
    fixed = 2 * costs.seconds(replace(study.runs[0], rounds=500)) - one  # what is measured first and last
    assert five - fixed == pytest.approx(5 * (one - fixed), rel=1e-9)


@pytest.mark.parametrize(
    ("line", "error"),
    [
        ("population: 5000", "1200 training rows cannot be dealt to 5000 clients so that each has one"),
        (
            "probes: [evaluation, 'curvature(top=3, products=2)']",
            "curvature.products: expected at least as many as top (3), got 2",
        ),
        ("partitions: natural", "'natural' needs to know whose each row is, but task 'digits' has no"),
        ("tuning: {client_rate: [1, 0.1]}", "tuning.client_rate: expected a range [low, high] with low < high"),
    ],
)
def test_what_only_the_parts_know_to_be_wrong_is_one_line_of_check(file: Path, line: str, error: str) -> None:
    key = line.split(":")[0]
    file.write_text("\n".join([*(kept for kept in file.read_text().splitlines() if not kept.startswith(key)), line]))
    result = invoke("check", file)
    assert isinstance(result.exception, HeadstartError)
    assert error in str(result.exception)
    assert "\n" not in str(result.exception)


BAD = [
    ("clients: [sgd, {proximal: {mu: abc}}]", "clients[1].mu: expected a number >= 0, got 'abc'"),
    ("clients: fedprx", "clients[0]: unknown client optimizer 'fedprx'; did you mean 'proximal'?"),
    ("cohort: 11", "cohort: expected at most the number of clients (population: 10), got 11"),
    ("roundss: 3", "unknown key 'roundss'; did you mean 'rounds'?"),
]


@pytest.mark.parametrize(("line", "error"), BAD)
@pytest.mark.parametrize("command", ["check", "run"])
def test_bad_input_is_refused_before_anything_is_written(
    command: str, line: Any, error: Any, file: Path, tmp_path: Path
) -> None:
    key = line.split(":")[0]
    kept = [each for each in STUDY.splitlines() if not each.startswith(f"{key}:")]
    file.write_text("\n".join([*kept, line]))
    result = invoke(command, file, *(["--out", tmp_path / "out"] if command == "run" else []))
    assert isinstance(result.exception, HeadstartError)
    assert str(result.exception).startswith(f"{file}: {error}")
    assert list(tmp_path.iterdir()) == [file]


MISFITS = [
    ("partitions: natural", "'natural' needs to know whose each row is"),
    ("population: 1300", "1200 training rows cannot be dealt to 1300 clients so that each has one"),
    ("model: tests_own_models:wide", "the model's output does not fit the task: expected [2, 10] for 2 rows, got [2"),
    ("model: tests_own_models:normed", "the model has BatchNorm ('1'), whose statistics mix clients; convert it with"),
    ("model: tests_own_models:broken", "model 'tests_own_models:broken' failed: RuntimeError: no weights"),
    ("model: tests_own_models:nothing", "cannot import 'tests_own_models:nothing': "),
    ("task: tests_own_models:labels", "task 'own': expected labels 0 to 1 in its train split, got 0 to 2"),
    ("task: tests_own_models:empty", "task 'own': expected at least one row in its test split, got none"),
    ("task: tests_own_models:floats", "task 'own': its loss does not take outputs of shape [2, 2] with targets"),
    ("starts: proxy(task='digit')", "start proxy.task: unknown task 'digit'; did you mean 'digits'?"),
]  # fmt: skip
OWN = """
import torch
from torch import nn
from headstart.tasks.base import Examples, Task
def wide(shape, outputs): return nn.Sequential(nn.Flatten(), nn.Linear(64, outputs + 1))
def normed(shape, outputs): return nn.Sequential(nn.Flatten(), nn.BatchNorm1d(64), nn.Linear(64, outputs))
def broken(shape, outputs): raise RuntimeError("no weights")
def task(targets, rows=12):
    examples = Examples(torch.zeros(12, 1), torch.as_tensor(targets * 4))
    return Task("own", examples, examples, Examples(examples.inputs[:rows], examples.targets[:rows]), 2)
def labels(): return task([0, 1, 2])
def empty(): return task([0, 1, 1], 0)
def floats(): return task([0.0, 1.0, 1.0])
"""


@pytest.mark.parametrize(("line", "error"), MISFITS)
def test_parts_that_do_not_fit_are_refused_before_anything_is_written(
    line: Any, error: Any, file: Path, tmp_path: Path
) -> None:
    (tmp_path / "tests_own_models.py").write_text(OWN)
    key = line.split(":")[0]
    file.write_text("\n".join([*(each for each in STUDY.splitlines() if not each.startswith(f"{key}:")), line]))
    result = invoke("run", file, "--out", tmp_path / "out")
    assert isinstance(result.exception, HeadstartError), result.exception
    assert error in str(result.exception)
    assert "\n" not in str(result.exception)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("arguments", [["--jobs", "0"], ["--jobs", "two"], ["--checkpoint-seconds", "-1"]])
def test_options_out_of_range_exit_with_2(arguments: Any, file: Path, tmp_path: Path) -> None:
    result = invoke("run", file, "--out", tmp_path / "out", *arguments)
    assert result.exit_code == 2
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        (["--until", "today"], "seeds.until: expected decided, got 'today'"),
        (["--until", "decided", "--at-most", "1"], "seeds.at_most: expected a whole number >= 2 and <= 200, got 1"),
        (["--until", "decided", "--first", "1"], "seeds.first: expected a whole number >= 2, got 1"),
        (["--until", "decided", "--first", "5", "--at-most", "4"], "seeds.at_most: expected first (5) or more, got 4"),
        (["--at-most", "9"], "--first, --at-most: this study lists its seeds; give --until decided as well"),
        (["--margin", "-1"], "margin: expected a number >= 0 and <= 100, got -1.0"),
        (["--margin", "nan"], "margin: expected a number >= 0 and <= 100, finite, got nan"),
    ],
)
def test_looks_without_sense_are_refused_before_anything_is_written(
    arguments: list[str], error: str, file: Path, tmp_path: Path
) -> None:
    result = invoke("run", file, "--out", tmp_path / "out", *arguments)
    assert isinstance(result.exception, HeadstartError)
    assert str(result.exception) == f"{file}: {error}"
    assert list(tmp_path.iterdir()) == [file]


# ---------------------------------------------------------------------------------------------------- a real process


def test_an_error_is_one_line_on_standard_error_and_exit_2(file: Path) -> None:
    file.write_text(STUDY.replace("0.5", "abc"))
    ended = headstart("check", file)
    assert (ended.returncode, ended.stdout) == (2, "")
    assert ended.stderr == f"error: {file}: clients[1].mu: expected a number >= 0, got 'abc'\n"


def test_help_does_not_import_torch() -> None:
    code = """
import sys
from headstart.cli import main
main()
print('torch' in sys.modules)
"""
    ended = subprocess.run([sys.executable, "-c", code, "--help"], capture_output=True, text=True, check=True)
    assert ended.stdout.splitlines()[-1] == "False"
    assert all(command in ended.stdout for command in ("demo", "run", "check", "report", "list"))


@pytest.mark.slow
def test_a_study_is_published_compared_and_put_into_the_page_of_findings(file: Path, tmp_path: Path) -> None:
    study = Study.load(file)
    out = run_study(study, tmp_path / "out")
    kept, page, findings = (tmp_path / name for name in ("docs/results/own", "page.html", "docs/findings.md"))
    assert invoke("publish", out, "--into", kept).stdout == f"published: {kept}\n"
    assert [run.key for run in Study.load(kept / "study.yaml").runs] == [run.key for run in study.runs]
    assert invoke("compare", out, out, "--into", page).stdout == f"page: {page}\n"
    assert page.read_text().startswith("<!doctype html>")
    findings.write_text(f"# Ours\n{MARKS[0]}\n{MARKS[1]}\n")
    assert invoke("findings", kept.parent, "--into", findings).stdout == f"findings: {findings}\n"
    assert "(results/own/README.md)" in findings.read_text()
    ended = headstart("findings", kept.parent, "--into", kept / "study.yaml")
    assert (ended.returncode, ended.stderr.count("\n"), ended.stderr.startswith("error: ")) == (2, 1, True)


def test_ones_own_parts_are_found_beside_the_study_file(file: Path, tmp_path: Path) -> None:
    (tmp_path / "tests_own_models.py").write_text(OWN)
    file.write_text(STUDY.replace("task: digits", "task: tests_own_models:labels"))
    ended = headstart("check", file, cwd="/")
    assert ended.returncode == 2
    assert ended.stderr == "error: task 'own': expected labels 0 to 1 in its train split, got 0 to 2\n"


def test_a_closed_pipe_is_no_error() -> None:
    command = f"{sys.executable} -m headstart list | head -n 1"
    ended = subprocess.run(command, shell=True, capture_output=True, text=True, check=True)
    assert (ended.stdout, ended.stderr) == ("starts\n", "")


@pytest.mark.slow
def test_run_prints_plain_lines_off_a_terminal_and_resumes(file: Path, tmp_path: Path) -> None:
    file.write_text(STUDY + "client_rates: [0.1, 1.0e+30]\n")
    ended = headstart("run", file, "--out", tmp_path / "out", "--jobs", 1)
    assert (ended.returncode, ended.stderr) == (0, "")
    *lines, last = ended.stdout.splitlines()
    assert last == f"report: {tmp_path / 'out' / 'report.html'}"
    assert (tmp_path / "out" / "report.html").exists()
    assert [line for line in lines if line.endswith(": diverged")] == [
        f"random, {client}, sgd, iid, equal, 1 local epoch, rates 1e+30 and 1, seed {seed}: diverged"
        for client in ("sgd", "proximal(mu=0.5)")
        for seed in (0, 1)
    ]
    assert any(re.fullmatch(r"8 of 8 runs, \d+ s, about 0 s left", line) for line in lines)
    assert "\x1b" not in ended.stdout
    again = headstart("run", file, "--out", tmp_path / "out")
    assert again.returncode == 0
    assert "diverged" not in again.stdout


@pytest.mark.slow
def test_run_draws_a_bar_on_a_terminal(file: Path, tmp_path: Path) -> None:
    parent, child = pty.openpty()
    environment = {**os.environ, "TERM": "xterm-256color", "COLUMNS": "100"}
    command = [sys.executable, "-m", "headstart", "run", str(file), "--out", str(tmp_path / "out"), "--jobs", "1"]
    process = subprocess.Popen(command, stdin=child, stdout=child, stderr=child, env=environment, close_fds=True)
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


# ----------------------------------------------------------------------------------------------- version and completion


def test_the_version_is_said() -> None:
    assert invoke("--version").stdout == f"headstart {headstart_version}\n"


def test_a_shell_is_given_completion() -> None:
    """As its `--show-completion` prints it; what the shell is comes from the environment where it cannot be seen."""
    shown = headstart(
        "--show-completion", "bash", env={**os.environ, "_TYPER_COMPLETE_TEST_DISABLE_SHELL_DETECTION": "1"}
    )
    assert shown.returncode == 0
    assert "complete -o default -F" in shown.stdout


def test_list_says_what_cannot_be_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(own_modules, "_faults", {"others 1.0": "others.parts: cannot import"})
    result = invoke("list", "servers")
    assert "note: parts of others 1.0 cannot be used (others.parts: cannot import)" in result.output
    assert result.exit_code == 0


def test_check_times_a_part_of_a_round_of_many_epochs(file: Path) -> None:
    """Which takes seconds, where a whole one would take most of an hour."""
    file.write_text(STUDY + "local_epochs: 100000\nprobes: evaluation\n")
    began = time.perf_counter()
    result = invoke("check", file)
    assert result.exit_code == 0
    assert re.search(r"about [\d.]+ (min|h) in one process", result.stdout)
    assert time.perf_counter() - began < 20


@pytest.mark.parametrize("executor", ["loop", "stacked(runs=1)"])
def test_check_times_a_round_of_which_every_client_is_dropped(file: Path, executor: str) -> None:
    file.write_text(STUDY.replace("executor: loop", f"executor: {executor}\ndevices: dropped(share=1.0)"))
    result = invoke("check", file)
    assert result.exit_code == 0
    assert re.search(r"about [\d.]+ s in one process", result.stdout)


SLIPS = [
    (["run"], "missing argument 'FILE'; `headstart run --help` shows what there is"),
    (["nope"], "no such command 'nope'; `headstart --help` shows what there is"),
    (["run", "a", "--bogus"], "no such option"),
    (["demo", "--jobs", "0"], "invalid value for '--jobs': "),
]


@pytest.mark.parametrize(("arguments", "line"), SLIPS)
def test_a_command_line_that_is_none_is_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], arguments: Any, line: Any
) -> None:
    monkeypatch.setattr(sys, "argv", ["headstart", *arguments])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    assert ended.value.code == 2
    shown = capsys.readouterr().err
    assert shown.startswith(f"error: {line}")
    assert shown.count("\n") == 1


EXITS = """
import sys
from torch import nn


class Net(nn.Linear):
    def forward(self, x):
        sys.exit(0)


def net(shape, outputs):
    return Net(64, outputs)
"""


def test_a_part_of_ones_own_cannot_end_the_program(file: Path, tmp_path: Path) -> None:
    (tmp_path / "own_ends_of_test.py").write_text(EXITS)
    file.write_text(STUDY.replace("mlp(hidden=[8])", "own_ends_of_test:net"))
    result = invoke("check", file)
    assert isinstance(result.exception, HeadstartError)
    assert "ended the program (SystemExit: 0)" in str(result.exception)


PACKAGE = """
from headstart.clients.base import CLIENTS, ClientOptimizer
from headstart.clients.sgd import sgd


@CLIENTS.register("theirs", source="an installed package of this test")
def theirs() -> ClientOptimizer:
    \"""The client optimizer of a package.\"""
    return sgd()


def unregistered() -> ClientOptimizer:
    return sgd()
"""


@pytest.mark.slow
def test_the_parts_of_an_installed_package_are_listed_and_named(file: Path, tmp_path: Path) -> None:
    """With files as pip writes them; nothing of the package is beside the study."""
    installed = tmp_path / "installed"
    (installed / "their_package").mkdir(parents=True)
    (installed / "their_package" / "__init__.py").touch()
    (installed / "their_package" / "parts.py").write_text(PACKAGE)
    metadata = installed / "theirs-1.0.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: theirs\nVersion: 1.0\n")
    (metadata / "entry_points.txt").write_text("[headstart]\nparts = their_package.parts\n")
    path = os.pathsep.join([str(installed), os.environ.get("PYTHONPATH", "")])
    listed = headstart("list", "clients", env={**os.environ, "PYTHONPATH": path})
    assert "theirs  The client optimizer of a package.\n    source: an installed package" in listed.stdout
    assert "    installed with: theirs 1.0\n" in listed.stdout
    for name in ("theirs", "their_package.parts:unregistered"):
        file.write_text(STUDY.replace("[sgd, proximal(mu=0.5)]", name).replace("cohort: 3", "cohort: 99"))
        ended = headstart("check", file, env={**os.environ, "PYTHONPATH": path})
        assert "cohort: expected at most the number of clients" in ended.stderr  # so its parts were read


@pytest.mark.parametrize(
    ("raised", "status", "line"),
    [
        (KeyError("x"), 1, "error: this should not happen, and is a fault of Headstart: KeyError"),
        (MemoryError(), 2, "error: this machine has not enough memory"),
        (RecursionError(), 1, "error: this should not happen, and is a fault of Headstart: RecursionError"),
    ],
)
def test_what_nobody_foresaw_is_one_line_too(
    raised: Any, status: int, line: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def app(**_: Any) -> None:
        raise raised

    monkeypatch.setattr(commands, "app", app)
    with pytest.raises(SystemExit) as ended:
        cli.main()
    told = capsys.readouterr().err
    assert (ended.value.code, told.count("\n")) == (status, 1)
    assert told.startswith(line)
    monkeypatch.setenv("HEADSTART_TRACEBACK", "1")
    with pytest.raises(type(raised)):
        cli.main()


@pytest.mark.parametrize("command", [["bench", "digits-mlp", "--executor"], ["inspect", "--task"]])
def test_a_command_line_names_no_code_from_elsewhere(command: Any) -> None:
    result = invoke(*command, "http.server:test")
    assert isinstance(result.exception, HeadstartError)
    assert "'http.server' from elsewhere is taken only with --allow http.server" in str(result.exception)
