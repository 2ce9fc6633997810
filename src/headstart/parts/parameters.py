"""What a part's factory declares of its parameters: types, bounds, defaults, and two marks."""

import inspect
import typing
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Strict, create_model


class AddedLater:
    """Marks a parameter that a part got after studies had been run with it: `Annotated[float,
    AddedLater(), ...] = 0`.

    At its default it is left out of the part's identity, so that runs made before it existed keep
    their keys.
    """


@dataclass(frozen=True)
class Tunable:
    """Stands in a parameter's annotation: the range that a tuning searches, on a logarithmic scale
    unless told not to.

    mu: Annotated[float, Field(ge=0), Tunable(1e-3, 1.0)] = 0.01
    """

    low: float
    high: float
    log: bool = True

    def __post_init__(self) -> None:
        if self.low >= self.high or (self.log and self.low <= 0):
            raise ValueError(
                f"expected a range from low to high, above 0 where it is logarithmic, got {self}"
            )


def parameters_of(factory: Callable[..., Any]) -> type[BaseModel]:
    """The parameters of a part, as its factory declares them after a `*`."""
    hints = typing.get_type_hints(factory, include_extras=True)
    fields: dict[str, Any] = {}
    for name, parameter in inspect.signature(factory).parameters.items():
        if parameter.kind is parameter.KEYWORD_ONLY:
            default = ... if parameter.default is parameter.empty else parameter.default
            fields[name] = (_written(hints.get(name, Any)), default)
    config = ConfigDict(
        extra="forbid",
        strict=True,
        validate_default=True,
        allow_inf_nan=False,
        protected_namespaces=(),
    )
    return create_model(getattr(factory, "__name__", "parameters"), __config__=config, **fields)


def is_later(metadata: list[Any]) -> bool:
    """Whether a parameter came after studies had been run with its part."""
    return any(isinstance(mark, AddedLater) for mark in metadata)


def _written(hint: Any) -> Any:
    """Types are taken strictly (true is no number), but YAML writes tuples and sets as lists."""
    bare = typing.get_args(hint)[0] if typing.get_origin(hint) is Annotated else hint
    return (
        Annotated[hint, Strict(False)]
        if typing.get_origin(bare) in (tuple, set, frozenset)
        else hint
    )
