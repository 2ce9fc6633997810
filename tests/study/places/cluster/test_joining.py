"""A cluster that is not there, and an address that is none, are one line each."""

import socket
import sys

import pytest

from headstart.errors import HeadstartError
from headstart.study.file.settings import PerRun
from headstart.study.places.cluster.joining import joined


def free_port() -> int:
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        return int(bound.getsockname()[1])


def refusal(address: str | None) -> str:
    with pytest.raises(HeadstartError) as refused, joined(address, PerRun(), 1):
        pass
    return str(refused.value)


def test_without_ray_it_says_how_to_have_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    line = refusal(None)
    assert line.startswith("--on ray needs ray (")
    assert line.endswith("pip install 'headstart[ray]'")


@pytest.mark.parametrize("address", ["ray://head:10001", "head", "head:", ":6379", "head:port"])
def test_what_is_no_address_is_refused(address: str) -> None:
    pytest.importorskip("ray", reason="Ray is not installed")
    assert refusal(address).startswith(
        "--address: expected the host and port of a cluster's head, such as 10.0.0.1"
    )


def test_where_nobody_answers_it_is_said_at_once() -> None:
    pytest.importorskip("ray", reason="Ray is not installed")
    address = f"127.0.0.1:{free_port()}"
    assert refusal(address).startswith(f"--address: no cluster answers at {address} (")
