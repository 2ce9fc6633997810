"""`headstart.load`: the tables, the verdict, the best pair with its weights, and the figures,
in one line each.
"""

import json
import shutil
import subprocess
import sys
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
import torch

import headstart
from headstart.errors import HeadstartError
from headstart.report.verdict.sentences import Sentence
from headstart.results.notebook import Page, results_as_html
from headstart.statistics.intervals import t_interval

from .conftest import module


@pytest.fixture
def results(folder: Path) -> Any:
    return headstart.load(folder)


def test_the_tables_are_those_of_the_folder(results: Any, folder: Path) -> None:
    for name in ("runs", "rounds"):
        assert getattr(results, name).equals(pq.read_table(folder / "results" / f"{name}.parquet"))
    assert results.trials.num_rows == 0
    assert results.baselines["baseline"].to_pylist() == ["constant", "chance"]
    assert results.baseline_runs.num_rows == 0
    assert "edge" in results.trials.column_names


def test_tables_become_data_frames(results: Any) -> None:
    pandas = pytest.importorskip("pandas")
    runs, rounds = results.runs.to_pandas(), results.rounds.to_pandas()
    assert isinstance(runs, pandas.DataFrame)
    joined = rounds.merge(runs, on="run")
    last = (
        joined[(joined.metric == "test_accuracy") & (joined["round"] == 4)]
        .groupby("start")
        .value.mean()
    )
    assert last["sure"] == pytest.approx(runs[runs.start == "sure"].test_accuracy.mean())


def test_tables_are_understood_by_narwhals(results: Any) -> None:
    narwhals = pytest.importorskip("narwhals")
    assert narwhals.from_native(results.runs).shape == (12, len(results.runs.column_names))


def test_the_best_pair_has_its_mean_interval_rates_and_weights(results: Any) -> None:
    best = results.best("random")
    rows = [row for row in results.runs.to_pylist() if row["start"] == "random"]
    by_pair = {
        client: [r["test_accuracy"] for r in rows if r["client"] == client]
        for client in ("sgd", "proximal(mu=0.5)")
    }
    highest = max(by_pair, key=lambda client: np.mean(by_pair[client]))
    expected = t_interval(by_pair[highest])
    assert (best.start, best.client, best.server) == ("random", highest, "sgd")
    assert (best.client_rate, best.server_rate) == (0.1, 1.0)
    assert best.accuracy.value == pytest.approx(expected.value)
    assert best.accuracy.high == pytest.approx(min(expected.high, 1.0))  # type: ignore[type-var]
    assert best.accuracy.n == 3
    assert sorted(best.runs) == [0, 1, 2]


def test_the_weights_of_the_best_pair_fit_the_module_and_have_its_accuracy(
    results: Any, folder: Path
) -> None:
    best = results.best()
    network = module()
    network.load_state_dict(best.weights())
    draw = torch.Generator().manual_seed(7)
    inputs = torch.randn(160, 3, generator=draw)[120:]
    right = (network(inputs).argmax(-1) == (inputs[:, 0] > 0).long()).float().mean().item()
    assert right == pytest.approx(max(best.accuracies.values()))
    assert best.path(1) == folder / "runs" / best.runs[1] / "weights.safetensors"


def test_without_a_name_the_best_is_of_the_start_of_the_verdict(results: Any) -> None:
    assert results.best().start == results.verdict.start


def test_the_verdict_has_text_and_fields(results: Any) -> None:
    said = results.verdict
    assert said.text == " ".join([*said.headlines, said.where.text, said.which.text]) == str(said)
    assert str(said.choice.pair) == f"{results.best().client} + {results.best().server}"
    assert isinstance(results.verdict.where.decided, bool)


def test_the_answers_are_those_of_the_report(results: Any) -> None:
    assert set(results.answers) <= {"ranking", "speedup", "alignment", "initial-loss", "iid-gap"}
    assert results.answers["speedup"].sentence


def test_a_figure_is_one_of_matplotlib_and_shows_itself(results: Any, tmp_path: Path) -> None:
    from matplotlib.figure import Figure

    figure = results.plot("speedup")
    assert isinstance(figure, Figure)
    assert figure._repr_png_()[:8] == b"\x89PNG\r\n\x1a\n"  # type: ignore[attr-defined]
    assert results.plot("speedup", wide=False).get_figwidth() < figure.get_figwidth()
    figure.savefig(tmp_path / "own.svg")


def test_results_stand_for_their_folder(results: Any, folder: Path) -> None:
    assert Path(results) == folder
    assert (results / "study.yaml").is_file()
    assert headstart.load(results).runs.equals(results.runs)
    assert headstart.write_report(results) == folder / "report.html"


def test_the_short_texts_are_short(results: Any) -> None:
    assert repr(results).startswith("<Results of '")
    assert f"12 runs. {results.verdict.where.claim}." in repr(results)
    best = results.best("sure")
    assert repr(best) == f"<{best}>"
    assert str(best).startswith(f"{best.client} + sgd from sure, rates 0.1 and 1: ")


class Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags, self.attributes, self.text = [], [], []  # type: ignore[var-annotated]

    def handle_starttag(self, tag: Any, attrs: Any) -> None:
        self.tags.append(tag)
        self.attributes.append(dict(attrs))

    def handle_data(self, data: Any) -> None:
        self.text.append(data)


def tags(html: Any) -> Any:
    parser = Tags()
    parser.feed(html)
    return parser


def test_in_a_notebook_they_show_the_verdict_and_a_small_table(results: Any) -> None:
    shown = tags(results._repr_html_())
    assert f"{results.verdict.where.claim}." in shown.text
    assert shown.tags.count("tr") == 1 + 2 * 2
    assert [text for text in shown.text if text in ("random", "sure")].count("sure") == 2


def test_what_a_name_brings_along_is_text(results: Any) -> None:
    evil = "<script>alert(1)</script>"
    where, which = Sentence(False, evil, evil, beside=evil), Sentence(False, evil)
    said = replace(results.verdict, headlines=(evil,), where=where, which=which)
    html = results_as_html(evil, said, [(evil, evil, evil)] * 9)
    assert "<script" not in html
    assert "script" not in tags(html).tags
    assert "and 1 more" in html


def test_a_report_shows_itself_in_a_window_without_scripts(results: Any, folder: Path) -> None:
    page = results.report()
    assert Path(page) == folder / "report.html"
    (frame,) = tags(page._repr_html_()).attributes
    assert frame["sandbox"] == ""
    assert frame["srcdoc"] == (folder / "report.html").read_text(encoding="utf-8")
    assert Page(folder / "none.html").path.name == "none.html"


def test_no_torch_is_needed(folder: Path) -> None:
    code = f"""
import sys, headstart
results = headstart.load({str(folder)!r})
results.best(), results.verdict, results.runs, results._repr_html_()
results.plot("speedup"), results.report()
sys.exit("torch" in sys.modules)
"""
    ended = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False
    )
    assert (ended.returncode, ended.stderr) == (0, "")


def damaged(folder: Path, tmp_path: Path, name: Any, damage: Any) -> Any:
    copy = Path(shutil.copytree(folder, tmp_path / "copy"))
    damage(copy / name)
    return copy


def test_damaged_tables_get_one_line(folder: Path, tmp_path: Path) -> None:
    def flip(path: Any) -> None:
        content = bytearray(path.read_bytes())
        content[40] ^= 1
        path.write_bytes(content)

    copy = damaged(folder, tmp_path, "results/rounds.parquet", flip)
    with pytest.raises(HeadstartError, match=r"rounds\.parquet"):
        headstart.load(copy)


def test_weights_that_are_gone_or_damaged_get_one_line(folder: Path, tmp_path: Path) -> None:
    best = headstart.load(folder).best()
    name = f"runs/{best.runs[0]}/weights.safetensors"
    copy = damaged(folder, tmp_path, name, lambda path: path.write_bytes(b"nothing"))
    again = headstart.load(copy).best()
    with pytest.raises(HeadstartError, match=r"weights\.safetensors is damaged"):
        again.weights(0)
    (copy / name).unlink()
    with pytest.raises(HeadstartError, match=r"weights\.safetensors is damaged \(it is gone\)"):
        again.weights(0)


WRONG = [
    (lambda r, f: headstart.load(3), "load: expected the folder of a study, got int"),  # type: ignore[arg-type]
    (lambda r, f: headstart.load(None), "load: expected the folder of a study, got NoneType"),  # type: ignore[arg-type]
    (lambda r, f: headstart.load("nowhere"),
     "load: expected the folder of a study, got 'nowhere', which is none"),
    (lambda r, f: headstart.load(f / "study.yaml"), "which is none"),
    (lambda r, f: headstart.load(f / "runs"), "runs.parquet: not found"),
    (lambda r, f: r.best("sur"), "start: unknown start 'sur'; did you mean 'sure'?"),
    (lambda r, f: r.best(3), "start: unknown start 3"),
    (lambda r, f: r.best().path(7), "seed: expected one of 0, 1, 2, got 7"),
    (lambda r, f: r.plot("speedp"), "panel: unknown panel 'speedp'; did you mean 'speedup'?"),
    (lambda r, f: r.plot("curvature"), "panel: this study cannot show 'curvature', which needs "),
    (lambda r, f: headstart.write_report(3),  # type: ignore[arg-type]
     "write_report: expected the folder of a study, got int"),
    (lambda r, f: headstart.write_report(f, 0), "processes: expected a whole number >= 1, got 0"),
    (lambda r, f: headstart.run_study("study.yaml", f),  # type: ignore[arg-type]
     "run_study: expected a study, as Study(task=..., model=...) or "
     "Study.load(path) makes one, got str"),
]  # fmt: skip


@pytest.mark.parametrize(("call", "line"), WRONG)
def test_what_is_not_there_gets_one_line(results: Any, folder: Path, call: Any, line: Any) -> None:
    with pytest.raises(HeadstartError) as caught:
        call(results, folder)
    assert line in str(caught.value)
    assert "\n" not in str(caught.value)


def test_the_settings_are_those_of_the_folder(results: Any) -> None:
    assert results.settings["seeds"] == [0, 1, 2]
    assert json.dumps(results.settings["starts"])
