"""What a machine is."""

import os

import pytest

from headstart import machine


def test_memory_is_pages_by_their_size(monkeypatch: pytest.MonkeyPatch) -> None:
    pages = {"SC_PAGE_SIZE": 4096, "SC_PHYS_PAGES": 1000}
    monkeypatch.setattr(os, "sysconf", pages.__getitem__)
    assert machine.memory() == 4_096_000


def test_a_processor_has_its_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "cpu_count", lambda: 7)
    assert machine.processor().endswith(", 7 cores")
