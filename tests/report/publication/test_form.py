"""What a published file must hold."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from headstart.errors import HeadstartError
from headstart.report.publication.findings_page import block, read
from headstart.report.publication.summary import NAME

Make = Callable[..., Path]
Keep = Callable[[dict[str, Any]], bool]

DOCS = Path(__file__).parents[3] / "docs"


def test_every_published_result_is_of_this_format() -> None:
    for path in (DOCS / "results").rglob(NAME):
        assert [each["number"] for each in json.loads(path.read_text())["findings"]] == list(
            range(1, 10)
        )


def changed(found: Any, at: tuple[Any, ...], value: Any) -> Any:
    """A copy in which one place holds another value; no value: it is left out."""
    copy = json.loads(json.dumps(found))
    place = copy
    for key in at[:-1]:
        place = place[key]
    if value is ...:
        del place[at[-1]]
    else:
        place[at[-1]] = value
    return copy


def places(value: Any, at: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    items = (
        value.items()
        if isinstance(value, dict)
        else enumerate(value)
        if isinstance(value, list)
        else ()
    )
    return [each for key, item in items for each in ((*at, key), *places(item, (*at, key)))]


def test_what_was_published_in_another_form_is_one_line(tmp_path: Path) -> None:
    found, path = json.loads((DOCS / "results/digits" / NAME).read_text()), tmp_path / NAME
    said = []
    for at in places(found)[::3]:
        for value in (None, 3, "x", [], {}, ...):  # type: ignore[var-annotated]
            path.write_text(json.dumps(changed(found, at, value)))
            try:
                assert block(read([tmp_path]), tmp_path)
            except HeadstartError as error:
                said.append(str(error))
    assert len(said) > 100
    assert all(f"{NAME} is damaged" in line and "\n" not in line for line in said)
