"""Numbers of local epochs: parts of one are numbers with a fraction, others whole numbers."""


def whole_or_part(number: float) -> float:
    """The same number, as a whole one where it is: 1.0 is 1 in keys, files, tables, sentences.

    >>> whole_or_part(1.0), whole_or_part(5), whole_or_part(0.5)
    (1, 5, 0.5)
    """
    return int(number) if number < 2**63 and float(number).is_integer() else float(number)


def in_words(number: float) -> str:
    """How so many local epochs are written.

    >>> in_words(1.0), in_words(0.5), in_words(5)
    ('1 local epoch', '0.5 local epochs', '5 local epochs')
    """
    return "1 local epoch" if number == 1 else f"{whole_or_part(number)} local epochs"
