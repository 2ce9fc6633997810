"""Parts of one's own: from where a study file may name code, and from where it may not."""

import json
import subprocess
import sys
from importlib import metadata
from pathlib import Path
from typing import Any

import pytest
import torch
import yaml

from headstart.clients.base import CLIENTS
from headstart.errors import HeadstartError
from headstart.models.network import MODELS
from headstart.parts import own_modules
from headstart.parts.origin import Origin, within
from headstart.parts.registry import Registry, own_file
from headstart.study.check import check
from headstart.study.runner import run_study
from headstart.study.spec import Study

NET = """
from torch import nn
def net(input_shape, outputs, *, width: int = {width}):
    return nn.Sequential(nn.Flatten(), nn.Linear(64, width), nn.Linear(width, outputs))
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A folder with a study file that names a model of its own; the shell is elsewhere."""
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    return tmp_path


def write(folder: Path, **keys: Any) -> Any:
    folder.mkdir(exist_ok=True)
    study = {"task": "digits", "model": "own_net_of_test:net", "seeds": 0, **keys}
    (folder / "study.yaml").write_text(yaml.safe_dump(study))
    return folder / "study.yaml"


def width_of(study: Any) -> Any:
    return MODELS.build(study.model, (1, 8, 8), 10)[1].out_features  # type: ignore[index]


# ---------------------------------------------------------------------------------- what is refused


@pytest.mark.parametrize(
    "key", ["task", "model", "starts", "clients", "servers", "partitions", "devices", "executor"]
)
@pytest.mark.parametrize(
    "code", ["http.server:test", "os:abort", "os:fork", "builtins:breakpoint", "pdb:set_trace"]
)
def test_a_study_file_runs_no_code_from_elsewhere(
    folder: Path, key: str, code: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def imports_nothing(name: Any, package: Any = None) -> None:
        pytest.fail(f"imported {name}")

    file = write(folder, **{"model": "mlp", key: code})
    Study.load(write(folder, model="mlp"))  # all that is registered is imported
    write(folder, **{"model": "mlp", key: code})
    monkeypatch.setattr(own_modules.importlib, "import_module", imports_nothing)  # type: ignore[attr-defined]
    module = code.partition(":")[0]
    with pytest.raises(HeadstartError) as caught:
        Study.load(file)
    line = str(caught.value)
    assert f"expected a module of your own, {module.replace('.', '/')}.py in {folder} or " in line
    assert line.endswith(f"{module!r} from elsewhere is taken only with --allow {module}")
    assert "\n" not in line


@pytest.mark.parametrize(
    "code", ["os.path", "a b:c", "a:b.c", "../a:b", ".a:b", "a:__class__.mro", "a::b"]
)
def test_what_is_no_name_of_a_function_is_no_part(folder: Path, code: str) -> None:
    with pytest.raises(HeadstartError, match=r"model: (expected|unknown) "):
        Study.load(write(folder, model=code))


def test_a_module_with_a_name_of_pythons_own_is_refused(folder: Path) -> None:
    (folder / "random.py").write_text(NET.format(width=3))
    with pytest.raises(
        HeadstartError, match=r"has the name of another module, 'random'; rename it$"
    ):
        Study.load(write(folder, model="random:net"))


FORMS = [
    ("def net(weights=None, progress=True): raise AssertionError", "(weights, progress)"),
    ("def net(*, weights=None, progress=True): raise AssertionError", "(weights, progress)"),
    ("def net(outputs): raise AssertionError", "(outputs)"),
    ("def net(shape, outputs, width): raise AssertionError", "(shape, outputs, width)"),
    ("class net:\n    def __init__(self, classes=10): raise AssertionError", "(classes)"),
]


@pytest.mark.parametrize(("code", "takes"), FORMS)
def test_a_function_that_takes_something_else_is_not_called(
    folder: Path, code: Any, takes: Any
) -> None:
    """As torchvision's `resnet18(weights, progress)`, which would download the weights that the
    shape is taken for.
    """
    (folder / "own_net_of_test.py").write_text(code)
    with pytest.raises(HeadstartError) as caught:
        Study.load(write(folder))
    assert str(caught.value) == (
        f"{folder}/study.yaml: model: expected a function of (input_shape, outputs) as a model, "
        "with parameters of its own after a *, got 'own_net_of_test:net', which is one of "
        f"{takes}; write a function that calls it"
    )


@pytest.mark.parametrize(
    "code", ["def net(a, b): ...", "def net(input_shape=(1,), outputs=2): ...", "def net(*a): ..."]
)
def test_what_can_be_called_so_is_taken(folder: Path, code: str) -> None:
    (folder / "own_net_of_test.py").write_text(code)
    assert Study.load(write(folder)).model.name == "own_net_of_test:net"


@pytest.mark.parametrize(
    "raised", ["SystemExit(0)", "ValueError('x')", "BaseException('x')", "ImportError('x')"]
)
@pytest.mark.parametrize("where", ["import", "call"])
def test_what_ones_own_module_raises_is_one_line(folder: Path, raised: str, where: str) -> None:
    code = {"import": f"raise {raised}", "call": f"def net(shape, outputs): raise {raised}"}[where]
    (folder / "own_net_of_test.py").write_text(code)
    kind = raised.partition("(")[0]
    with pytest.raises(
        HeadstartError, match=rf"(cannot import 'own_net_of_test:net'|failed): {kind}: "
    ):
        MODELS.build(Study.load(write(folder)).model, (1, 8, 8), 10)


# ------------------------------------------------------------------------------- where it is looked


@pytest.mark.parametrize(
    ("key", "code", "line"),
    [
        (
            "clients",
            "def part():\n    return 7",
            "expected it to return a ClientOptimizer, got int",
        ),
        (
            "servers",
            "def part():\n    return None",
            "expected it to return a ServerOptimizer, got NoneType",
        ),
        (
            "model",
            "def part(input_shape, outputs):\n    return 'a'",
            "expected it to return a Module, got str",
        ),
        ("starts", "def part():\n    return 7", "expected it to return a Start, got int"),
        ("devices", "def part():\n    return 7", "expected it to return a function, got int"),
        ("partitions", "def part():\n    return 7", "expected it to return a function, got int"),
        (
            "partitions",
            "def part():\n    return lambda *given: 7",
            "part' failed: TypeError: 'int' object is not iterable",
        ),
        (
            "partitions",
            "def part():\n    return lambda *given: [[0, 10**6]] * 9",
            "from 0 to 1199, got 0 to 1000000",
        ),
        (
            "partitions",
            "def part():\n    return lambda *given: [['a']] * 9",
            "whole numbers from 0 to 1199, got values of <U1",
        ),
        (
            "probes",
            "def part(federation):\n    return 7",
            "part': expected it to return a Probe, got int",
        ),
        ("executor", "def part():\n    return 7", "expected it to return a Executor, got int"),
        ("task", "def part():\n    return {}", "expected it to return a Task, got dict"),
    ],
)
def test_a_part_of_another_type_is_refused_before_any_training(
    folder: Path, key: str, code: str, line: str
) -> None:
    name = f"own_type_{abs(hash((key, code)))}"
    (folder / f"{name}.py").write_text(code)
    part = ["evaluation", f"{name}:part"] if key == "probes" else f"{name}:part"
    keys = {"model": "mlp", "rounds": 1, "population": 9, "cohort": 2, key: part}
    with pytest.raises(HeadstartError) as caught:
        check(Study.load(write(folder, **keys)))
    assert line in str(caught.value)
    assert not (folder / "out").exists()


def test_a_module_is_looked_up_beside_the_study_file_then_in_the_working_folder(
    folder: Path,
) -> None:
    (folder / "elsewhere" / "own_net_of_test.py").write_text(NET.format(width=5))
    assert width_of(Study.load(write(folder))) == 5
    (folder / "own_net_of_test.py").write_text(NET.format(width=4))
    study = Study.load(write(folder))
    assert width_of(study) == 4
    assert own_file(study.model) == folder / "own_net_of_test.py"


def test_studies_of_one_process_have_modules_of_their_own(folder: Path) -> None:
    """Two folders, each with a module of the same name and one that this imports."""
    studies = []
    for width in (3, 6):
        beside = folder / f"of_{width}"
        file = write(beside)
        (beside / "own_net_of_test.py").write_text(
            f"from own_width_of_test import WIDTH\n{NET.format(width='WIDTH')}"
        )
        (beside / "own_width_of_test.py").write_text(f"WIDTH = {width}")
        studies.append(Study.load(file))
    assert [width_of(study) for study in (*studies, *studies)] == [3, 6, 3, 6]
    assert studies[0].model != studies[1].model
    kept = own_modules.imported_from(studies[0].origin)
    assert kept == {
        f"own_{name}_of_test.py": folder / "of_3" / f"own_{name}_of_test.py"
        for name in ("net", "width")
    }


def test_packages_beside_the_study_file_are_taken_too(folder: Path) -> None:
    package = folder / "own_package_of_test"
    (package / "deep").mkdir(parents=True)
    (package / "__init__.py").touch()
    (package / "deep" / "__init__.py").touch()
    (package / "deep" / "nets.py").write_text(NET.format(width=7))
    assert width_of(Study.load(write(folder, model="own_package_of_test.deep.nets:net"))) == 7


def test_a_module_from_elsewhere_is_taken_where_it_is_allowed(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "away").mkdir()
    (folder / "away" / "own_net_away.py").write_text(NET.format(width=8))
    monkeypatch.syspath_prepend(folder / "away")
    file = write(folder, model="own_net_away:net")
    with pytest.raises(HeadstartError, match=r"is taken only with --allow own_net_away$"):
        Study.load(file)
    assert width_of(Study.load(file, allow=["own_net_away"])) == 8
    # A program trusts what it can import.
    assert width_of(Study(task="digits", model="own_net_away:net")) == 8


def test_a_study_goes_on_where_its_module_lies(folder: Path) -> None:
    """Also from its resolved text in the folder of results, as `run` compares it."""
    (folder / "own_net_of_test.py").write_text(NET.format(width=4))
    study = Study.load(write(folder))
    copy = folder / "out" / "study.yaml"
    copy.parent.mkdir()
    copy.write_text(study.resolved())
    again = Study.load(copy, origin=study.origin)
    assert [run.key for run in again.runs] == [run.key for run in study.runs]


def test_a_copy_in_the_folder_of_results_serves_its_study(folder: Path) -> None:
    (folder / "modules").mkdir()
    (folder / "modules" / "own_net_of_test.py").write_text(NET.format(width=9))
    assert width_of(Study.load(write(folder))) == 9


# ------------------------------------------------------------------------ installed packages' parts


class Point:
    """An entry point of an installed package."""

    def __init__(self, module: Any, load: Any) -> None:
        self.module, self.value, self.name, self.load = module, module, "parts", load
        self.dist = type("Distribution", (), {"name": "others", "version": "1.0"})


@pytest.fixture
def installed(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Parts that a package registers; what it does is undone."""

    def install(load: Any, module: Any = "others.parts") -> None:
        points = [Point(module, load)]
        monkeypatch.setattr(
            metadata, "entry_points", lambda group: points if group == "headstart" else []
        )
        monkeypatch.setattr(own_modules, "_faults", None)

    return install


def test_an_installed_package_adds_parts(installed: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    # A package that registers none of these.
    registry = Registry("shape", "headstart.report.panels")  # type: ignore[var-annotated]
    registry.register("box", source="Euclid")(lambda: "box")

    def load() -> None:
        registry.register("ball", source="Archimedes")(lambda: "ball")
        registry.register("box", source="somebody")(lambda: "another box")

    installed(load)
    assert [(entry.name, entry.package) for entry in registry] == [
        ("ball", "others 1.0"),
        ("box", ""),
    ]
    assert registry.build(registry.component("ball")) == "ball"
    assert registry.build(registry.component("box")) == "box"
    assert registry.faults() == {"others 1.0": "shape 'box' is registered already"}


def test_a_package_that_cannot_be_imported_is_said_and_harms_nobody(installed: Any) -> None:
    registry = Registry("shape", "headstart.report.panels")  # type: ignore[var-annotated]
    registry.register("box", source="Euclid")(lambda: "box")

    def load() -> None:
        raise SystemExit(3)

    installed(load)
    assert registry.build(registry.component("box")) == "box"
    with pytest.raises(
        HeadstartError,
        match=r"unknown shape 'ball'; known: box; others 1.0 cannot be used \(others",
    ):
        registry.component("ball")


@pytest.mark.parametrize("badly", ["", "nosuch.mod:attr", ":", "a b"])
def test_an_entry_point_that_names_nothing_harms_nobody(
    folder: Path, installed: Any, badly: str
) -> None:
    def load() -> None:
        raise ModuleNotFoundError("no such module")

    installed(load, badly)
    beside = folder / "beside"
    file = write(beside)
    (beside / "own_net_of_test.py").write_text(NET.format(width=3))
    assert width_of(Study.load(file)) == 3
    with pytest.raises(HeadstartError, match="is taken only with --allow own_other"):
        Study.load(write(folder / "other", model="own_other:net"))


def test_functions_of_a_package_that_registers_itself_may_be_named(
    installed: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "own_others").mkdir()
    (tmp_path / "own_others" / "__init__.py").write_text("def mine(): return 1")
    monkeypatch.syspath_prepend(tmp_path)
    installed(lambda: None, "own_others")
    CLIENTS._load()
    with within(Origin(tmp_path / "nowhere", ())):
        assert CLIENTS.entry("own_others:mine").factory() == 1
        with pytest.raises(HeadstartError, match=r"is taken only with --allow own_other$"):
            CLIENTS.entry("own_other:mine")
    assert "own_other" not in sys.modules


# ------------------------------------------------------------------------- in the folder of results


@pytest.mark.parametrize("late", [False, True])
def test_a_study_keeps_copies_of_its_modules_and_goes_on_only_with_the_same(
    folder: Path, late: bool
) -> None:
    beside = folder / "beside"
    tiny = {"population": 4, "cohort": 2, "rounds": 1, "probes": "evaluation", "executor": "loop"}
    file = write(beside, **tiny)
    at_once = f"from own_width_of_test import WIDTH\n{NET.format(width='WIDTH')}"
    when_made = NET.format(width=3).replace(":\n", ":\n    import own_width_of_test\n", 1)
    (beside / "own_net_of_test.py").write_text(when_made if late else at_once)
    (beside / "own_width_of_test.py").write_text("WIDTH = 3")
    out = folder / "out"
    run_study(Study.load(file), out)
    kept = {path.name: path.read_bytes() for path in (out / "modules").glob("*.py")}
    assert kept == {path.name: path.read_bytes() for path in beside.glob("*.py")}
    (record,) = (json.loads(path.read_bytes()) for path in out.glob("runs/*/run.json"))
    record = record.get("record", record)
    assert (record["torch"], record["threads"]) == (torch.__version__, 1)
    again = Study.load(out / "study.yaml")
    assert own_file(again.model) == out / "modules" / "own_net_of_test.py"
    run_study(again, folder / "second")
    for name in kept:
        sys.modules.pop(name.removesuffix(".py"), None)
    (beside / "own_width_of_test.py").write_text("WIDTH = 1 + 2")
    command = [sys.executable, "-m", "headstart", "run", str(file), "--out", str(out)]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ended.returncode == 2
    assert ended.stderr.startswith(
        "error: module own_width_of_test.py: what its files hold has changed since"
    )
