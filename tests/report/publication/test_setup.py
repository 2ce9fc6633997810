"""How published studies were set up."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from headstart.errors import HeadstartError
from headstart.report.publication import setup

Make = Callable[..., Path]
Keep = Callable[[dict[str, Any]], bool]


def test_the_set_up_is_that_of_the_study_file(tmp_path: Path) -> None:
    run = {
        "trials": 520,
        "seeds": list(range(10)),
        "starts": ["random", "proxy(task='emnist-letters', epochs=3)"],
    }
    tuning = {"trials": 20, "seeds": [0], "rounds": 100}
    settings = {"name": "mine", "tuning": tuning}
    (tmp_path / "study.yaml").write_text(yaml.safe_dump(settings))
    assert setup.settings_of(tmp_path) == settings
    study = {"preset": "paper all, scale cpu", "run": run}
    assert setup.cells(study, settings) == (
        "preset: paper all, scale cpu",
        "tuned: 20 trials of 100 rounds for each start and pair, 520 trials in all, on seed 0, "
        "which is judged too",
        "proxy(task='emnist-letters', epochs=3)",
    )
    assert setup.settings_of(tmp_path / "absent") == {}
    assert setup.cells({"preset": "", "run": {"trials": 0}}, {}) == (
        "its own",
        "not tuned",
        "not recorded",
    )
    (tmp_path / "study.yaml").write_text("- a")
    with pytest.raises(HeadstartError, match="damaged"):
        setup.settings_of(tmp_path)


@pytest.mark.parametrize(
    "settings", [{"tuning": 3}, {"tuning": {"seeds": 3}}, {"client_rates": 0.1}]
)
def test_a_study_file_of_another_form_is_one_line(settings: dict[str, Any]) -> None:
    with pytest.raises(HeadstartError, match=r"study\.yaml of 'A' is damaged"):
        setup.cells(
            {
                "title": "A",
                "preset": "",
                "run": {"trials": 3 if "tuning" in settings else 0, "seeds": [0]},
            },
            settings,
        )
