"""Parts are read off a study file without loading any."""

from headstart.report.words.written_parts import by_name, parts, shortened

NET = "python(name='my net', sha256='" + 64 * "0" + "')"


def test_parts_are_found_in_parameters_too() -> None:
    found = [
        name for name, _ in parts({"task": f"table(path='a.csv', like=\"{NET}\")", "also": ["sgd"]})
    ]
    assert found == ["table", "python", "sgd"]


def test_a_given_part_is_shown_by_its_name() -> None:
    assert by_name(f"random, {NET}") == "random, my net"
    assert shortened(NET) == "python(name='my net', sha256='000000000000...')"


def test_a_given_part_inside_of_another_is_shown_by_its_name_too() -> None:
    within = f"head_first(of={NET!r})"
    assert "\\'" not in by_name(within)
    assert (
        by_name("head_first(of='python(name=\\'net\\', sha256=\\'" + 64 * "1" + "\\')')")
        == "head_first(of='net')"
    )


def test_other_parts_stay_as_they_are() -> None:
    for written in ("mlp(hidden=[8])", "own:net", "python(name='a', sha256='12')"):
        assert (by_name(written), shortened(written)) == (written, written)
