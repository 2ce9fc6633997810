"""What a user's table is told to do: one use for each column, and no parameter without effect."""

from collections.abc import Iterable, Mapping

from headstart.errors import HeadstartError


def refuse_second_use(uses: Mapping[str, Iterable[str | None]]) -> None:
    """Refuse columns that are named for two uses.

    uses: the columns of each, by the parameter that names them; None where it names none.

    Raises:
        HeadstartError: one is, with both uses.
    """
    first: dict[str, str] = {}
    for use, columns in uses.items():
        for column in filter(None, columns):
            if column in first:
                both = f"as {first[column]} and {use}"
                if first[column] == use:
                    both = f"twice as {use}"
                raise HeadstartError(
                    f"table: expected one use for each column, got {column!r} {both}"
                )
            first[column] = use


def refuse_idle(given: Mapping[str, bool], needs: str) -> None:
    """Refuse parameters that would have no effect.

    given: whether each was given. needs: with what it would have one.

    Raises:
        HeadstartError: one was given.
    """
    for name, is_given in given.items():
        if is_given:
            raise HeadstartError(
                f"table.{name}: expected it with {needs}, without which it has no effect; leave "
                "it out"
            )
