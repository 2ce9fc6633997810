"""How fast a cohort is trained: jobs on random data of the right shape, measured over whole rounds.

One local epoch of plain SGD, means weighted by samples, dropout on, no evaluation. `digits-mlp`,
`cifar-cnn` and `cifar-squeezenet` are sized as other simulators' benchmarks are (pfl-research,
arXiv 2404.06430, for cifar-cnn); `femnist-cnn` as FLUTE's (arXiv 2203.13789), with log-normal
client sizes of the mean and spread of FEMNIST's digits. `shakespeare-lstm` is LEAF's network for
Shakespeare (arXiv 1812.01097: 80 characters, embedding 8, two layers of 256) with the batch, cohort
and 90 characters of Reddi et al. (arXiv 2003.00295); `stackoverflow-gpt2` a GPT-2 of 4 layers, 256
wide, over the 10,000 words of their Stack Overflow task.
"""

import multiprocessing
import resource
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch.utils.flop_counter import FlopCounterMode

from headstart import rng
from headstart.clients.base import CLIENTS
from headstart.engine.devices import DEVICES, Ints
from headstart.engine.executors.auto import fastest
from headstart.engine.executors.base import EXECUTORS
from headstart.engine.federation import Federation, begin
from headstart.engine.plan import PAD, Population, plan
from headstart.engine.refusals import check_device
from headstart.errors import HeadstartError, nearest
from headstart.kernels.threads import torch_threads
from headstart.models.network import MODELS, Network, Precision
from headstart.probes.evaluation import evaluate
from headstart.servers.base import SERVERS
from headstart.study.data import CPU
from headstart.study.executor_choice import timed
from headstart.study.federations import assembled
from headstart.study.file.run_spec import Settings
from headstart.study.rounds import advance
from headstart.tasks.base import Examples, Task, classification
from headstart.tasks.text.next_token import next_token


@dataclass(frozen=True)
class Job:
    """`samples` of each client, or None for log-normal sizes with median 104 (the median of
    FEMNIST's digits).

    `input_shape` is that of an image, or [tokens], of which a sample then is a row, and each has a
    target.
    """

    model: str
    input_shape: tuple[int, ...]
    outputs: int
    clients: int
    samples: int | None
    cohort: int
    batch_size: int
    client_rate: float

    @property
    def predicts_tokens(self) -> bool:
        """Whether a sample is a row of tokens."""
        return len(self.input_shape) == 1

    def sizes(self) -> Ints:
        """The number of training samples of each client."""
        if self.samples is not None:
            return np.full(self.clients, self.samples)
        # As `benchmarks/peers` draws them.
        normal = np.random.Generator(np.random.Philox(key=3400)).standard_normal(self.clients)
        sizes: Ints = np.clip(np.exp(np.log(104) + 0.25 * normal), 8, 400).astype(np.int64)
        return sizes


JOBS = {
    "digits-mlp": Job("mlp(hidden=[64])", (1, 8, 8), 10, 100, 18, 20, 8, 0.1),
    "cifar-cnn": Job("cnn", (3, 32, 32), 10, 100, 50, 50, 10, 0.1),
    "cifar-squeezenet": Job(
        "squeezenet1_0(last_relu=True)", (3, 32, 32), 10, 20, 100, 10, 32, 0.01
    ),
    "cifar-resnet8": Job("resnet8", (3, 32, 32), 10, 20, 128, 10, 32, 0.01),
    "cifar-resnet18": Job("resnet18", (3, 32, 32), 10, 20, 100, 10, 32, 0.01),
    "femnist-cnn": Job("cnn", (1, 28, 28), 62, 3400, None, 10, 20, 0.1),
    "shakespeare-lstm": Job("lstm", (80,), 90, 20, 16, 10, 4, 1.0),
    "stackoverflow-gpt2": Job("gpt2", (64,), 10_000, 20, 32, 10, 16, 0.1),
}

AT_LEAST_SECONDS = 1.0
"""That are measured."""
TEST_ROWS = 10_000
"""That are evaluated, at most; they are rows of the training split, as what they are does not
matter.
"""


def measure(
    job_name: str,
    executor: str = "stacked",
    precision: Precision = "fp32",
    device: str = "cpu",
    rounds: int = 5,
    warm_up: int = 2,
    every: int = 0,
) -> dict[str, Any]:
    """Train `rounds` rounds after `warm_up` ones that are not counted, and report the speed.

    More rounds are trained until they have taken a second: several are planned at a time.

    Returns samples_per_second and seconds_per_round (means over the rounds), seconds_in_all (of the
    rounds, and where `every` is given of an evaluation on up to 10,000 rows after each so many),
    seconds_to_prepare (what the first round took longer: recording, compiling), peak_rss_mib (of
    this process, and what those that it started hold alone), flops_per_sample (forward and
    backward), share_of_peak (of one large matrix product of this precision on as many threads), and
    what was measured; of `auto` the executor that it chose, and why.

    Args:
        job_name: one of `JOBS`.
        executor: an executor as a study file names it.
        precision: of training passes.
        device: where it is computed.
        rounds: the rounds that are timed, at least.
        warm_up: rounds before them.
        every: evaluate after each so many rounds; 0 for never.

    Raises:
        HeadstartError: unknown job or executor.
    """
    if job_name not in JOBS:
        raise HeadstartError(f"unknown benchmark {job_name!r}{nearest(job_name, JOBS)}")
    check_device(device)
    job, place = JOBS[job_name], torch.device(device)
    timings = timed(federation_of(job, "loop", precision, place))[0] if executor == "auto" else {}
    executor = fastest(timings) if timings else executor
    federation = federation_of(job, executor, precision, place)
    network, task = federation.network, federation.task
    state = begin(federation, network.initial(0))

    def seconds_of_round() -> float:
        nonlocal state
        network.wait()
        began = time.perf_counter()
        state, _ = advance([federation], {0: state}, watched=False)[0]
        network.wait()
        return time.perf_counter() - began

    first, *_ = [seconds_of_round() for _ in range(max(1, warm_up))]
    training = evaluating = 0.0
    done = 0
    while done < rounds or training < AT_LEAST_SECONDS:
        done, training = done + 1, training + seconds_of_round()
        if every and done % every == 0:
            began = time.perf_counter()
            evaluate(network, state.x, [task.test], task.objective, 1024)
            evaluating += time.perf_counter() - began
    of_rounds = [
        plan(0, round_, federation.clients, federation.schedule)
        for round_ in range(state.round - done + 1, state.round + 1)
    ]
    flops, threads = _flops_per_sample(federation), _threads(executor)
    speed = sum(int((drawn.rows_KSB != PAD).sum()) for drawn in of_rounds) / training
    return {
        "job": job_name,
        "executor": executor,
        "precision": precision,
        "device": device,
        "samples_per_second": round(speed, 1),
        "seconds_per_round": round(training / done, 6),
        "seconds_in_all": round(training + evaluating, 3),
        "seconds_to_prepare": round(max(0.0, first - training / done), 3),
        "peak_rss_mib": round(_peak_kib() / 1024, 1),
        "flops_per_sample": flops,
        "share_of_peak": round(speed * flops / _peak_flops(network, precision, threads), 4),
        "threads": threads,
        "rounds": done,
        **(
            {"timings": {name: timing._asdict() for name, timing in timings.items()}}
            if timings
            else {}
        ),
    }


def federation_of(
    job: Job, executor: str, precision: Precision, device: torch.device = CPU
) -> Federation:
    """Build the federation of a job, with data that are drawn."""
    sizes = job.sizes()
    total = int(sizes.sum())
    draw = rng.torch_generator(0, "benchmark data")
    if job.predicts_tokens:
        inputs, targets = torch.randint(
            1, job.outputs, (2, total, *job.input_shape), generator=draw
        )
        objective = next_token(ignored=0)
    else:
        inputs = torch.randn(total, *job.input_shape, generator=draw)
        targets, objective = torch.randint(job.outputs, (total,), generator=draw), classification
    train = Examples(inputs, targets)
    test = Examples(inputs[:TEST_ROWS], targets[:TEST_ROWS])
    task = Task("benchmark", train, test, test, job.outputs, objective).to(device)
    model = MODELS.component(job.model)
    network = Network(
        lambda: MODELS.build(model, job.input_shape, job.outputs),
        precision=precision,
        device=device,
    )
    client = CLIENTS.build(CLIENTS.component("sgd"))
    value = EXECUTORS.build(EXECUTORS.component(executor, "executor"))
    ends = np.cumsum(sizes)
    clients = Population(
        [np.arange(end - size, end) for end, size in zip(ends, sizes, strict=True)]
    )
    execute = value.compute_for(network, task, client)
    settings = Settings(
        server=SERVERS.component("sgd"),
        devices=DEVICES.component("equal"),
        local_epochs=1,
        client_rate=job.client_rate,
        server_rate=1.0,
        seed=0,
        cohort=job.cohort,
        batch_size=job.batch_size,
    )
    return assembled(network, task, clients, client, execute, settings)


def _peak_kib() -> int:
    """The most that this process took, and what each one that it started holds and shares with
    nobody.
    """
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for process in multiprocessing.active_children():
        fields = Path(f"/proc/{process.pid}/smaps_rollup").read_text().splitlines()
        peak += sum(int(line.split()[1]) for line in fields if line.startswith("Private_"))
    return peak


def _threads(executor: str) -> int:
    """How many compute at once: the workers of the executor, or torch's own threads."""
    return EXECUTORS.build(EXECUTORS.component(executor)).workers or torch.get_num_threads()


def _flops_per_sample(federation: Federation) -> int:
    network, task = federation.network, federation.task
    y = {name: leaf.requires_grad_() for name, leaf in network.initial(0).items()}
    with FlopCounterMode(display=False) as counter:
        outputs = network(
            y, task.train.inputs[:4], torch.zeros((), dtype=torch.int32, device=network.device)
        )
        loss = task.objective(outputs, task.train.targets[:4]).loss_B.sum()
        loss.backward()  # type: ignore[no-untyped-call]
    return int(counter.get_total_flops()) // 4


def _peak_flops(
    network: Network, precision: Precision, threads: int, size: int = 1536, repetitions: int = 6
) -> float:
    """Floating-point operations a second of a square matrix product, the best of a few."""
    dtype = torch.bfloat16 if precision == "bf16" else torch.float32
    a, b = torch.ones(2, size, size, device=network.device, dtype=dtype)
    best = float("inf")
    with torch_threads(threads):
        for _ in range(repetitions):
            began = time.perf_counter()
            torch.mm(a, b)
            network.wait()
            best = min(best, time.perf_counter() - began)
    return 2 * size**3 / best
