"""Values of this process are found as long as somebody holds them."""

import gc

import pytest

from headstart.errors import HeadstartError
from headstart.parts.given import Given, brief, find, keep

SHA = 64 * "0"


def test_a_value_is_found_by_its_name_and_contents_while_it_is_held() -> None:
    held = keep(Given("model", "net", SHA, lambda: 7))
    assert find("model", "net", SHA).factory() == 7
    assert str(held) == f"python(name='net', sha256='{SHA}')"
    with pytest.raises(HeadstartError, match=r"^model: the model 'net' was given by a Python"):
        find("model", "net", 64 * "1", "model")
    del held
    gc.collect()
    with pytest.raises(HeadstartError, match="run that program again"):
        find("model", "net", SHA)


def test_a_name_that_no_page_can_show_is_refused() -> None:
    with pytest.raises(HeadstartError, match=r"^model: expected a name of letters"):
        keep(Given("model", "a, b", SHA, lambda: None))


def test_a_given_part_is_shown_by_its_name() -> None:
    assert brief(f"python(name='net', sha256='{SHA}')") == "'net'"
    assert brief("python(name='net')") == "\"python(name='net')\""
