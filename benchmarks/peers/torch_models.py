"""The jobs' networks in torch, for the peers that train torch modules; independent of headstart."""

import torch
from jobs import Job
from torch import Tensor, nn
from torch.nn.functional import cross_entropy, pad, relu, scaled_dot_product_attention


def build(job: Job) -> nn.Module:
    """A new network for a job, in training mode."""
    if job.model == "lstm":
        return LSTM(job.classes)
    if job.model == "gpt2":
        return GPT2(job.classes, job.input_shape[0])
    channels, height, width = job.input_shape
    if job.model == "resnet8":
        return ResNet8(channels, job.classes)
    if job.model == "mlp":
        return nn.Sequential(
            nn.Flatten(),
            nn.Linear(channels * height * width, 64),
            nn.ReLU(),
            nn.Linear(64, job.classes),
        )
    if job.model == "cnn":
        return cnn(job)
    return SqueezeNet(channels, job.classes)


def loss(outputs: Tensor, labels: Tensor) -> Tensor:
    """The mean cross-entropy of outputs [B, classes] and labels [B], or [B, T, classes] and [B,
    T].
    """
    return cross_entropy(outputs.flatten(0, -2), labels.flatten())


def cnn(job: Job) -> nn.Module:
    """Reddi et al., arXiv 2003.00295, table 4: 3x3 convolutions without padding,
    dropout .25 and .5.
    """
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


class Residual(nn.Module):
    """He et al., arXiv 1512.03385, figure 2, with option A:
    every second pixel and channels of zeros.
    """

    def __init__(self, inputs: int, width: int, stride: int) -> None:
        super().__init__()
        self.stride, self.more = stride, width - inputs
        self.conv1, self.norm1 = (
            nn.Conv2d(inputs, width, 3, stride, 1, bias=False),
            nn.GroupNorm(2, width),
        )
        self.conv2, self.norm2 = (
            nn.Conv2d(width, width, 3, 1, 1, bias=False),
            nn.GroupNorm(2, width),
        )

    def forward(self, x: Tensor) -> Tensor:
        added = self.norm2(self.conv2(relu(self.norm1(self.conv1(x)))))
        if self.more:
            x = pad(x[:, :, :: self.stride, :: self.stride], (0, 0, 0, 0, 0, self.more))
        return relu(x + added)


class ResNet8(nn.Module):
    """Section 4.2 of the same paper with n = 1, and GroupNorm."""

    def __init__(self, channels: int, classes: int) -> None:
        super().__init__()
        self.conv, self.norm = nn.Conv2d(channels, 16, 3, 1, 1, bias=False), nn.GroupNorm(2, 16)
        self.blocks = nn.Sequential(Residual(16, 16, 1), Residual(16, 32, 2), Residual(32, 64, 2))
        self.output = nn.Linear(64, classes)

    def forward(self, x: Tensor) -> Tensor:
        return self.output(self.blocks(relu(self.norm(self.conv(x)))).mean((2, 3)))


class Fire(nn.Module):
    """Iandola et al., arXiv 1602.07360, figure 2: squeeze 1x1,
    then expand 1x1 and 3x3 side by side.
    """

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
    """SqueezeNet 1.0, arXiv 1602.07360, table 1, with ceiling max pooling as the released network
    has.
    """

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


class LSTM(nn.Module):
    """LEAF's network for Shakespeare, arXiv 1812.01097."""

    def __init__(self, classes: int) -> None:
        super().__init__()
        self.embedding = nn.Embedding(classes, 8)
        self.lstm = nn.LSTM(8, 256, 2, batch_first=True)
        self.output = nn.Linear(256, classes)

    def forward(self, x: Tensor) -> Tensor:
        return self.output(self.lstm(self.embedding(x))[0])


class Block(nn.Module):
    """A block of GPT-2: what attention and the two layers after it add to x,
    each behind a LayerNorm.
    """

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.first, self.second = nn.LayerNorm(width), nn.LayerNorm(width)
        self.attention, self.projection = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.feed = nn.Sequential(
            nn.Linear(width, 4 * width), nn.GELU(approximate="tanh"), nn.Linear(4 * width, width)
        )

    def forward(self, x: Tensor) -> Tensor:
        split = (
            self.attention(self.first(x)).unflatten(-1, (3, self.heads, -1)).permute(2, 0, 3, 1, 4)
        )
        attended = scaled_dot_product_attention(*split, is_causal=True)
        x = x + self.projection(attended.transpose(1, 2).flatten(2))
        return x + self.feed(self.second(x))


class GPT2(nn.Module):
    """Radford et al., 2019: output tied to the embedding; 4 blocks, 256 wide, 4 heads;
    torch's fused attention.
    """

    def __init__(self, classes: int, length: int) -> None:
        super().__init__()
        self.embedding, self.places = nn.Embedding(classes, 256), nn.Embedding(length, 256)
        for part in (self.embedding, self.places):
            nn.init.normal_(part.weight, std=0.02)
        self.blocks = nn.Sequential(*(Block(256, 4) for _ in range(4)))
        self.norm = nn.LayerNorm(256)

    def forward(self, x: Tensor) -> Tensor:
        x = self.embedding(x) + self.places.weight
        return self.norm(self.blocks(x)) @ self.embedding.weight.T
