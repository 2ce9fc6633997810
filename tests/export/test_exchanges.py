"""Weights are found in what an app sends, by their names or in their order."""

import torch

from headstart.export.exchanges import Carried, Exchange, described, distance, weights_in

X = {"w": torch.tensor([[3.0, 0.0]]), "b": torch.tensor([4.0])}


def test_weights_are_found_by_name_among_others() -> None:
    more = {"other": torch.zeros(9), "b": X["b"], "w": X["w"]}
    assert weights_in({"config": {"a": torch.zeros(1)}, "arrays": more}, X) == X


def test_weights_without_names_are_found_in_order() -> None:
    found = weights_in({"arrays": {"0": X["w"], "1": X["b"]}}, X)
    assert found is not None
    assert list(found) == ["w", "b"]
    assert weights_in({"arrays": {"0": X["b"], "1": X["w"]}}, X) is None


def test_weights_after_a_round_are_those_that_the_next_one_begins_with() -> None:
    y, z = {**X, "b": torch.ones(1)}, {**X, "b": torch.zeros(1)}
    rounds = [[Exchange(0, {"x": X})], [Exchange(1, {"x": y})]]
    carried = Carried(rounds, {}, {"x": z})
    assert [carried.weights(round_, X) for round_ in (1, 2, 3)] == [X, y, z]
    assert Carried(rounds, {}).weights(3, X) is None
    assert Carried(rounds, {2: {"x": z}}).weights(3, X) == z


def test_the_distance_is_relative() -> None:
    moved = {**X, "b": torch.tensor([4.5])}
    assert distance(moved, X, X) == 0.1  # 0.5 of 5
    assert described({}) == "no arrays"
