"""Versions are those of this process, and what differs is said."""

import platform

import torch

from headstart.study.places.cluster.versions import differences, versions


def test_a_process_is_like_itself_and_unlike_another() -> None:
    found = versions()
    assert platform.python_version().startswith(f"{found['python']}.")
    assert found["torch"] == torch.__version__
    assert differences(found, dict(found)) == ""
    assert differences({"torch": "1"}, {"torch": "2"}) == "torch 2 rather than 1"
    assert (
        differences({"headstart": "0.1.0 (ab)"}, {}) == "headstart missing rather than 0.1.0 (ab)"
    )
