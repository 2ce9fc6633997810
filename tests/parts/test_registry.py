"""Registries: names to factories, parameters from signatures, one line for what is not declared."""

from pathlib import Path
from typing import Annotated, Any, Literal

import pytest
from pydantic import Field

from headstart.clients.base import CLIENTS
from headstart.errors import HeadstartError, nearest
from headstart.parts.registry import Registry
from headstart.servers.base import SERVERS


@pytest.fixture
def shapes() -> Any:
    # A package whose modules register none of these.
    registry = Registry("shape", "headstart.study", object, takes=("context",))  # type: ignore[var-annotated]

    @registry.register(
        "box", source="Euclid", presets={"cube": {"width": 2.0}, "flat": {"sides": [1]}}
    )
    def box(
        context: str,
        *,
        width: Annotated[float, Field(gt=0, description="how wide")] = 1.0,
        sides: tuple[Annotated[int, Field(ge=1)], ...] = (4,),
        colour: Literal["red", "blue"] = "red",
        nested: list[list[int]] = [],  # noqa: B006
    ) -> tuple:  # type: ignore[type-arg]
        """A box.

        More of it.
        """
        return context, width, sides, colour

    @registry.register("ball", source="Archimedes")
    def ball(*, radius: float, name_of_it: str | None = None) -> float:
        """A ball."""
        return radius

    registry._loaded = True
    return registry


def test_entries_come_by_name_with_what_is_declared(shapes: Any) -> None:
    assert [(entry.name, entry.source, entry.summary) for entry in shapes] == [
        ("ball", "Archimedes", "A ball."),
        ("box", "Euclid", "A box."),
    ]


def test_a_name_is_registered_once(shapes: Any) -> None:
    with pytest.raises(ValueError, match="shape 'box' is registered twice"):
        shapes.register("box", source="again")(lambda: None)


def test_building_hands_in_context_and_parameters(shapes: Any) -> None:
    component = shapes.component("box@cube(sides=[3, 4])")
    assert shapes.build(component, "here") == ("here", 2.0, (3, 4), "red")
    assert str(component) == "box@cube(sides=(3, 4))"
    assert shapes.component(component) is component
    assert shapes.component(str(component)) == component


def test_numbers_are_of_the_declared_type(shapes: Any) -> None:
    assert repr(dict(shapes.component("box(width=3)").parameters)["width"]) == "3.0"
    assert shapes.component("box(width=1)") == shapes.component("box")
    assert str(shapes.component("box(width=1)")) == "box"


def test_what_has_no_default_is_asked_for_and_always_shown(shapes: Any) -> None:
    assert str(shapes.component("ball(radius=2)")) == "ball(radius=2.0)"
    with pytest.raises(
        HeadstartError, match=r"^starts\[0\].radius: expected a number, got nothing$"
    ):
        shapes.component("ball", "starts[0]")


def test_components_with_lists_can_be_keys(shapes: Any) -> None:
    first, second = (shapes.component({"box": {"nested": [[1], [2]]}}) for _ in range(2))
    assert {first: 1}[second] == 1
    assert first != shapes.component({"box": {"nested": [[1], [3]]}})


def test_components_of_one_name_are_told_apart_by_their_hashes(shapes: Any) -> None:
    """Else thousands of them in one study take minutes."""
    boxes = [shapes.component({"box": {"width": width}}) for width in range(1, 500)]
    assert len(set(map(hash, boxes))) == len(boxes)
    assert hash(boxes[0]) == hash(shapes.component({"box": {"width": 1.0}}))


@pytest.mark.parametrize(
    ("written", "line"),
    [
        ("box(width='a')", "box.width: expected a number > 0, got 'a'"),
        ("box(width=false)", "box.width: expected a number > 0, got False"),
        ("box(width=wide)", "box.width: expected a number > 0, got 'wide'"),
        ("box(colour=green)", "box.colour: expected one of red, blue, got 'green'"),
        ("box(width=False)", "box.width: expected a number > 0, got False"),
        ("box(sides=[1, 2.5])", "box.sides[1]: expected a whole number >= 1, got 2.5"),
        ("box(colour='green')", "box.colour: expected one of red, blue, got 'green'"),
        ("box(colour='green', widht=1)", "box: unknown key 'widht'; did you mean 'width'?"),
        ("box@cub", "unknown preset 'cub' of shape 'box'; did you mean 'cube'?"),
        ("ball@cube(radius=1)", "unknown preset 'cube' of shape 'ball'; it has none"),
        ("bxo", "unknown shape 'bxo'; did you mean 'box'?"),
        ("ball(radius=1, name_of_it=5)", "ball.name_of_it: expected a text or nothing, got 5"),
        ("box(**{})", "box: unknown key 'None'; known: colour, nested, sides, width"),
        (
            "box(width=__import__('os'))",
            "expected parameters as 'name=value', got \"width=__import__('os')\"",
        ),
        ("box(width=" + "(" * 500 + ")", "expected parameters as 'name=value', got "),
        (
            "box(colour=top-up)",
            "expected parameters as 'name=value', got 'colour=top-up'; text needs quotes: "
            "colour='top-up'",
        ),
        (
            "box(colour=a/b.csv)",
            "expected parameters as 'name=value', got 'colour=a/b.csv'; text needs quotes: "
            "colour='a/b.csv'",
        ),
        ("box(width=1, width=2)", "the parameter 'width' is there twice; remove one"),
        ("box(nested={[]: 1})", "expected parameters as 'name=value', got 'nested={[]: 1}'"),
    ],
)
def test_what_is_not_declared_gets_one_line(shapes: Any, written: Any, line: str) -> None:
    with pytest.raises(HeadstartError) as caught:
        shapes.component(written)
    assert str(caught.value).startswith(line)
    assert len(str(caught.value)) < 200


def test_ones_own_factory_is_imported_and_its_faults_are_one_line(
    shapes: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "tests_own_shapes.py").write_text(
        "def good(context, *, width: int = 3): return context * width\n"
        "def odd(context, *, width: 'Unknown' = 3): return 1\n"
        "def bad(context): raise KeyError('x')\n"
    )
    (tmp_path / "tests_broken_shapes.py").write_text("1 / 0\n")
    monkeypatch.syspath_prepend(tmp_path)
    assert shapes.build(shapes.component("tests_own_shapes:good(width=2)"), "ab") == "abab"
    with pytest.raises(HeadstartError, match=r"unknown key 'wide'; did you mean 'width'\?"):
        shapes.component("tests_own_shapes:good(wide=2)")
    with pytest.raises(
        HeadstartError,
        match=r"^p: cannot read the parameters of 'tests_own_shapes:odd': name 'Unknown'",
    ):
        shapes.component("tests_own_shapes:odd", "p")
    with pytest.raises(
        HeadstartError,
        match=r"^p: cannot import 'tests_broken_shapes:x': ZeroDivisionError: division",
    ):
        shapes.component("tests_broken_shapes:x", "p")
    with pytest.raises(
        HeadstartError, match=r"^shape 'tests_own_shapes:bad' failed: KeyError: 'x'"
    ):
        shapes.build(shapes.component("tests_own_shapes:bad"), "ab")


def test_nearest_offers_or_lists() -> None:
    assert nearest("proxmal", ["sgd", "proximal"]) == "; did you mean 'proximal'?"
    assert nearest("x", ["sgd", "gd"]) == "; known: gd, sgd"


@pytest.mark.parametrize(
    ("registry", "written", "offered"),
    [
        (CLIENTS, "fedprx", "proximal"),
        (CLIENTS, "FedNova", "nova"),
        (SERVERS, "fedadam", "adam"),
        (SERVERS, "FedAvgM", "momentum"),
    ],
)
def test_what_papers_call_a_method_leads_to_its_name(
    registry: Any, written: str, offered: str
) -> None:
    with pytest.raises(HeadstartError, match=f"unknown .* '{written}'; did you mean '{offered}'?"):
        registry.component(written)
