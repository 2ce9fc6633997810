"""What studies are called beside one another."""

from headstart.report.judgement.study_names import LONGEST, labels


def test_no_more_than_tells_them_apart() -> None:
    assert labels([("digits(test=3)", "mlp", "A")]) == ["digits"]
    assert labels([("a(x=1)", "mlp", ""), ("a(x=2)", "mlp", "")]) == ["a(x=1)", "a(x=2)"]
    assert labels([("a", "mlp", ""), ("a", "cnn", "")]) == ["a, mlp", "a, cnn"]
    assert labels([("a", "mlp", "T"), ("a", "mlp", "T")]) == ["T (1)", "T (2)"]


def test_a_long_task_is_called_by_its_family() -> None:
    long = f"table(path='{'x' * LONGEST}')"
    assert labels([(long, "mlp", "One"), (long, "mlp", "Two")]) == ["One", "Two"]
