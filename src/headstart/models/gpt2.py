"""GPT-2 (Radford et al., 2019) as transformers has it, so that its checkpoints load by name.

The module is transformers' `GPT2LMHeadModel`, reduced to its logits. Its output layer is the
embedding of tokens, one parameter under the name `transformer.wte.weight`, as in files that
`save_pretrained` writes; so it has no head of its own that a start could draw anew:
`checkpoint(head="new", head_layer="transformer.wte")` draws both.
"""

from typing import Annotated, Any, Literal

import torch
from pydantic import Field
from torch import Tensor, nn

from headstart.errors import HeadstartError
from headstart.models.network import MODELS

PRESETS = {
    "distilgpt2": {"width": 768, "layers": 6, "heads": 12, "positions": 1024},
    "gpt2": {"width": 768, "layers": 12, "heads": 12, "positions": 1024},
}

KEYED = "headstart"
"""The name under which transformers finds `_attend`."""


@MODELS.register(
    "gpt2",
    source="Radford et al., 2019; DistilGPT2: Sanh et al., arXiv 1910.01108",
    presets=PRESETS,
)
def gpt2(
    input_shape: tuple[int, ...],
    outputs: int,
    *,
    width: Annotated[
        int, Field(ge=1, description="of the residual stream; a multiple of heads")
    ] = 256,
    layers: Annotated[int, Field(ge=1, description="transformer blocks")] = 4,
    heads: Annotated[int, Field(ge=1, description="attention heads of a block")] = 4,
    positions: Annotated[
        int,
        Field(
            ge=0,
            description="the longest row that it has an embedding for; 0 for the task's length",
        ),
    ] = 0,
    dropout: Annotated[
        float,
        Field(
            ge=0,
            lt=1,
            description="probability of dropping, after the embedding, in attention, in a block",
        ),
    ] = 0.0,
    attention: Annotated[
        Literal["eager", "sdpa"],
        Field(
            description="eager: matrix products, which clients share; sdpa: torch's fused one, "
            "client by client"
        ),
    ] = "eager",
) -> nn.Module:
    """Tokens to next tokens through a transformer; the presets have the shapes of the published
    checkpoints.

    The published ones were trained with dropout .1; here it is off unless asked for.

    Raises:
        HeadstartError: transformers is not installed, the inputs are not rows of tokens, or the
            shape cannot be.
    """
    if len(input_shape) != 1:
        raise HeadstartError(
            f"the model 'gpt2' needs rows of tokens [length], got inputs {list(input_shape)}"
        )
    (length,) = input_shape
    if width % heads:
        raise HeadstartError(f"gpt2.width: expected a multiple of heads ({heads}), got {width}")
    if 0 < positions < length:
        raise HeadstartError(
            f"gpt2.positions: expected at least the task's length ({length}), got {positions}"
        )
    if dropout and attention == "sdpa":
        raise HeadstartError(
            "gpt2.dropout: sdpa draws masks that cannot be repeated; use attention='eager' with it"
        )
    try:
        from transformers import AttentionInterface, GPT2Config, GPT2LMHeadModel
    except ImportError as error:
        raise HeadstartError(
            "the model 'gpt2' needs transformers: pip install 'headstart[text]'"
        ) from error
    AttentionInterface.register(KEYED, _attend)

    class Logits(GPT2LMHeadModel):  # type: ignore[misc]
        """What is predicted and nothing else; positions and mask are given, as looking at the data
        stops tracing.
        """

        def forward(self, tokens_BT: Tensor) -> Any:
            T, kind = tokens_BT.shape[1], self.transformer.wte.weight.dtype
            later_TT = torch.full(
                (T, T), torch.finfo(kind).min, dtype=kind, device=tokens_BT.device
            ).triu(1)
            place_1T = torch.arange(T, device=tokens_BT.device).unsqueeze(0)
            found = super().forward(
                tokens_BT,
                position_ids=place_1T,
                attention_mask=later_TT[None, None],
                use_cache=False,
            )
            return found.logits

    config = GPT2Config(
        vocab_size=outputs,
        n_positions=positions or length,
        n_embd=width,
        n_layer=layers,
        n_head=heads,
        resid_pdrop=dropout,
        embd_pdrop=dropout,
        attn_pdrop=dropout,
        bos_token_id=None,
        eos_token_id=None,
        attn_implementation=KEYED if attention == "eager" else attention,
    )
    return Logits(config)


def _attend(
    module: nn.Module,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    mask: Tensor,
    scaling: float,
    **_: Any,
) -> tuple[Tensor, Tensor]:
    """Attention over [B, heads, T, width] through the module's own layer of dropout, which takes
    its mask from a key.

    transformers' eager attention uses that layer's probability only, and torch's generator.
    """
    weights = (query @ key.transpose(-1, -2) * scaling + mask).softmax(-1)
    weights = module.attn_dropout(weights)  # type: ignore[operator]
    return (weights @ value).transpose(1, 2), weights
