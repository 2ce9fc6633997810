"""The bare torch loop: no simulator, one client after another on one module,
torch's default threads.
"""

import time

import torch
from jobs import JOBS, Clients
from measure import WARM_UP, parser, report
from torch_models import build, loss


def main() -> None:
    arguments = parser(__doc__, devices=True).parse_args()
    job = JOBS[arguments.job]
    torch.manual_seed(0)
    device = torch.device(arguments.device)
    clients = [
        (torch.from_numpy(x).to(device), torch.from_numpy(y).to(device)) for x, y in Clients(job)
    ]
    model = build(job).to(device).train()
    params = list(model.parameters())
    optimizer = torch.optim.SGD(params, lr=job.client_rate)
    server = [leaf.detach().clone() for leaf in params]
    seconds, samples = [], []
    for _ in range(WARM_UP + arguments.rounds):
        began = time.perf_counter()
        cohort = torch.randperm(len(clients))[: job.cohort].tolist()
        total = sum(len(clients[client][1]) for client in cohort)
        mean = [torch.zeros_like(leaf) for leaf in server]
        for client in cohort:
            inputs, labels = clients[client]
            with torch.no_grad():
                torch._foreach_copy_(params, server)
            for rows in torch.randperm(len(labels)).to(device).split(job.batch_size):
                optimizer.zero_grad()
                loss(model(inputs[rows]), labels[rows]).backward()
                optimizer.step()
            with torch.no_grad():
                torch._foreach_add_(mean, params, alpha=len(labels) / total)
        server = mean
        if device.type != "cpu":
            torch.accelerator.synchronize(device)
        seconds.append(time.perf_counter() - began)
        samples.append(total)
    report(
        "bare torch loop",
        torch.__version__,
        arguments.job,
        seconds[WARM_UP:],
        samples[WARM_UP:],
        threads=torch.get_num_threads(),
    )


if __name__ == "__main__":
    main()
