"""The pages in docs/ say what the code says."""

import json
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from headstart.engine.federation import begin
from headstart.probes.base import PROBES
from headstart.study.federations import federation_of
from headstart.study.file.keys import StudyFile
from headstart.study.rounds import Progress, do_rounds
from headstart.study.spec import Study
from headstart.tasks.base import PARTITIONS, TASKS

DOCS = Path(__file__).parent.parent / "docs"
PAGE = (DOCS / "study-file.md").read_text(encoding="utf-8")


def test_the_study_file_page_names_every_key_with_its_default() -> None:
    rows = re.findall(r"^\| (`\w+`(?:, `\w+`)*) \| (.*?) \|", PAGE, re.MULTILINE)
    written = {key: default for keys, default in rows for key in re.findall(r"`(\w+)`", keys)}
    fields = StudyFile.model_fields
    assert written.keys() == fields.keys() - {"rates", "also"}
    assert {"`rates`", "`also`"} <= set(re.findall(r"`\w+`", PAGE))
    for key, info in fields.items():
        if key in ("rates", "also", "name", "title"):
            continue
        if info.is_required():
            assert written[key] == "required"
        elif info.default is None:
            assert written[key] == "none"
        else:
            default = yaml.safe_load(written[key].replace("`", ""))
            said = (
                [part.strip() for part in default.split(",")]
                if isinstance(default, str)
                else default
            )
            expected = info.default
            if isinstance(expected, list) and not isinstance(said, list):
                said = [said]
            assert said == expected or said == [expected]


@pytest.mark.parametrize("written", re.findall(r"^clients: (\[.*\])$", PAGE, re.MULTILINE))
def test_the_ways_to_write_a_part_are_the_same(written: str) -> None:
    *_, part = yaml.safe_load(written)
    assert (
        str(Study(task="digits", model="mlp", clients=[part]).runs[0].client) == "proximal(mu=0.1)"
    )


WHY = (DOCS / "why.md").read_text(encoding="utf-8")


def test_the_page_of_the_probes_names_their_parameters_and_metrics() -> None:
    (written,) = re.findall(r"```yaml\n(.*?)```", WHY, re.DOTALL)
    study = Study(
        **{**yaml.safe_load(written), "rounds": 1, "seeds": [0], "population": 6, "cohort": 3}
    )
    federation = federation_of(study.runs[0])
    probes = [PROBES.build(probe, federation) for probe in study.probes]
    progress = do_rounds(
        federation, Progress(begin(federation, federation.network.initial(0))), 1, 1, probes
    )
    measured = {metric for _, metric, _ in progress.rows}
    named = set(re.findall(r"^\| `(\w+)` \| (?!`)", WHY, re.MULTILINE)) | {"hessian_top_1"}
    assert {m for m in named if "_" in m} - measured <= {"cosine_over_time"}  # needs a second round
    parameters = dict(re.findall(r"^\| `(\w+)` \| `([\w.]+)` \|", WHY, re.MULTILINE))
    fields = PROBES.entry("curvature").parameters.model_fields
    assert {name: yaml.safe_load(default) for name, default in parameters.items()} == {
        name: info.default for name, info in fields.items()
    }
    assert f"`width` ({PROBES.entry('distance').parameters.model_fields['width'].default})" in WHY


@pytest.mark.parametrize("page", sorted(DOCS.rglob("*.md")), ids=lambda path: path.stem)
def test_links_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\((?!http)([^)#]+)\)", page.read_text(encoding="utf-8")):
        assert (page.parent / target).exists(), target


@pytest.mark.slow
def test_the_commands_of_the_data_page_run(tmp_path: Path) -> None:
    page = (DOCS / "data.md").read_text(encoding="utf-8")
    (block,) = re.findall(r"```bash\n(.*?)```", page, re.DOTALL)
    found = []
    for command in block.replace("\\\n", "").strip().splitlines():
        _, *arguments = shlex.split(command)
        done = subprocess.run(
            [sys.executable, "-m", "headstart", *arguments],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
        )
        assert (done.returncode, done.stderr) == (0, "")
        found.append(done.stdout)
    assert (tmp_path / "partition.svg").read_text().startswith("<?xml")
    assert found[0].startswith("digits, dirichlet(alpha=0.1): 50 clients, 1200 rows")
    # Two shards touch two labels, or few more at bounds.
    assert json.loads(found[1])["labels_per_client"]["max"] <= 4


def test_the_data_page_packs_what_the_task_opens(tmp_path: Path) -> None:
    page = (DOCS / "data.md").read_text(encoding="utf-8")
    (code,) = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    (written,) = re.findall(r"`task: (on-disk\(.*?\))`", page)
    task = TASKS.build(TASKS.component(written.replace("mine", str(tmp_path / "mine"))))
    assert (len(task.owners), len(task.test), task.classes) == (1000, 500, ("no", "yes"))  # type: ignore[arg-type]


def test_the_data_page_names_every_partition_and_the_parameters_of_the_table() -> None:
    page = (DOCS / "data.md").read_text(encoding="utf-8")
    assert set(
        re.findall(r"^\| `([\w-]+)(?:\(\w+\))?` \| (?:equal|differ|of)", page, re.MULTILINE)
    ) == {entry.name for entry in PARTITIONS}
    example = yaml.safe_load(re.findall(r"```yaml\n(.*?)```", page, re.DOTALL)[0])
    assert str(TASKS.component(example["task"])).startswith("table(")
