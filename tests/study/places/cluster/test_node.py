"""A node carries out an item in a copy of the folder, and says why it cannot."""

from pathlib import Path
from typing import Any

import pytest

from headstart.child_processes import IsStopping
from headstart.errors import HeadstartError
from headstart.study.events import Ended, Measured
from headstart.study.places.cluster import node
from headstart.study.places.cluster.packing import Packing
from headstart.study.places.cluster.versions import versions
from headstart.study.stream import carry_out

pytest.importorskip("ray", reason="Ray is not installed")


def runs_in(out: Path, item: Any, is_stopping: IsStopping) -> Any:
    return carry_out(out, item, is_stopping, 0.0)


def refused(out: Path, item: Any, is_stopping: IsStopping) -> Any:
    raise HeadstartError("what is wrong")


def faulty(out: Path, item: Any, is_stopping: IsStopping) -> Any:
    raise ZeroDivisionError("by nothing")


def request(stream_in: Any, item: Any) -> bytes:
    return Packing().packed((stream_in, item, {}))


def test_an_item_says_what_it_says_here(study: Any, tmp_path: Path) -> None:
    group = (study.runs[0],)
    told = []
    for kind, content in node.messages(versions(), request(runs_in, group), []):
        assert kind == "events"
        told += Packing().unpacked(content)  # type: ignore[arg-type]
    ends = [event for event in told if isinstance(event, Ended)]
    assert [end.run for end in ends] == [study.runs[0]]
    rows = [row for event in told if isinstance(event, Measured) for row in event.rows]
    assert rows == list(ends[0].rows)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("expected", "stream_in", "kind", "said"),
    [
        ({"python": "2.7"}, runs_in, "unfit", "rather than 2.7 on node "),
        (versions(), refused, "refused", "what is wrong"),
        (versions(), faulty, "fault", "ZeroDivisionError: by nothing"),
    ],
)
def test_what_cannot_be_done_is_said(expected: Any, stream_in: Any, kind: str, said: str) -> None:
    ((found, why),) = node.messages(expected, request(stream_in, ()), [])
    assert found == kind
    assert said in str(why)
