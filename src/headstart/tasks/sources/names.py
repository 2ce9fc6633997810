"""Cells that name something, a class or a client: which of them are one name, and which only look
alike.

Blanks around a name are taken off, and what is not seen. Equal numbers are one name (`1`, `1.0`,
`1e+00`), and so are `True`, `true` and `TRUE`. Where two names differ only by case, blanks,
Unicode's form, the script of digits, zeros or a final dot, most often one thing was written in two
ways: the table says which, and the user decides (`Alike`).
"""

import decimal
import re
import unicodedata
from collections.abc import Callable, Sequence
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from headstart.errors import HeadstartError
from headstart.parts.validation import shown
from headstart.tasks.sources.cell_types import is_bytes
from headstart.tasks.sources.columns import holds_times
from headstart.tasks.sources.tables import SourceTable

Alike = Literal["error", "join", "keep"]
Places = npt.NDArray[np.int64]

UNSEEN = (
    r"\0\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e"
    r"\u2060-\u206f\u2800\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff9-\ufffb"
)
"""What is not seen: zero bytes that fill a cell, signs of width zero or of a direction of
writing.
"""
BLANK = rf"[\s{UNSEEN}]"
HIDDEN = rf"[{UNSEEN}\U000e0000-\U000e0fff]"
"""And tags, which at the end of a flag say whose it is, so that they are not taken off."""
WHOLE = re.compile(r"([+-]?)(0|[1-9][0-9]{0,4298})(\.0+)?")  # int() reads 4300 digits
DECIMAL = re.compile(
    r"([+-]?)(?=[0-9.])(0|[1-9][0-9]{0,300})?(?:\.([0-9]{1,300}))?(?:[eE]([+-]?[0-9]{1,3}))?"
)
EXACT = decimal.Context(prec=2000)
NO_NUMBER = {"nan", "NaN", "NAN", "-nan", "<NA>", "NaT"}
"""What programs write for a number or a time that is not there."""
ENDLESS = {"inf", "infinity"}


def names(
    table: SourceTable, column: str, alike: Alike, gaps: bool = False
) -> tuple[Places, tuple[str, ...]]:
    """The place [N] of each cell's name among the names of the column, and these in their order.

    Numbers are in the order of numbers; text is in that of its characters. With `gaps`, the place
    of a cell that has nothing is -1.

    Raises:
        HeadstartError: cells that cannot name anything, or names that look alike where that is an
            error.
    """
    codes, cells = _encoded(table, column)
    trimmed = [_trimmed(cell) for cell in cells]
    nothing = _is_nothing(trimmed)
    if nothing.any() and not gaps:
        code = int(nothing.argmax())
        has = shown(trimmed[code]) if trimmed[code] else "nothing"
        raise HeadstartError(
            f"{table.at(int((codes == code).argmax()))} has {has} in column {column!r}, expected "
            "a name; write one there, or leave the row out"
        )
    codes = np.where((codes < 0) | nothing[codes], -1, (np.cumsum(~nothing) - 1)[codes])
    trimmed = [name for name, is_none in zip(trimmed, nothing.tolist(), strict=True) if not is_none]
    if not trimmed:
        return codes, ()
    all_numbers = _all_match(DECIMAL, trimmed)
    kept, spellings = _places([_canonical(name, all_numbers) for name in trimmed])
    written: list[list[str]] = [[] for _ in spellings]
    for place, name in zip(kept.tolist(), trimmed, strict=True):
        written[place].append(name)
    all_whole = _all_match(WHOLE, spellings)
    called = []
    for name, ways in zip(spellings, written, strict=True):
        called.append(name if all_whole or len(set(ways)) > 1 else ways[0])
    rows = np.bincount(kept[codes[codes >= 0]], minlength=len(called))
    if alike != "keep":
        folded, _ = _places(_folded(called))
        if alike == "error":
            _refuse_alike(table, column, called, folded, rows)
        joined = []
        for group in range(len(set(folded.tolist()))):
            joined.append(_most_frequent(folded == group, called, rows))
        kept, called = folded[kept], joined
    order = _order(called)
    place_of = np.empty(len(called), np.int64)
    place_of[order] = np.arange(len(called))
    return np.where(codes < 0, -1, place_of[kept][codes]), tuple(called[i] for i in order)


def alike_among(called: Sequence[str]) -> list[list[str]]:
    """The groups of several names that look alike.

    >>> alike_among(["No", "Yes", "yes", "maybe"])
    [['Yes', 'yes']]
    """
    groups: dict[str, list[str]] = {}
    for bare, name in zip(_folded(called), called, strict=True):
        groups.setdefault(bare, []).append(name)
    return [group for group in groups.values() if len(group) > 1]


def visible(name: str) -> str:
    """A name in quotes with a mark for each blank, and a number for each sign that is not seen or
    seems another.

    >>> print(visible("two  words"), visible("be\\u0301nin"), visible("bénin"))
    'two␣␣words' 'be\\u0301nin' 'bénin'
    """
    signs = ""
    for sign in name[:80]:
        signs += "␣" if sign == " " else sign if _is_plain(sign) else f"\\u{ord(sign):04x}"
    return f"'{signs}{'...' if len(name) > 80 else ''}'"


def _is_plain(sign: str) -> bool:
    seen = sign.isprintable() and not re.match(HIDDEN, sign)
    return seen and not unicodedata.combining(sign) and unicodedata.normalize("NFKC", sign) == sign


def _encoded(table: SourceTable, column: str) -> tuple[Places, list[Any]]:
    """Which of the different cells of a column is in each row [N], -1 where there is none, and
    these as text.
    """
    cells = table.column(column)
    kind = cells.type
    if pa.types.is_nested(kind) or is_bytes(kind):
        raise HeadstartError(
            f"{table.path}: expected text, whole numbers or true and false in column {column!r}, "
            f"got {kind}"
        )
    encoded = pc.dictionary_encode(cells).combine_chunks()
    encoded = encoded.chunk(0) if isinstance(encoded, pa.ChunkedArray) else encoded
    values = encoded.dictionary
    if pa.types.is_temporal(kind):
        try:
            values = values.cast(pa.string())  # Python's times end with the year 9999
        except pa.ArrowException as error:
            raise HeadstartError(
                f"{table.path}: expected text, whole numbers, dates or true and false in column "
                f"{column!r}, got {kind}"
            ) from error
    codes = encoded.indices.fill_null(-1).to_numpy(zero_copy_only=False)
    if pa.types.is_float32(kind) or pa.types.is_float16(kind):
        written = [str(value) for value in values.to_numpy(zero_copy_only=False)]  # 0.1, as it was
    else:
        written = [str(value) for value in values.to_pylist()]
    return np.asarray(codes, dtype=np.int64), written or [""]


def _trimmed(cell: str) -> str:
    return re.sub(f"^{BLANK}+|{BLANK}+$", "", cell)


def _is_nothing(trimmed: Sequence[str]) -> npt.NDArray[np.bool_]:
    """Which names are none: empty ones, what programs write for none, and numbers without end.

    `inf` is a name, where none of the others is a number.
    """
    with_numbers = any(DECIMAL.fullmatch(name) for name in trimmed)
    nothing = np.zeros(len(trimmed), np.bool_)
    for place, name in enumerate(trimmed):
        endless = with_numbers and name.lower().lstrip("+-") in ENDLESS
        nothing[place] = not name or name in NO_NUMBER or endless
    return nothing


def _all_match(pattern: re.Pattern[str], names: Sequence[str]) -> bool:
    return all(pattern.fullmatch(name) for name in names)


def _canonical(name: str, all_numbers: bool = False) -> str:
    """The way of writing that stands for all that are the same for certain.

    `1.50` stays apart from `1.5`, since versions and sections are written so, and so does `1e3`
    from `1000` but among numbers alone: it may be the end of a hash.

    >>> [_canonical(name) for name in ("1", "1.0", "-0", "TRUE", "01", "1e+05", ".5", "yes")]
    ['1', '1', '0', 'True', '01', '100000', '0.5', 'yes']
    >>> _canonical("1e3"), _canonical("1e3", all_numbers=True), _canonical("1.50")
    ('1e3', '1000', '1.50')
    """
    whole = WHOLE.fullmatch(name)
    if whole:
        sign = "-" if whole[1] == "-" and whole[2] != "0" else ""
        return sign + whole[2]
    found = DECIMAL.fullmatch(name)
    if found is None:
        return name.capitalize() if name.lower() in ("true", "false") else name
    sign, before, after, power = found.groups()
    if power and power[0] not in "+-" and not all_numbers:
        return name
    value = decimal.Decimal(name)
    if power or value == value.to_integral_value(context=EXACT):
        return _plain_number(value)
    return f"{sign.strip('+')}{before or 0}.{after}"


def _plain_number(value: decimal.Decimal) -> str:
    """
    >>> [_plain_number(decimal.Decimal(name)) for name in ("-0.0", "1.50", "1e3")]
    ['0', '1.5', '1000']
    """
    return format(value.normalize(EXACT), "f") if value else "0"


def _places(keys: Sequence[str]) -> tuple[Places, list[str]]:
    """The place of each key among the different ones, and these as they come."""
    known = {key: place for place, key in enumerate(dict.fromkeys(keys))}
    return np.array([known[key] for key in keys], np.int64), list(known)


def _folded(called: Sequence[str]) -> list[str]:
    """What is left of each name without that in which those alike differ."""
    plain = [_canonical(name) for name in called]
    truth = {"True": "1", "False": "0"} if set(plain) <= {"0", "1", "True", "False"} else {}
    return [_bare(truth.get(name, name)) or name for name in plain]


def _bare(name: str) -> str:
    """
    >>> [_bare(name) for name in ("Yes", ">50K.", "New  York", "007", "1.07", "1.50", "\u0661")]
    ['yes', '>50k', 'newyork', '7', '1.07', '1.5', '1']
    """
    seen = re.sub(f"{BLANK}|{HIDDEN}", "", unicodedata.normalize("NFKC", name))
    plain = _in_digits(seen).lower().rstrip(".")
    if DECIMAL.fullmatch(plain) and "e" not in plain:
        return _plain_number(decimal.Decimal(plain))
    return re.sub(r"^([+-]?)0+(?=[0-9]+$)", r"\1", plain)


def _in_digits(name: str) -> str:
    """A name whose digits, of whatever script, are 0 to 9."""
    if name.isascii():
        return name
    return "".join(str(unicodedata.decimal(sign, sign)) for sign in name)


def _refuse_alike(
    table: SourceTable, column: str, called: Sequence[str], folded: Places, rows: Places
) -> None:
    sizes = np.bincount(folded)
    if (sizes == 1).all():
        return
    same = np.flatnonzero(folded == folded[np.flatnonzero(sizes[folded] > 1)[0]])
    first, second = sorted(same.tolist(), key=lambda i: called[i])[:2]
    others = int((sizes > 1).sum()) - 1
    more = f"; {others} more such name{'s' if others > 1 else ''}" if others else ""
    raise HeadstartError(
        f"{table.path}: column {column!r} has {visible(called[first])} ({rows[first]} rows) and "
        f"{visible(called[second])} ({rows[second]} rows), which differ only by "
        f"{_difference(called[first], called[second])}{more}; make them equal in the file, "
        "or write alike='join' to take such names for one, or alike='keep' to keep them apart"
    )


def _difference(one: str, other: str) -> str:
    """What two names that look alike differ in.

    >>> _difference("yes", "Yes"), _difference("1", "01"), _difference(">50K", ">50K.")
    ('case', 'leading zeros', 'a final dot')
    >>> _difference("0", "False")
    'how they write true and false'
    """
    ways: dict[str, Callable[[str], str]] = {
        "case": str.lower,
        "Unicode's form": lambda name: unicodedata.normalize("NFKC", name),
        "signs that are not seen": lambda name: re.sub(HIDDEN, "", name),
        "blanks": lambda name: re.sub(f"{BLANK}|{HIDDEN}", "", name),
        "the script of digits": _in_digits,
        "a final dot": lambda name: name.rstrip("."),
        "leading zeros": lambda name: re.sub(r"^([+-]?)0+(?=[0-9]+$)", r"\1", name),
    }
    for way, without in ways.items():
        if without(one) == without(other):
            return way
    if DECIMAL.fullmatch(one) and DECIMAL.fullmatch(other):
        return "how they write a number"
    if {_canonical(one), _canonical(other)} & {"True", "False"}:
        return "how they write true and false"
    return "case, blanks, leading zeros or a final dot"


def _most_frequent(members: npt.NDArray[np.bool_], called: Sequence[str], rows: Places) -> str:
    """The spelling with the most rows; of several, the shortest."""
    places = np.flatnonzero(members).tolist()
    return called[min(places, key=lambda i: (-int(rows[i]), len(called[i]), called[i]))]


def _order(called: Sequence[str]) -> list[int]:
    places = range(len(called))
    if _all_match(WHOLE, called):
        return sorted(places, key=lambda i: int(_canonical(called[i])))
    if _all_match(DECIMAL, called):
        return sorted(places, key=lambda i: (float(called[i]), called[i]))
    return sorted(places, key=lambda i: called[i])


MANY, MANY_WHOLE = 10, 20
"""So many different numbers with fractions, or whole ones, are still taken for classes, such as
marks and grades.
"""
FILLED = 0.8
"""Codes of classes begin at 0 or 1, and most of those up to the last are in use."""


def refuse_quantity(table: SourceTable, column: str, called: Sequence[str]) -> None:
    """Refuse classes that are the values of a quantity: many times, numbers with fractions, or
    whole ones but codes.

    Raises:
        HeadstartError: they seem to be such.
    """
    if holds_times(table.column(column).type) and len(called) > MANY_WHOLE:
        raise HeadstartError(
            f"{table.path}: column {column!r} has {len(called)} different times in {len(table)} "
            "rows, expected classes; cut them into classes, or say codes=true if each is one"
        )
    if not _all_match(DECIMAL, called):
        return
    values = np.array(called, dtype=float)
    low, high = values.min(), values.max()
    whole = bool((values % 1 == 0).all())
    are_codes = low in (0, 1) and len(values) >= FILLED * (high - low + 1)
    if len(values) <= (MANY_WHOLE if whole else MANY) or (whole and are_codes):
        return
    raise HeadstartError(
        f"{table.path}: column {column!r} has {len(values)} different "
        f"numbers{'' if whole else ' with fractions'}, {low:g} to {high:g}, in {len(table)} "
        "rows: that seems to be a quantity, and this task predicts classes; cut it into classes, "
        "write a task of your own with a squared error, or say codes=true if each number is the "
        "code of a class"
    )
