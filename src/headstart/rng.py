"""Random numbers from labels: every draw names what it is for.

A generator is a pure function of a seed and labels, made with the counter-based Philox (Salmon et al.,
"Parallel random numbers: as easy as 1, 2, 3", SC 2011). Nothing depends on what was drawn before, so a resumed
run needs no generator state, and adding a draw in one place changes no draw in another.

>>> cohort = generator(7, "cohort", 3).permutation(5)
>>> bool((cohort == generator(7, "cohort", 3).permutation(5)).all())
True
>>> key(7, "dropout", 3, 12) == key(7, "dropout", 12, 3)
False
"""

import hashlib

import numpy as np
import torch

Label = str | int


def digest(seed: int, *labels: Label) -> bytes:
    """16 bytes that depend on the seed, the labels, their types and their order."""
    return hashlib.blake2b(repr((int(seed), *labels)).encode(), digest_size=16).digest()


def key(seed: int, *labels: Label) -> int:
    """A whole number in [0, 2^31): a seed for a generator of another library, or a dropout key."""
    return int.from_bytes(digest(seed, *labels)[:4], "little") >> 1


def generator(seed: int, *labels: Label) -> np.random.Generator:
    """NumPy's generator for this purpose."""
    return np.random.Generator(np.random.Philox(key=int.from_bytes(digest(seed, *labels), "little")))


def torch_generator(seed: int, *labels: Label) -> torch.Generator:
    """Torch's generator (CPU) for this purpose."""
    return torch.Generator().manual_seed(key(seed, *labels))
