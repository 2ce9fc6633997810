"""What is packed for a node and back is the same; where it was written is named there by a folder
of the node's.
"""

from pathlib import Path

import pytest
from tests.study.small_studies import study

from headstart.study.places.cluster.packing import Packing

pytest.importorskip("ray", reason="Ray is not installed")


def test_a_run_goes_to_a_node_and_back(tmp_path: Path) -> None:
    run = study().runs[0]
    driver, node = Packing(), Packing(tmp_path)
    there = node.unpacked(driver.packed(run))
    assert there.key == run.key
    assert there.task.origin.folder == tmp_path
    assert there.task.origin.allow == run.task.origin.allow
    back = driver.unpacked(node.packed(there))
    assert back == run
    assert back.task.origin == run.task.origin


def test_functions_without_a_module_are_packed() -> None:
    packing = Packing()
    assert packing.unpacked(packing.packed(lambda x: x + 1))(2) == 3
