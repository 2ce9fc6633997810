"""What a run trains: `all` of the model, its `head`, or the parameters that a regular expression names.

The rest stays as its start gave it: it is neither sent nor updated, and is no part of the weights that optimizers and
probes see.
"""

import re

from headstart.errors import HeadstartError
from headstart.starts.heads import gives_outputs, last_layer, listed, within
from headstart.trees import Tree


def readable(written: str) -> str:
    """Refuse what is no regular expression (a `ValueError`, for the study file's line)."""
    try:
        re.compile(written)
    except re.error as error:
        raise ValueError(
            f"expected all, head or a regular expression of parameter names such as 'fc.*|layer4.*', "
            f"got {written!r} ({error})"
        ) from None
    return written


def trained(trainable: str, params: Tree) -> list[str]:
    """The names of what is trained: `head` is the last layer with parameters, an expression must match whole names.

    >>> import torch
    >>> params = dict.fromkeys(["conv.weight", "fc.weight", "fc.bias"], torch.zeros(1, 1))
    >>> trained("head", params), trained(".*bias|conv.*", params)
    (['fc.weight', 'fc.bias'], ['conv.weight', 'fc.bias'])

    Raises:
        HeadstartError: nothing would be trained, or the output is tied to another layer, as GPT-2's to its embedding.
    """
    if trainable == "all":
        return list(params)
    if trainable == "head":
        layer = last_layer(params)
        names = within(layer, params)
        if names and not gives_outputs(layer, params):
            raise HeadstartError(
                f"trainable: 'head' would be {layer!r}, the last layer with parameters, which gives no outputs; "
                "name what to train, such as 'transformer.wte.*' for the output of GPT-2, its embedding too"
            )
    else:
        names = [name for name in params if re.fullmatch(trainable, name)]
    if not names:
        raise HeadstartError(
            f"trainable: {trainable!r} names no parameter of the model, which has {listed(list(params))}"
        )
    return names
