"""The jobs' networks in torch, for the peers that train torch modules; independent of headstart."""

import torch
from jobs import Job
from torch import Tensor, nn


def build(job: Job) -> nn.Module:
    """A new network for a job, in training mode."""
    channels, height, width = job.input_shape
    if job.model == "mlp":
        return nn.Sequential(
            nn.Flatten(), nn.Linear(channels * height * width, 64), nn.ReLU(), nn.Linear(64, job.classes)
        )
    if job.model == "cnn":
        return cnn(job)
    return SqueezeNet(channels, job.classes)


def cnn(job: Job) -> nn.Module:
    """Reddi et al., arXiv 2003.00295, table 4: 3x3 convolutions without padding, dropout .25 and .5."""
    channels, height, width = job.input_shape
    return nn.Sequential(
        nn.Conv2d(channels, 32, 3),
        nn.ReLU(),
        nn.Conv2d(32, 64, 3),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Dropout(0.25),
        nn.Flatten(),
        nn.Linear(64 * ((height - 4) // 2) * ((width - 4) // 2), 128),
        nn.ReLU(),
        nn.Dropout(0.5),
        nn.Linear(128, job.classes),
    )


class Fire(nn.Module):
    """Iandola et al., arXiv 1602.07360, figure 2: squeeze 1x1, then expand 1x1 and 3x3 side by side."""

    def __init__(self, inputs: int, squeeze: int, expand: int) -> None:
        super().__init__()
        self.squeeze = nn.Conv2d(inputs, squeeze, 1)
        self.expand1x1 = nn.Conv2d(squeeze, expand, 1)
        self.expand3x3 = nn.Conv2d(squeeze, expand, 3, padding=1)
        self.relu = nn.ReLU(inplace=True)

    def forward(self, x: Tensor) -> Tensor:
        x = self.relu(self.squeeze(x))
        return torch.cat([self.relu(self.expand1x1(x)), self.relu(self.expand3x3(x))], 1)


class SqueezeNet(nn.Module):
    """SqueezeNet 1.0, arXiv 1602.07360, table 1, with ceiling max pooling as the released network has."""

    def __init__(self, channels: int, classes: int) -> None:
        super().__init__()

        def pool() -> nn.Module:
            return nn.MaxPool2d(3, stride=2, ceil_mode=True)

        self.layers = nn.Sequential(
            nn.Conv2d(channels, 96, 7, stride=2),
            nn.ReLU(inplace=True),
            pool(),
            Fire(96, 16, 64),
            Fire(128, 16, 64),
            Fire(128, 32, 128),
            pool(),
            Fire(256, 32, 128),
            Fire(256, 48, 192),
            Fire(384, 48, 192),
            Fire(384, 64, 256),
            pool(),
            Fire(512, 64, 256),
            nn.Dropout(0.5),
            nn.Conv2d(512, classes, 1),
            nn.ReLU(inplace=True),
            nn.AdaptiveAvgPool2d(1),
            nn.Flatten(),
        )

    def forward(self, x: Tensor) -> Tensor:
        return self.layers(x)
