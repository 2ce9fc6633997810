"""The first replay of a recording: right whatever strides torch promised,
and never waiting for anybody.
"""

import threading

import torch
from torch.fx.experimental.proxy_tensor import make_fx
from tqdm import tqdm

from headstart.kernels.strides import first_replay


def step(inputs: torch.Tensor, kernel: torch.Tensor) -> list[torch.Tensor]:
    activated = torch.nn.functional.elu(torch.conv2d(inputs, kernel))
    return [activated.reshape(len(inputs), -1).sum(1), activated]


def test_it_gives_what_the_function_gives_and_so_do_all_that_follow() -> None:
    leaves = [torch.arange(72.0).reshape(2, 1, 6, 6) / 36 - 1, torch.ones(3, 1, 3, 3)]
    module = make_fx(step, tracing_mode="fake")(*leaves)
    expected = step(*leaves)
    for results in (first_replay(module, leaves), module.forward(*leaves)):
        assert all(torch.equal(one, other) for one, other in zip(results, expected, strict=True))


def test_it_takes_no_lock_that_a_killed_process_could_hold_for_ever() -> None:
    """The lock of tqdm is shared by all processes that are forked;
    torch's own interpreter takes it.
    """
    leaves = [torch.ones(2, 1, 6, 6), torch.ones(3, 1, 3, 3)]
    module = make_fx(step, tracing_mode="fake")(*leaves)
    with tqdm.get_lock():
        replay = threading.Thread(target=first_replay, args=(module, leaves), daemon=True)
        replay.start()
        replay.join(timeout=20)
        assert not replay.is_alive()
