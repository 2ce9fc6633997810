"""Clients that know their own rows alone, and a server that knows none, train as the study did."""

from pathlib import Path

import pytest
import torch
from safetensors.torch import load, load_file

from headstart.errors import HeadstartError
from headstart.export.deployment import Contribution, Deployment, bare_task, examples
from headstart.export.recipe import FILE, Scaling
from headstart.export.study_rows import rows_of
from headstart.tasks.base import Pixels, classification
from headstart.trees import Tree

from .conftest import CLIENTS, Choose


@pytest.mark.parametrize("client", CLIENTS)
def test_a_deployment_ends_in_the_weights_of_the_study(
    client: str, out: Path, choose: Choose, tmp_path: Path
) -> None:
    found = choose(client)
    recipe = found.recipe
    (tmp_path / FILE).write_text(recipe.text())
    deployment = Deployment.of(recipe, tmp_path)
    x, held = deployment.parted(load(found.content))
    state = deployment.begin(x)
    memories: dict[int, Tree] = {}
    for _ in range(recipe.rounds):
        sent, answers = deployment.sent(state, held), []
        for number in deployment.cohort(sent.round, range(recipe.population)):
            rows = examples(*rows_of(tmp_path, number), recipe)
            local = deployment.work(sent, number, rows, memories.get(number, {}))
            assert local is not None
            memories[number] = local.upload.memory
            answers.append(Contribution(number, len(rows), local.upload))
        state = deployment.advance(state, answers[::-1], recipe.population)  # as they may come
    ended = load_file(out / "runs" / recipe.run / "weights.safetensors")
    assert set(ended) == set(state.x)
    for name, leaf in state.x.items():
        torch.testing.assert_close(leaf, ended[name], rtol=0, atol=0)


def test_the_steps_are_those_of_the_plan_or_all_local_epochs(
    choose: Choose, tmp_path: Path
) -> None:
    found = choose("nova")
    (tmp_path / FILE).write_text(found.recipe.text())
    taus = {}
    for by_plan in (True, False):
        deployment = Deployment.of(found.recipe, tmp_path, cohorts_of_plan=by_plan)
        sent = deployment.sent(deployment.begin(load(found.content)), {})
        rows = examples(*rows_of(tmp_path, 0), found.recipe)
        steps = []
        for round_ in range(1, 20):
            local = deployment.work(sent._replace(round=round_), 0, rows, {})
            assert local is not None
            steps.append(int(local.upload.message["a"]))
        taus[by_plan] = set(steps)
    epoch = -(-len(rows) // 64)
    assert taus == {True: {epoch, 2 * epoch}, False: {epoch}}


def test_without_answers_the_weights_stay(choose: Choose, tmp_path: Path) -> None:
    found = choose("sgd")
    deployment = Deployment.of(found.recipe, tmp_path)
    before = deployment.begin(load(found.content))
    after = deployment.advance(before, [], 4)
    assert after.round == 1
    assert all(after.x[name].equal(leaf) for name, leaf in before.x.items())


def test_a_mean_is_weighted_by_rows_or_alike(choose: Choose, tmp_path: Path) -> None:
    found = choose("sgd", "sgd")
    one = {name: torch.ones_like(leaf) for name, leaf in load(found.content).items()}
    for weighting, expected in (("samples", 0.1 * 0.75), ("uniform", 0.1 * 0.5)):
        recipe = found.recipe.model_copy(update={"weighting": weighting})
        deployment = Deployment.of(recipe, tmp_path)
        state = deployment.begin(one)
        nothing = {name: torch.zeros_like(leaf) for name, leaf in one.items()}
        from headstart.clients.base import Upload

        answers = [
            Contribution(0, 30, Upload(one, {}, {})),
            Contribution(1, 10, Upload(nothing, {}, {})),
        ]
        for leaf in deployment.advance(state, answers, 4).x.values():
            torch.testing.assert_close(leaf, torch.full_like(leaf, 1 - expected))


def test_what_is_not_trained_is_held(choose: Choose, tmp_path: Path) -> None:
    found = choose("sgd")
    recipe = found.recipe.model_copy(update={"trainable": "head"})
    deployment = Deployment.of(recipe, tmp_path)
    x, held = deployment.parted(load(found.content))
    assert {name.split(".")[0] for name in x}.isdisjoint(name.split(".")[0] for name in held)
    assert len(x) == len(held) == 2
    (tmp_path / FILE).write_text(recipe.text())
    rows = examples(*rows_of(tmp_path, 0), recipe)
    local = deployment.work(deployment.sent(deployment.begin(x), held), 0, rows, {})
    assert local is not None
    assert set(local.upload.update) == set(x)


def test_the_bare_task_scores_and_scales_as_the_study(choose: Choose) -> None:
    recipe = choose("sgd").recipe
    assert bare_task(recipe).objective is classification
    scaled = bare_task(recipe.model_copy(update={"scaling": Scaling(mean=[0.5], deviation=[0.25])}))
    made = scaled.prepare()
    assert isinstance(made, Pixels)
    assert made(torch.tensor([[[[255]]]], dtype=torch.uint8)).item() == 2.0
    text = bare_task(recipe.model_copy(update={"loss": "next_token", "ignored": 0}))
    scores = text.objective(torch.zeros(1, 3, 10), torch.tensor([[1, 2, 0]]))
    assert scores.count_B.item() == 2


def test_rows_that_do_not_fit_are_one_line(choose: Choose) -> None:
    recipe = choose("sgd").recipe
    for inputs, targets in ((torch.zeros(3, 64), 3), (torch.zeros(3, 1, 8, 8), 2)):
        with pytest.raises(HeadstartError, match=r"load_data: expected inputs \[N, 1, 8, 8\]"):
            examples(inputs, torch.zeros(targets), recipe)
