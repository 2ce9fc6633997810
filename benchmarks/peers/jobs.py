"""The benchmark jobs as plain data: what every simulator is asked to train. Needs numpy only.

One local epoch of plain SGD on random data of the right shape, dropout on, mean weighted by
samples, no evaluation. The jobs have the sizes that other simulators' benchmarks have:

- cifar-cnn: the CIFAR-10 job of pfl-research (arXiv 2404.06430, section 4): 50 samples a client,
  cohort 50, batch 10.
- femnist-cnn: the FEMNIST job of FLUTE (arXiv 2203.13789) with the network of Reddi et al. (arXiv
  2003.00295, table 4).
- cifar-squeezenet: SqueezeNet 1.0 (arXiv 1602.07360) with 10 outputs on 32x32 images.
- cifar-resnet8: ResNet-8 of He et al. (arXiv 1512.03385, section 4.2) with two groups in each
  GroupNorm, its shortcuts without parameters, on clients of four full batches.
- digits-mlp: scikit-learn's digits (8x8), flatten-64-ReLU-10; so small that it measures overhead.
- shakespeare-lstm: LEAF's network for Shakespeare (arXiv 1812.01097: 80 characters, embedding 8,
  two layers of 256) with the batch, cohort and 90 characters of Reddi et al.
- stackoverflow-gpt2: a GPT-2 of 4 layers, 256 wide, 4 heads, output tied to the embedding, over the
  10,000 words of the Stack Overflow task of Reddi et al.; no dropout.
"""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

COUNTS_FILE = "femnist_digits_writer_label_counts.npy"
SIZE_MU, SIZE_SIGMA = np.log(104.0), 0.25
"""Log-normal client sizes of femnist-cnn: the median of FEMNIST's digits is 104 a writer;
clipped to [8, 400].
"""


@dataclass(frozen=True)
class Job:
    """A job; `samples` of each client, or None for femnist-cnn's unequal sizes.

    `input_shape` is [channels, h, w], or [tokens], of which a sample is then a row, and each has a
    label.
    """

    model: str
    input_shape: tuple[int, ...]
    classes: int
    clients: int
    samples: int | None
    cohort: int
    batch_size: int
    client_rate: float

    @property
    def predicts_tokens(self) -> bool:
        """Whether a sample is a row of tokens."""
        return len(self.input_shape) == 1

    def sizes(self) -> NDArray[np.int64]:
        """Training samples of each client.

        Unequal sizes are log-normal from a seeded Philox generator; where HEADSTART_DATA is a
        folder that holds `femnist_digits_writer_label_counts.npy`, they are the row sums of that
        table (3,382 writers).
        """
        if self.samples is not None:
            return np.full(self.clients, self.samples, dtype=np.int64)
        counts = Path(os.environ.get("HEADSTART_DATA", "")) / COUNTS_FILE
        if "HEADSTART_DATA" in os.environ and counts.is_file():
            return np.load(counts, allow_pickle=False).sum(axis=1).astype(np.int64)
        normal = np.random.Generator(np.random.Philox(key=3400)).standard_normal(self.clients)
        return np.clip(np.exp(SIZE_MU + SIZE_SIGMA * normal), 8, 400).astype(np.int64)


JOBS = {
    "digits-mlp": Job("mlp", (1, 8, 8), 10, 100, 18, 20, 8, 0.1),
    "cifar-cnn": Job("cnn", (3, 32, 32), 10, 100, 50, 50, 10, 0.1),
    "cifar-squeezenet": Job("squeezenet", (3, 32, 32), 10, 20, 100, 10, 32, 0.01),
    "cifar-resnet8": Job("resnet8", (3, 32, 32), 10, 20, 128, 10, 32, 0.01),
    "femnist-cnn": Job("cnn", (1, 28, 28), 62, 3400, None, 10, 20, 0.1),
    "shakespeare-lstm": Job("lstm", (80,), 90, 20, 16, 10, 4, 1.0),
    "stackoverflow-gpt2": Job("gpt2", (64,), 10_000, 20, 32, 10, 16, 0.1),
}


class Clients:
    """Random inputs [N, C, H, W] (float32, normal) and labels [N] (int64) of a job, cut into
    clients.

    Of text: tokens [N, T] and those that come next [N, T] (int64).
    """

    def __init__(self, job: Job) -> None:
        draw = np.random.Generator(np.random.Philox(key=0))
        sizes = job.sizes()
        shape = (int(sizes.sum()), *job.input_shape)
        if job.predicts_tokens:
            self.inputs, self.labels = draw.integers(
                1, job.classes, size=(2, *shape), dtype=np.int64
            )
        else:
            self.inputs = draw.standard_normal(shape, dtype=np.float32)
            self.labels = draw.integers(job.classes, size=len(self.inputs), dtype=np.int64)
        self.ends = np.cumsum(sizes)
        self.begins = self.ends - sizes

    def __len__(self) -> int:
        return len(self.ends)

    def __getitem__(self, client: int) -> tuple[NDArray[Any], NDArray[np.int64]]:
        rows = slice(self.begins[client], self.ends[client])
        return self.inputs[rows], self.labels[rows]
