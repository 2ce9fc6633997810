"""What a run trains: `all` of the model, its `head`, or the parameters that a regular expression
names.

The rest stays as its start gave it: it is neither sent nor updated, and is no part of the weights
that optimizers and probes see.
"""

import re
import warnings

from headstart.errors import HeadstartError
from headstart.parts.validation import shown
from headstart.starts.heads import gives_outputs, last_layer, within
from headstart.trees import Tree
from headstart.wording.phrases import some

MOST_REPEATS = 4
"""Repeats of one alternative of an expression: with 4, any name of 100 letters is matched in a
moment.
"""

MOST_WAYS = 10_000
"""Ways through the groups of one alternative: of (a|b)(c|d) four."""

_TOKENS = re.compile(
    r"\\.|\[\^?\]?(?:\\.|[^\]\\])*\]|\(\??|(?:[*+?]|\{\d*,?\d*\})[?+]?|.", re.DOTALL
)
"""What an expression is made of: an escape, a class, the beginning of a group, a repeat, or one
other letter.
"""

_REPEAT = re.compile(r"[*+?]|\{\d*,?\d*\}")


def readable(written: str) -> str:
    """Refuse what is no regular expression, or one that may match for hours (a `ValueError`, for
    the study's line).
    """
    expected = (
        "expected all, head or a regular expression of parameter names such as 'fc.*|layer4.*'"
    )
    try:
        with warnings.catch_warnings(action="ignore"):
            re.compile(written)
    except (re.error, OverflowError, RecursionError, MemoryError) as error:
        raise ValueError(f"{expected}, got {shown(written)} ({error})") from None
    if is_costly(written):
        raise ValueError(
            f"{expected}, without repeats of a group and with at most {MOST_REPEATS} repeats and "
            f"few groups of choices in each alternative, got {shown(written)}, which may take "
            "hours to match"
        )
    return written


def is_costly(expression: str) -> bool:
    """Whether matching might take time that grows as an exponential of the length of a name, or a
    high power.

    >>> [is_costly(one) for one in ("fc.*|layer[34].*", r"h\\.(10|11)\\..*")]
    [False, False]
    >>> [is_costly(one) for one in ("(a*)*b", "(a|a)+b", ".*.*.*.*.*b")]
    [True, True, True]
    >>> is_costly("(.|.)" * 40 + "z")
    True
    """
    repeats, ways, before = 0, 1, ""
    alternatives: list[int] = []  # of each group that is open
    for token in _TOKENS.findall(expression):
        if token.startswith("("):
            alternatives.append(1)
        elif token == ")" and alternatives:
            ways *= alternatives.pop()
        elif token == "|" and alternatives:
            alternatives[-1] += 1
        elif token == "|":
            repeats, ways = 0, 1
        elif _REPEAT.match(token) and not before.startswith("("):
            repeats += 1
            if repeats > MOST_REPEATS or (before == ")" and token[0] != "?"):
                return True
        if ways > MOST_WAYS:
            return True
        before = token
    return False


def trained(trainable: str, params: Tree) -> list[str]:
    """The names of what is trained: `head` is the last layer with parameters, an expression must
    match whole names.

    >>> import torch
    >>> params = dict.fromkeys(["conv.weight", "fc.weight", "fc.bias"], torch.zeros(1, 1))
    >>> trained("head", params), trained(".*bias|conv.*", params)
    (['fc.weight', 'fc.bias'], ['conv.weight', 'fc.bias'])

    Raises:
        HeadstartError: nothing would be trained, or the output is tied to another layer, as GPT-2's
            to its embedding.
    """
    if trainable == "all":
        return list(params)
    if trainable == "head":
        layer = last_layer(params)
        names = within(layer, params)
        if names and not gives_outputs(layer, params):
            raise HeadstartError(
                f"trainable: 'head' would be {layer!r}, the last layer with parameters, which "
                "gives no outputs; name what to train, such as 'transformer.wte.*' for the output "
                "of GPT-2, its embedding too"
            )
    else:
        names = [name for name in params if re.fullmatch(trainable, name)]
    if not names:
        raise HeadstartError(
            f"trainable: {trainable!r} names no parameter of the model, which has "
            f"{some(list(params))}"
        )
    return names
