"""Text of a study inside Markdown."""

from headstart.report.publication.markdown import code, escaped, row


def test_nothing_becomes_markup(evil: str) -> None:
    assert "<script>" not in escaped(evil)
    assert escaped("a\nb  c") == "a b c"
    assert escaped("[x](y)|`z`") == "\\[x\\](y)\\|\\`z\\`"


def test_code_with_backticks_is_escaped() -> None:
    assert (code("mlp"), code("")) == ("`mlp`", "<code></code>")
    assert code("`<b>") == "<code>\\`&lt;b></code>"


def test_a_row_has_a_cell_for_each_value() -> None:
    assert row("a", 1, None) == "| a | 1 | None |"
