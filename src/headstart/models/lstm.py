"""Recurrent networks over tokens: an embedding, LSTM layers, an output for every token that comes
next.

The networks for text of Reddi et al. (arXiv 2003.00295, appendix), after LEAF (arXiv 1812.01097).
torch keeps two biases in a layer of nn.LSTM, of which only the sum matters, where the published
ones have one; so 4 * hidden numbers a layer come on top of the published counts. Weights are drawn
as torch does, not as Keras did for the paper.
"""

from typing import Annotated

from pydantic import Field
from torch import Tensor, nn

from headstart.errors import HeadstartError
from headstart.kernels.lstm import FusedLSTM
from headstart.models.network import MODELS

PRESETS = {"stackoverflow": {"embedding": 96, "hidden": 670, "layers": 1, "projection": 96}}


class LSTM(nn.Module):
    """Logits [B, T, outputs] for tokens [B, T]; those at t depend on the tokens up to t."""

    def __init__(
        self, outputs: int, embedding: int, hidden: int, layers: int, projection: int
    ) -> None:
        super().__init__()
        self.embedding = nn.Embedding(outputs, embedding)
        self.lstm = FusedLSTM(embedding, hidden, layers)
        self.projection = nn.Linear(hidden, projection) if projection else nn.Identity()
        self.output = nn.Linear(projection or hidden, outputs)

    def forward(self, tokens_BT: Tensor) -> Tensor:
        """The state is zero before the first token."""
        hidden_BTH, _ = self.lstm(self.embedding(tokens_BT))
        return self.output(self.projection(hidden_BTH))  # type: ignore[no-any-return]


@MODELS.register("lstm", source="Reddi et al., arXiv 2003.00295, appendix", presets=PRESETS)
def lstm(
    input_shape: tuple[int, ...],
    outputs: int,
    *,
    embedding: Annotated[int, Field(ge=1, description="width of a token's embedding")] = 8,
    hidden: Annotated[int, Field(ge=1, description="units of a layer")] = 256,
    layers: Annotated[int, Field(ge=1, description="LSTM layers")] = 2,
    projection: Annotated[
        int,
        Field(
            ge=0,
            description="width of a linear layer before the output, which saves weights; 0 for "
            "none",
        ),
    ] = 0,
) -> nn.Module:
    """Tokens to next tokens through LSTM layers: the defaults for characters, @stackoverflow for
    words.

    Raises:
        HeadstartError: the inputs are not rows of tokens.
    """
    if len(input_shape) != 1:
        raise HeadstartError(
            f"the model 'lstm' needs rows of tokens [length], got inputs {list(input_shape)}"
        )
    return LSTM(outputs, embedding, hidden, layers, projection)
