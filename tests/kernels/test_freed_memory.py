"""What was freed is there for the next step: the system need not hand out its pages again."""

import platform
import subprocess
import sys

import pytest

STEPS = """
import resource
import sys
import threading
import torch
from headstart.kernels.freed_memory import kept_for_the_next_step

def step():
    layers = [torch.ones(2**19) for _ in range(10)]

def steps(pages):
    new = []
    for _ in range(6):
        before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
        step()
        new.append(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
    pages.append(min(new))

torch.set_num_threads(1)
if "keep" in sys.argv:
    assert kept_for_the_next_step()
pages = []
steps(pages)
thread = threading.Thread(target=steps, args=(pages,))
thread.start()
thread.join()
print(*pages)
"""


def pages_of_a_step(*arguments: str) -> list[int]:
    """The pages that a step of 20 MiB takes from the system, in the first thread and in another."""
    command = [sys.executable, "-c", STEPS, *arguments]
    return [int(word) for word in subprocess.check_output(command, text=True).split()]


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="another C library")
def test_a_step_takes_no_new_pages_where_freed_memory_is_kept() -> None:
    """20 MiB are 5,120 pages of 4 KiB. (A system with huge pages takes fewer, and may pass either
    way.)
    """
    assert max(pages_of_a_step("keep")) < 100
