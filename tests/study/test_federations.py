"""What runs share is made once: executors, networks and clients."""

from dataclasses import replace

import numpy as np
import torch
from tests.study.small_studies import study

from headstart.study.federations import (
    clients_of_run,
    federation_of,
    holds,
    schedule_of,
    trained_network,
)

RUN = study(executor="loop").runs[0]


def test_runs_that_differ_in_rates_and_seed_share_what_computes_them() -> None:
    one = federation_of(RUN)
    other = federation_of(replace(RUN, seed=1, client_rate=0.7, server_rate=0.3))
    assert other.execute is one.execute
    assert other.network is one.network
    assert other.clients is not one.clients
    assert (other.client_rate, other.server_rate, other.seed) == (0.7, 0.3, 1)
    assert federation_of(RUN).clients is one.clients


def test_a_baseline_trains_one_client_on_all_rows_or_on_its_own() -> None:
    whole = clients_of_run(RUN)
    pooled = clients_of_run(replace(RUN, baseline="centralised"))
    alone = clients_of_run(replace(RUN, baseline="local", alone=3))
    assert (len(whole), len(pooled), len(alone)) == (10, 1, 1)
    assert sorted(pooled[0].tolist()) == sorted(np.concatenate(list(whole)).tolist())
    assert alone[0].tolist() == whole[3].tolist()


def test_what_is_not_trained_is_held_at_the_start() -> None:
    assert not holds(RUN)
    head = replace(RUN, trainable="head")
    assert holds(head)
    start = trained_network(RUN, None).state(5)
    network = trained_network(head, start)
    free = network.initial(0).keys()
    assert free < start.keys()
    assert network.held.keys() == start.keys() - free
    assert all(torch.equal(leaf, start[name]) for name, leaf in network.held.items())


def test_a_schedule_takes_its_batches_from_the_client_optimizer() -> None:
    full = study(clients="gd", executor="loop").runs[0]
    assert federation_of(full).schedule.batching == "full"
    assert schedule_of(RUN, federation_of(RUN).client).batching == "minibatch"
    assert schedule_of(RUN, federation_of(RUN).client).cohort == RUN.cohort
