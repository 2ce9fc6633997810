"""Random numbers from labels: every draw names what it is for.

A generator is a pure function of a seed and labels, made with the counter-based Philox (Salmon et
al., "Parallel random numbers: as easy as 1, 2, 3", SC 2011). Nothing depends on what was drawn
before, so a resumed run needs no generator state, and adding a draw in one place changes no draw in
another.

>>> cohort = generator(7, "cohort", 3).permutation(5)
>>> bool((cohort == generator(7, "cohort", 3).permutation(5)).all())
True
>>> key(7, "dropout", 3, 12) == key(7, "dropout", 12, 3)
False

Where many draws are wanted at once, each a function of whole numbers (a round, a client, a
position), `bits` hashes all of them in one go: for fixed labels and all numbers but the last it is
the stream of SplitMix64 (Steele, Lea, Flood, "Fast splittable pseudorandom number generators",
OOPSLA 2014).

>>> alone, among = uniform(7, "speed", at=(12,)), uniform(7, "speed", at=(np.arange(20),))
>>> bool(alone[0] == among[12])
True
"""

import hashlib

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

Label = str | int
Counter = int | npt.NDArray[np.int64]
_GOLDEN, _FIRST, _SECOND = (
    np.uint64(c) for c in (0x9E3779B97F4A7C15, 0xBF58476D1CE4E5B9, 0x94D049BB133111EB)
)


def digest(seed: int, *labels: Label) -> bytes:
    """16 bytes that depend on the seed, the labels, their types and their order."""
    return hashlib.blake2b(repr((int(seed), *labels)).encode(), digest_size=16).digest()


def key(seed: int, *labels: Label) -> int:
    """A whole number in [0, 2^31): a seed for a generator of another library, or a dropout key."""
    return int.from_bytes(digest(seed, *labels)[:4], "little") >> 1


def generator(seed: int, *labels: Label) -> np.random.Generator:
    """NumPy's generator for this purpose."""
    return np.random.Generator(
        np.random.Philox(key=int.from_bytes(digest(seed, *labels), "little"))
    )


def torch_generator(seed: int, *labels: Label) -> torch.Generator:
    """Torch's generator (CPU) for this purpose."""
    return torch.Generator().manual_seed(key(seed, *labels))


def bits(seed: int, *labels: Label, at: tuple[Counter, ...]) -> npt.NDArray[np.uint64]:
    """64 random bits for every combination of the whole numbers in `at`, arrays of which are
    broadcast.
    """
    hashed = np.frombuffer(digest(seed, *labels), np.uint64)[:1]
    for counter in at:
        hashed = hashed + (np.atleast_1d(counter).astype(np.uint64) + np.uint64(1)) * _GOLDEN
        hashed = (hashed ^ (hashed >> np.uint64(30))) * _FIRST
        hashed = (hashed ^ (hashed >> np.uint64(27))) * _SECOND
        hashed = hashed ^ (hashed >> np.uint64(31))
    return hashed


def uniform(seed: int, *labels: Label, at: tuple[Counter, ...]) -> npt.NDArray[np.float64]:
    """As `bits`, uniform in [0, 1), in steps of 2^-53."""
    return (bits(seed, *labels, at=at) >> np.uint64(11)).astype(np.float64) * 2.0**-53


def hash32(bits: Tensor) -> Tensor:
    """A bijection of int32 in which every input bit moves about half of the output bits.

    It is Wellons' lowbias32, of two multiplications (https://nullprogram.com/blog/2018/07/31/).
    Never on a scalar: under `vmap`, `torch.compile` (2.13) rounds the whole number that multiplies
    one to float32.
    """
    if bits.ndim == 0:
        return hash32(bits.reshape(1)).reshape(())
    bits = (bits ^ _shift(bits, 16)) * 0x7FEB352D
    bits = (bits ^ _shift(bits, 15)) * (0x846CA68B - (1 << 32))
    return bits ^ _shift(bits, 16)


def step_key(key: Tensor, step: int | Tensor) -> Tensor:
    """The dropout key of one local step from that of a client's round; int32 scalars."""
    return hash32(key ^ hash32(torch.as_tensor(step, dtype=torch.int32) + 1))


def _shift(bits: Tensor, by: int) -> Tensor:
    """Logical shift right of int32 (torch shifts arithmetically)."""
    return (bits >> by) & (0x7FFFFFFF >> (by - 1))
