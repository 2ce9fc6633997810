"""A run's key: a function of all that its result depends on, and of nothing else."""

from dataclasses import replace

from tests.study.small_studies import study

from headstart.study.file.run_spec import LATER, PLACEMENT

RUN = study().runs[0]


def test_what_a_result_depends_on_is_in_the_key() -> None:
    others = [
        replace(RUN, seed=1),
        replace(RUN, client_rate=0.3),
        replace(RUN, rounds=RUN.rounds + 1),
        replace(RUN, trainable="head"),
        replace(RUN, client=study(clients="gd").runs[0].client),
    ]
    keys = {RUN.key, *(run.key for run in others)}
    assert len(keys) == 6
    assert all(len(key) == 16 and int(key, 16) >= 0 for key in keys)


def test_room_for_rows_and_what_is_kept_is_not() -> None:
    assert set(PLACEMENT) == {"data_mib", "keep_weights"}
    assert replace(RUN, data_mib=1, keep_weights="both").key == RUN.key
    assert not PLACEMENT & RUN.spec().keys()


def test_fields_that_came_later_change_no_key_at_their_defaults() -> None:
    assert LATER["trainable"] == "all"
    assert "trainable" not in RUN.spec()
    assert replace(RUN, trainable="head").spec()["trainable"] == "head"


def test_a_run_says_what_it_is() -> None:
    assert str(RUN) == (
        f"random, sgd, sgd, iid, equal, 1 local epoch, rates {RUN.client_rate:g} and "
        f"{RUN.server_rate:g}, seed 0"
    )
    alone = replace(RUN, baseline="local", alone=3)
    assert str(alone).startswith("client 3 alone: random, ")
    assert RUN.row["run"] == RUN.key
