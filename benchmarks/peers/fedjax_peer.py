"""FedJAX (PyPI `fedjax`): its federated averaging (`for_each_client`), client data in memory,
networks in Haiku.

shakespeare-lstm is FedJAX's own model for Shakespeare, which has the job's sizes; it ships no
GPT-2. The backend is `jit`, FedJAX's default on CPU. FedJAX fills a client's last batch with
further rows of the same client; they are trained, so they are counted.
"""

import sys
import time
from importlib.metadata import version
from typing import Any

from jobs import JOBS, Clients, Job
from measure import WARM_UP, parser, report


def main() -> None:
    options = parser(__doc__).parse_args()
    if JOBS[options.job].model in ("gpt2", "resnet8"):
        sys.exit("FedJAX ships no GPT-2 and no ResNet with GroupNorm")
    seconds, samples = run(JOBS[options.job], options.rounds)
    report("FedJAX", f"{version('fedjax')}, jax {version('jax')}", options.job, seconds, samples)


def run(job: Job, rounds: int) -> tuple[list[float], list[int]]:
    """Seconds and samples of each measured round."""
    import haiku as hk
    import jax

    # FedJAX 0.0.17 still calls `jax.tree_map`, which JAX removed in 0.6; the same function under
    # its new name.
    if not hasattr(jax, "tree_map"):
        jax.tree_map = jax.tree_util.tree_map
    if not hasattr(jax.numpy, "NINF"):  # likewise, in its models of text
        jax.numpy.NINF = -jax.numpy.inf
    import fedjax
    from fedjax.algorithms import fed_avg

    clients = Clients(job)
    # Channels last, as JAX's convolutions on CPU and Haiku's defaults have them.
    data = {
        str(client).encode(): {
            "x": clients[client][0]
            if job.predicts_tokens
            else clients[client][0].transpose(0, 2, 3, 1).copy(),
            "y": clients[client][1],
        }
        for client in range(len(clients))
    }
    federation = fedjax.InMemoryFederatedData(data)
    if job.predicts_tokens:
        # Its four marks come on top.
        model = fedjax.models.shakespeare.create_lstm_model(vocab_size=job.classes - 4)
    else:
        example = {name: value[:1] for name, value in next(iter(data.values())).items()}
        model = fedjax.create_model_from_haiku(
            transformed_forward_pass=hk.transform(lambda batch: _network(job, batch["x"])),
            sample_batch=example,
            train_loss=lambda batch, logits: fedjax.metrics.unreduced_cross_entropy_loss(
                batch["y"], logits
            ),
        )
    algorithm = fed_avg.federated_averaging(
        grad_fn=fedjax.model_grad(model),
        client_optimizer=fedjax.optimizers.sgd(job.client_rate),
        server_optimizer=fedjax.optimizers.sgd(1.0),
        client_batch_hparams=fedjax.ShuffleRepeatBatchHParams(batch_size=job.batch_size),
    )
    sampler = fedjax.client_samplers.UniformGetClientSampler(federation, job.cohort, seed=0)
    state = algorithm.init(model.init(jax.random.PRNGKey(0)))
    seconds, samples = [], []
    for _ in range(WARM_UP + rounds):
        began = time.perf_counter()
        cohort = sampler.sample()
        state, _ = algorithm.apply(state, cohort)
        jax.block_until_ready(state.params)
        seconds.append(time.perf_counter() - began)
        samples.append(
            sum(-(-len(client) // job.batch_size) * job.batch_size for _, client, _ in cohort)
        )
    return seconds[WARM_UP:], samples[WARM_UP:]


def _network(job: Job, x: Any) -> Any:
    """Logits [B, classes] of images [B, h, w, channels], in training mode."""
    import haiku as hk
    import jax

    def dropout(x: Any, rate: float) -> Any:
        return hk.dropout(hk.next_rng_key(), rate, x)

    def convolution(
        x: Any, channels: int, size: int, stride: int = 1, padding: str = "VALID"
    ) -> Any:
        return jax.nn.relu(hk.Conv2D(channels, size, stride, padding=padding)(x))

    def pool(x: Any, size: int, padding: str = "VALID") -> Any:
        return hk.max_pool(x, (1, size, size, 1), (1, 2, 2, 1), padding)

    def fire(x: Any, squeeze: int, expand: int) -> Any:
        x = convolution(x, squeeze, 1)
        return jax.numpy.concatenate(
            [convolution(x, expand, 1), convolution(x, expand, 3, padding="SAME")], axis=-1
        )

    if job.model == "mlp":
        return hk.Linear(job.classes)(jax.nn.relu(hk.Linear(64)(hk.Flatten()(x))))
    if job.model == "cnn":  # Reddi et al., arXiv 2003.00295, table 4
        x = pool(convolution(convolution(x, 32, 3), 64, 3), 2)
        x = jax.nn.relu(hk.Linear(128)(hk.Flatten()(dropout(x, 0.25))))
        return hk.Linear(job.classes)(dropout(x, 0.5))
    # SqueezeNet 1.0, arXiv 1602.07360, table 1; on 32x32 images ceiling pooling is VALID (13 to 6),
    # SAME (6 to 3), VALID (3 to 1).
    x = pool(convolution(x, 96, 7, 2), 3)
    for squeeze, expand in [(16, 64), (16, 64), (32, 128)]:
        x = fire(x, squeeze, expand)
    x = pool(x, 3, "SAME")
    for squeeze, expand in [(32, 128), (48, 192), (48, 192), (64, 256)]:
        x = fire(x, squeeze, expand)
    x = fire(pool(x, 3), 64, 256)
    return convolution(dropout(x, 0.5), job.classes, 1).mean(axis=(1, 2))


if __name__ == "__main__":
    main()
