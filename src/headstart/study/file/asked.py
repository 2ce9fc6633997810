"""What a command says of a study's looks, over what its file says."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from headstart.errors import HeadstartError


@dataclass(frozen=True)
class LooksAsked:
    """What the options of `headstart run` say; nothing where one was not given.

    Attributes:
        until: what the study runs until: `decided`.
        first: how many seeds the first look has.
        at_most: how many seeds are run at most.
        margin: in points of accuracy, a difference that does not matter.
    """

    until: str | None = None
    first: int | None = None
    at_most: int | None = None
    margin: float | None = None

    def over(self, keys: Mapping[str, Any]) -> dict[str, Any]:
        """The keys of a study file, with what is asked for in place of what they say.

        Seeds that a file lists are those of the first look; they must be 0, 1, 2, ..., in which
        order further ones come.

        Raises:
            HeadstartError: the file lists other seeds, or nothing says `decided`.
        """
        changed = dict(keys)
        if self.margin is not None:
            changed["margin"] = self.margin
        numbers = {"first": self.first, "at_most": self.at_most}
        given = {name: number for name, number in numbers.items() if number is not None}
        if self.until is None and not given:
            return changed
        seeds = keys.get("seeds")
        if isinstance(seeds, Mapping):
            changed["seeds"] = {**seeds, **given}
        elif self.until is None:
            raise HeadstartError(
                "--first, --at-most: this study lists its seeds; give --until decided as well"
            )
        else:
            changed["seeds"] = {**_first_of(seeds), **given}
        if self.until is not None:
            changed["seeds"]["until"] = self.until
        return changed


def _first_of(seeds: object) -> dict[str, int]:
    """How many seeds the first look has, where a file lists them."""
    if seeds is None:
        return {}
    listed = list(seeds) if isinstance(seeds, list | tuple | range) else [seeds]
    if listed != list(range(len(listed))):
        raise HeadstartError(
            f"--until: expected a study whose seeds are 0, 1, 2, ..., as further ones follow on "
            f"them, got {', '.join(map(str, listed[:5]))}"
        )
    return {"first": len(listed)} if len(listed) > 1 else {}
