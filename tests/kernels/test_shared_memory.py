"""Memory that a process shares with those that it forks."""

import multiprocessing

import torch

from headstart.kernels.shared_memory import shared_zeros


def test_shared_memory_has_the_forms_of_a_tree_and_is_written_by_a_fork() -> None:
    like = {
        "filters": torch.empty(2, 3, 4, 5).contiguous(memory_format=torch.channels_last),
        "half": torch.empty(3, dtype=torch.bfloat16),
        "one": torch.empty((), dtype=torch.float64),
        "nothing": torch.empty(0, 2),
    }
    zeros = shared_zeros(like)
    for name, leaf in like.items():
        assert (zeros[name].shape, zeros[name].stride()) == (leaf.shape, leaf.stride())
        assert zeros[name].dtype == leaf.dtype
        assert not zeros[name].any()
        assert zeros[name].data_ptr() % 64 == 0 or not leaf.numel()
    member = multiprocessing.get_context("fork").Process(target=lambda: zeros["filters"].fill_(7.0))
    member.start()
    member.join()
    assert bool((zeros["filters"] == 7).all())
    assert not zeros["half"].any()
    assert shared_zeros({}) == {}
