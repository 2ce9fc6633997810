"""Tables as LaTeX: what a paper's source can take in as it is."""

from headstart.report.table import Table


def test_a_table_in_latex_is_escaped_aligned_and_whole() -> None:
    columns = {"client_rate": [0.1, 1.23e-5], "pair": ["a & b", "50%"], "best": [True, False], "n": [3, None]}
    columns |= {"MB": [1936.4, -0.5]}
    text = Table("rates", "Rates_1", columns).latex()
    assert r"\begin{tabular}{rllrr}" in text
    assert r"client\_rate & pair & best & n & MB \\" in text
    assert "    $0.1$ & a \\& b & yes & 3 & $1{,}936$ \\\\\n" in text
    assert "    $1.23 \\times 10^{-5}$ & 50\\% &  & -- & $-0.5$ \\\\\n" in text
    assert r"\caption{Rates\_1}" in text
    assert r"\label{tab:rates}" in text
    assert text.count("\\begin{") == text.count("\\end{") == 2
