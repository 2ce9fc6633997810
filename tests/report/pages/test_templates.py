"""The policy of a page lets its own script run and nothing else; a cell is written as text."""

import base64
import hashlib
import re

from headstart.report.pages.templates import environment, policy, show


def test_the_policy_names_the_script_that_the_page_has() -> None:
    made = environment([])
    digest = hashlib.sha256(str(made.globals["script"]).encode()).digest()
    found = str(made.globals["policy"])
    assert f"script-src 'sha256-{base64.b64encode(digest).decode()}'" in found
    assert found.startswith("default-src 'none'; ")
    assert policy("a") != policy("b")
    assert re.findall(r"https?:", found) == []


def test_text_of_a_study_is_escaped() -> None:
    made = environment([]).from_string("{{ name }}")
    assert made.render(name="<b>&") == "&lt;b&gt;&amp;"


def test_cells() -> None:
    assert [show(False), show(float("nan")), show(3), show("x")] == ["", "–", "3", "x"]
    assert show(-0.5, percent=True) == "−50.0%"
