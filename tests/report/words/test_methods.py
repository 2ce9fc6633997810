"""A pair goes by the name of its method, and no two pairs by one name."""

import itertools

import pytest

from headstart.clients.base import CLIENTS
from headstart.looks.competitors import Pair
from headstart.report.words import methods
from headstart.report.words.methods import method, short_method
from headstart.servers.base import SERVERS

WRITTEN = {
    ("sgd", "sgd"): "FedAvg",
    ("gd", "sgd"): "FedAvg with full-batch clients",
    ("proximal", "sgd"): "FedProx",
    ("nova", "sgd"): "FedNova",
    ("scaffold", "sgd"): "SCAFFOLD",
    ("mimelite", "sgd"): "MimeLite",
    ("sgd", "momentum"): "FedAvgM",
    ("sgd", "adam"): "FedAdam",
    ("sgd", "yogi"): "FedYogi",
    ("sgd", "adagrad"): "FedAdagrad",
    ("gd", "adam"): "FedAdam with full-batch clients",
    ("scaffold", "yogi"): "FedYogi with SCAFFOLD clients",
    ("sgd(momentum=0.9)", "sgd"): "FedAvg with SGD clients (momentum=0.9)",
    ("proximal(mu=0.1)", "adam(beta1=0.5)"): "FedAdam (beta1=0.5) with FedProx clients (mu=0.1)",
    ("sgd", "adam@flower-legacy(epsilon=0.1)"): "FedAdam (flower-legacy, epsilon=0.1)",
    ("mine:clipped(bound=1)", "adam"): "mine:clipped(bound=1) + adam",
}


@pytest.mark.parametrize(("pair", "written"), WRITTEN.items())
def test_pairs_have_the_names_of_papers(pair: tuple[str, str], written: str) -> None:
    assert method(Pair(*pair)) == written


def test_every_part_has_a_name_and_no_two_pairs_have_one() -> None:
    clients, servers = [entry.name for entry in CLIENTS], [entry.name for entry in SERVERS]
    pairs = list(itertools.starmap(Pair, itertools.product(clients, servers)))
    for named in (method, short_method):
        names = set(map(named, pairs))
        assert len(names) == len(pairs)
        assert not any(" + " in name for name in names)


def test_names_are_those_that_the_parts_declare() -> None:
    for server in SERVERS:
        assert methods.SERVERS[server.name] == server.known_as
    for client in CLIENTS:
        if client.known_as and client.name not in ("sgd", "gd"):
            assert methods.CLIENTS[client.name] == client.known_as
