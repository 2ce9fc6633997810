"""The house of DESIGN.md: imports go down only, and a room holds few modules.

Every rule is a function of a file's place and its syntax tree, and is shown here to catch what it
forbids.
"""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.syntax import FILES, ROOT, broken, imports

HOUSE = {
    "": [
        {"errors", "wording", "trees", "rng", "machine"},
        {"arrow", "parts", "child_processes"},
        {"files"},
        {"parquet_files"},
        {"tables"},
        {"kernels", "statistics", "paper"},
        {"looks"},
        {"models", "tasks"},
        {"starts", "clients", "servers"},
        {"engine"},
        {"probes"},
        {"study"},
        {"report", "tools", "simulation", "testing"},
        {"terminal"},
        {"trackers"},
        {"results"},
        {"export"},
        {"__init__"},
        {"cli"},
        {"__main__"},
    ],
    "files": [{"writing", "locations"}, {"digests", "locks", "seals", "folders"}],
    "kernels": [
        {
            "threads",
            "shared_memory",
            "freed_memory",
            "lstm",
            "group_norm",
            "convolutions",
            "strides",
            "views",
            "writes",
        },
        {"recorded"},
    ],
    "engine": [
        {"devices", "rate_by_round", "measurements"},
        {"plan", "journal"},
        {"executors"},
        {"federation", "refusals", "streaming"},
        {"checkpoint"},
    ],
    "engine/executors": [
        {"base", "chunks", "program"},
        {"loop", "sums"},
        {"portions"},
        {"crew", "stacked"},
        {"workers", "auto"},
    ],
    "probes": [
        {"base", "predictions", "hessian", "lanczos"},
        {"alignment", "classes", "clients", "curvature", "distance", "evaluation", "fairness"},
    ],
    "probes/predictions": [{"rows"}, {"client_accuracy"}],
    "study": [
        {"data", "file", "rounds"},
        {"given", "baselines"},
        {"spec"},
        {"events", "federations"},
        {"folder", "groups"},
        {"beginnings", "executor_choice"},
        {"stream"},
        {"tuning"},
        {"looking", "check", "places", "resuming"},
        {"runner"},
    ],
    "study/file": [
        {"asked", "most_runs", "settings", "trainable", "yaml_text"},
        {"keys"},
        {"rate_rows", "run_spec"},
        {"equal_rates", "idle_repeats", "until_decided"},
    ],
    "study/folder": [
        {"best", "earlier_tables", "failed", "outcome"},
        {"record"},
        {"store"},
        {"added_probes", "part_files", "saved"},
        {"writer"},
    ],
    "study/tuning": [{"best_rates", "search"}, {"trials"}, {"table"}],
    "study/places": [
        {"base", "pace", "sharing"},
        {"processes"},
        {"this_machine", "cluster"},
        {"opening"},
    ],
    "study/places/cluster": [
        {"joining", "needs", "packing", "versions"},
        {"parcels"},
        {"node"},
        {"driver"},
    ],
    "study/resuming": [{"differences"}, {"belonging"}],
    "report": [
        {"written_files", "words"},
        {"runs"},
        {"measures"},
        {"figures"},
        {"panels"},
        {"appendix"},
        {"verdict"},
        {"judgement"},
        {"pages", "publication"},
    ],
    "report/words": [
        {"brief_names", "methods", "numbers", "remarks", "written_parts"},
        {"start_names", "table"},
    ],
    "report/runs": [
        {"client_values", "margins", "part_names"},
        {"records"},
        {"cells"},
        {"standings"},
        {"grid"},
        {"sorting"},
    ],
    "report/measures": [{"before_training", "end_metrics"}, {"*"}],
    "report/figures": [{"rendering"}, {"axes"}, {"*"}],
    "report/panels": [{"base"}, {"steps"}, {"*"}, {"__init__"}],
    "report/appendix": [
        {"tuning"},
        {
            "baselines",
            "best_of_starts",
            "choice_of_rates",
            "rates",
            "shares",
            "completeness",
            "needs",
            "settings",
        },
        {"sections"},
    ],
    "report/judgement": [
        {"study_names", "cautions"},
        {"asked", "findings"},
        {"consequences"},
        {"reading"},
    ],
    "report/verdict": [
        {"sentences"},
        {"other_rows"},
        {"where", "headlines", "choice", "cost", "reasons", "sureness"},
        {"which"},
        {"outlook"},
        {"verdict"},
    ],
    "report/pages": [{"long_names"}, {"templates"}, {"study_page", "comparison"}],
    "report/publication": [
        {"markdown", "form", "kept_tables"},
        {"repeating", "setup", "summary", "marks"},
        {"readme", "answers"},
        {"folder"},
        {"findings_page"},
    ],
    "results": [
        {"notebook", "first_weights"},
        {"study_results"},
        {"study_run", "model_file"},
    ],
    "export": [
        {"recipe", "exchanges", "model_card"},
        {"chosen", "deployment", "study_rows"},
        {"app", "flower", "model_folder"},
        {"conformance"},
    ],
    "export/flower": [
        {"settings", "records", "app_objects"},
        {"client", "strategy"},
        {"server", "memory_grid"},
        {"driving"},
    ],
    "export/conformance": [{"simulated"}, {"partings"}, {"conform"}],
    "paper": [{"findings", "tasks"}, {"presets"}],
    "trackers": [{"base"}, {"*"}, {"following"}],
    "wording": [{"*"}],
    "parts": [
        {"validation", "origin", "beside"},
        {"caches", "given", "parameters", "written", "own_modules"},
        {"registry"},
        {"part_names"},
    ],
    "looks": [{"competitors"}, {"repeats"}, {"outcomes", "plans"}, {"decided"}, {"record"}],
    "statistics": [
        {"roots"},
        {"corrections", "intervals", "joint"},
        {"effects", "orders", "power", "rows", "shares", "spreads"},
    ],
    "statistics/joint": [
        {"sequential", "moderated"},
        {"couples"},
        {"claims", "winners"},
        {"decisions", "prospects"},
    ],
    "models": [{"conversion"}, {"network"}, {"*"}],
    "models/conversion": [{"building", "dropout", "group_norm", "refusals"}],
    "tasks": [{"tokens", "sources"}, {"base"}, {"partitions", "text"}, {"own"}, {"*"}],
    "tasks/sources": [
        {"cell_types", "objects"},
        {"labels", "parquet", "pixels"},
        {"delimited"},
        {"tables"},
        {"columns"},
        {"names"},
    ],
    "tasks/own": [{"splits", "images", "on_disk", "uses"}, {"features", "text"}, {"table"}],
    "tasks/tokens": [{"base"}, {"*"}],
    "starts": [
        {"weights", "augmentation"},
        {"heads", "pretraining"},
        {"base"},
        {"weight_files"},
        {"*"},
    ],
    "starts/weight_files": [{"reading", "packing"}, {"fitting"}],
    "clients": [{"base"}, {"sgd"}, {"*"}, {"nova"}],
    "servers": [{"base"}, {"*"}],
    "testing": [{"trees"}, {"*"}],
}
"""Folder -> its floors from the ground up; imports go down in every folder that holds both modules.

"*" is the floor of all other modules: of the methods of a kind, which come one a file and know
nothing of each other.
"""

MOST_MODULES = 11
STILL_TOO_FULL: dict[str, int] = {}
"""Folders with more modules than a room may hold, and how many they have.
The list only gets shorter.
"""

REPORT_MAY_USE = (
    "headstart.statistics",
    "headstart.looks",
    "headstart.files",
    "headstart.arrow",
    "headstart.parquet_files",
    "headstart.tables",
    "headstart.errors",
    "headstart.wording",
    "headstart.parts.origin",
    "headstart.paper.findings",
    "headstart.child_processes",
    "headstart.report",
)


def floor(folder: Path, part: Any) -> Any:
    floors = HOUSE[folder]  # type: ignore[index]
    others = next((level for level, parts in enumerate(floors) if "*" in parts), None)
    return next((level for level, parts in enumerate(floors) if part in parts), others)


def goes_up(place: Any, tree: Any) -> Iterator[Any]:
    """Imports that do not go down, in the house or in a room that has floors."""
    path = Path(place).with_suffix("").parts
    for depth, mine in enumerate(path):
        folder = "/".join(path[:depth])
        if folder in HOUSE and mine != "__init__" and floor(folder, mine) is None:  # type: ignore[arg-type]
            yield (
                1,
                f"{mine!r} has no floor in {folder or 'the house'}; give it one in "
                "tests/test_layout.py",
            )
            return
    for line, module in imports(tree):
        if module.startswith("."):
            yield line, f"imports {module}: write the full name, so that the arrow is seen"
        if not module.startswith("headstart."):
            continue
        yield from ((line, message) for message in upwards(path, tuple(module.split(".")[1:])))
        if path[0] == "report" and not module.startswith(REPORT_MAY_USE):
            yield (
                line,
                f"report imports {module}; it reads tables and may use only "
                f"{', '.join(REPORT_MAY_USE)}",
            )


def upwards(mine: Any, theirs: Any) -> Iterator[Any]:
    """What is wrong with a module at the path `mine` using what is at the path `theirs`."""
    for depth, (here, there) in enumerate(zip(mine, theirs, strict=False)):
        folder = "/".join(mine[:depth])
        if here != there:
            if folder not in HOUSE or None in (floor(folder, here), floor(folder, there)):  # type: ignore[arg-type]
                return
            if floor(folder, there) >= floor(folder, here):  # type: ignore[arg-type]
                where = "above" if floor(folder, there) > floor(folder, here) else "beside"  # type: ignore[arg-type]
                yield f"{here} imports headstart.{'.'.join(theirs)}, which is {where} it"
            return


RULES = [goes_up]


@pytest.mark.parametrize("rule", RULES)
def test_the_house_keeps(rule: Any) -> None:
    places = [path.relative_to(ROOT).as_posix() for path in FILES]
    found = [
        line
        for place, path in zip(places, FILES, strict=True)
        for line in broken(rule, place, path.read_text())
    ]
    assert not found, "\n" + "\n".join(found)


VIOLATIONS = [
    (goes_up, "trees.py", "from headstart.models.network import Network", "above"),
    (goes_up, "rng.py", "from headstart import trees", "beside"),
    (goes_up, "parts/origin.py", "from headstart.parts import registry", "above"),
    (goes_up, "parts/given.py", "from headstart.parts.written import read", "beside"),
    (goes_up, "parts/box.py", "", "no floor in parts"),
    (goes_up, "clients/sgd.py", "from headstart.engine.plan import plan", "above"),
    (goes_up, "clients/sgd.py", "from headstart.servers.base import SERVERS", "beside"),
    (goes_up, "tasks/digits.py", "import headstart.models.mlp", "beside"),
    (goes_up, "tasks/digits.py", "from headstart.tasks import femnist", "beside"),
    (goes_up, "tasks/base.py", "from headstart.tasks.digits import digits", "above"),
    (goes_up, "engine/federation.py", "from headstart.study.spec import Study", "above"),
    (goes_up, "engine/federation.py", "from headstart import probes", "above"),
    (goes_up, "study/folder/store.py", "from ..report import page", "full name"),
    (
        goes_up,
        "report/pages/study_page.py",
        "from headstart.study.folder.store import Folder",
        "may use only",
    ),
    (
        goes_up,
        "report/pages/study_page.py",
        "from headstart.models.network import Network",
        "may use only",
    ),
    (goes_up, "attic/box.py", "", "no floor"),
]


@pytest.mark.parametrize(("rule", "place", "text", "message"), VIOLATIONS)
def test_every_rule_catches_what_it_forbids(rule: Any, place: Any, text: Any, message: Any) -> None:
    (line,) = broken(rule, place, text)
    assert line.startswith(f"{place}:")
    assert message in line


WITHOUT_TORCH = [
    "headstart",
    "headstart.cli",
    "headstart.cli.progress",
    "headstart.files",
    "headstart.parts.registry",
]
WITHOUT_TORCH += [
    "headstart.terminal",
    "headstart.statistics",
    "headstart.study.folder.store",
    "headstart.tables",
]
WITHOUT_TORCH += [
    "headstart." + ".".join(path.relative_to(ROOT).with_suffix("").parts)
    for path in FILES
    if path.relative_to(ROOT).parts[0] in ("report", "results") and path.name != "__init__.py"
]


def test_importing_the_report_or_headstart_does_not_import_torch() -> None:
    code = f"""
import importlib, sys
for name in {WITHOUT_TORCH!r}:
    importlib.import_module(name)
    if "torch" in sys.modules:
        sys.exit(f"importing {{name}} imports torch")
"""
    ended = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False
    )
    assert (ended.returncode, ended.stderr) == (0, "")


def test_a_room_holds_few_modules() -> None:
    rooms = {path.parent for path in FILES}
    full = {}
    for room in rooms:
        modules = [path for path in room.glob("*.py") if path.name != "__init__.py"]
        if len(modules) > MOST_MODULES:
            full[room.relative_to(ROOT).as_posix()] = len(modules)
    assert full == STILL_TOO_FULL


def test_every_folder_with_modules_is_a_package() -> None:
    assert [path.parent for path in FILES if not (path.parent / "__init__.py").exists()] == []
