"""A language model that reads the characters of words and predicts words.

Kim, Jernite, Sontag & Rush, "Character-Aware Neural Language Models", arXiv 1508.06615:
convolutions of several widths over the characters of a word (Eqs. 5 and 6, with the largest value
over the word), highway layers (Eq. 8), LSTM layers over the words, a softmax over the vocabulary.
The defaults are LSTM-Char-Small of its Table 2, @large LSTM-Char-Large.

The network takes spelled words, so that it knows nothing of a vocabulary and a word that has no
token of its own is read all the same: the task gives them (`words(spelled=20)`).

Differs from the paper: no dropout unless asked for (there .5, on what goes into every LSTM layer
but the first and into the output), no state carried from one row to the next, weights drawn as
torch does (there uniform within .05).
"""

from typing import Annotated

import torch
from pydantic import Field
from torch import Tensor, nn

from headstart.errors import HeadstartError
from headstart.kernels.lstm import FusedLSTM
from headstart.models.network import MODELS

TRANSFORM_BIAS = -2.0
"""Of a highway layer at first: what comes in is carried on (arXiv 1505.00387; the value is the
authors' code's).
"""

PRESETS = {"large": {"filters": (50, 100, 150, 200, 200, 200, 200), "highways": 2, "hidden": 650}}


class Highway(nn.Module):
    """z = t * relu(W_H y + b_H) + (1 - t) * y with t = sigmoid(W_T y + b_T)."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.transform, self.gate = nn.Linear(width, width), nn.Linear(width, width)
        nn.init.constant_(self.gate.bias, TRANSFORM_BIAS)

    def forward(self, y: Tensor) -> Tensor:
        """[..., width] to the same."""
        t = self.gate(y).sigmoid()
        return t * self.transform(y).relu() + (1 - t) * y  # type: ignore[no-any-return]


class CharLM(nn.Module):
    """Logits [B, T, outputs] for words spelled in whole numbers [B, T, C]; 0 pads a word."""

    def __init__(
        self,
        outputs: int,
        alphabet: int,
        embedding: int,
        filters: tuple[int, ...],
        highways: int,
        hidden: int,
        layers: int,
        dropout: float,
    ) -> None:
        super().__init__()
        self.characters = nn.Embedding(alphabet, embedding)
        self.convolutions = nn.ModuleList(
            nn.Conv1d(embedding, n, width) for width, n in enumerate(filters, start=1)
        )
        self.highways = nn.Sequential(*(Highway(sum(filters)) for _ in range(highways)))
        widths = [sum(filters)] + [hidden] * (layers - 1)
        self.lstms = nn.ModuleList(FusedLSTM(width, hidden) for width in widths)
        self.dropouts = nn.ModuleList(nn.Dropout(dropout) for _ in widths)
        self.output = nn.Linear(hidden, outputs)

    def forward(self, spelled_BTC: Tensor) -> Tensor:
        """The state is zero before the first word."""
        B, T, _ = spelled_BTC.shape
        embedded_NDC = self.characters(spelled_BTC.flatten(0, 1).long()).transpose(1, 2)
        features = torch.cat(
            [layer(embedded_NDC).tanh().amax(-1) for layer in self.convolutions], -1
        )
        hidden_BTH = self.highways(features).unflatten(0, (B, T))
        for layer, dropout in zip(self.lstms, self.dropouts, strict=True):
            hidden_BTH = dropout(layer(hidden_BTH)[0])
        return self.output(hidden_BTH)  # type: ignore[no-any-return]


@MODELS.register("charlm", source="Kim et al., arXiv 1508.06615, Table 2", presets=PRESETS)
def charlm(
    input_shape: tuple[int, ...],
    outputs: int,
    *,
    alphabet: Annotated[
        int, Field(ge=1, description="how many characters there are, the one that pads included")
    ] = 256,
    embedding: Annotated[int, Field(ge=1, description="width of a character's embedding")] = 15,
    filters: Annotated[
        tuple[Annotated[int, Field(ge=1)], ...],
        Field(
            min_length=1,
            description="how many filters that see 1 character, 2 characters, and so on",
        ),
    ] = (25, 50, 75, 100, 125, 150),
    highways: Annotated[int, Field(ge=0, description="highway layers")] = 1,
    hidden: Annotated[int, Field(ge=1, description="units of an LSTM layer")] = 300,
    layers: Annotated[int, Field(ge=1, description="LSTM layers")] = 2,
    dropout: Annotated[
        float, Field(ge=0, lt=1, description="probability of dropping what an LSTM layer puts out")
    ] = 0.0,
) -> nn.Module:
    """Spelled words to next words: convolutions over characters, highways, LSTM layers; @large is
    the paper's other.

    Raises:
        HeadstartError: the inputs are not spelled words, or a word has fewer characters than the
            widest filter sees.
    """
    if len(input_shape) != 2:
        raise HeadstartError(
            "the model 'charlm' needs spelled words [length, characters], got inputs "
            f"{list(input_shape)}; give the task tokens='words(spelled=20)'"
        )
    if input_shape[1] < len(filters):
        raise HeadstartError(
            f"the model 'charlm' has filters over {len(filters)} characters, but the task gives "
            f"{input_shape[1]} a word; spell words with at least {len(filters)}"
        )
    return CharLM(outputs, alphabet, embedding, filters, highways, hidden, layers, dropout)
