"""The text of a study file: words and numbers of YAML 1.2, small, and with an end."""

import os
import time
from pathlib import Path
from typing import Any

import pytest
import yaml

from headstart.errors import HeadstartError
from headstart.study.file.yaml_text import read, written
from headstart.study.spec import Study

SCALARS = [
    ("010", 10),
    ("0o10", 8),
    ("0x1F", 31),
    ("-7", -7),
    ("+7", 7),
    ("1:30", "1:30"),
    ("1_0", "1_0"),
    ("0b11", "0b11"),
    ("0x_", "0x_"),
    ("1e3", 1000.0),
    ("1.5e-5", 1.5e-5),
    (".5", 0.5),
    ("1.", 1.0),
    (".inf", float("inf")),
    ("-.INF", -float("inf")),
    ("yes", "yes"),
    ("off", "off"),
    ("True", True),
    ("false", False),
    ("~", None),
    ("", None),
    ("2020-01-01", "2020-01-01"),
    ("2020-99-99", "2020-99-99"),
    ("=", "="),
    ("'010'", "010"),
    ("!!str 010", "010"),
    ("!!int '010'", 10),
]


@pytest.mark.parametrize(("text", "value"), SCALARS)
def test_words_and_numbers_are_those_of_yaml_1_2(tmp_path: Path, text: Any, value: Any) -> None:
    file = tmp_path / "study.yaml"
    file.write_text(f"name: {text}\n")
    found = read(file)["name"]
    assert (found, type(found)) == (value, type(value))


@pytest.mark.parametrize(
    "text", [text for text, _ in SCALARS] + ["Größe", "a: b", "#", "<<", "null", "1e5", ""]
)
def test_what_is_written_is_read_again_in_either_version(tmp_path: Path, text: Any) -> None:
    file = tmp_path / "study.yaml"
    file.write_text(written({"name": text, "rate": 1e-5}), encoding="utf-8")
    assert read(file) == {"name": text, "rate": 1e-5}
    assert yaml.safe_load(file.read_text(encoding="utf-8"))["name"] == text


BOMB = "a: &a [0, 0, 0, 0, 0, 0, 0, 0, 0, 0]\n" + "".join(
    f"{b}: &{b} [{', '.join([f'*{a}'] * 10)}]\n"
    for a, b in zip("abcdefgh", "bcdefghi", strict=True)
)
BAD = [
    (
        "!!timestamp abc",
        "could not determine a constructor for the tag 'tag:yaml.org,2002:timestamp'",
    ),
    ("!!binary a", "could not determine a constructor for the tag"),
    ("!!set {a, b}", "could not determine a constructor for the tag"),
    ("!!int abc", "expected 'tag:yaml.org,2002:int', got 'abc'"),
    ("!!int 1_0", "expected 'tag:yaml.org,2002:int', got '1_0'"),
    ("!!float x", "expected 'tag:yaml.org,2002:float', got 'x'"),
    ("!!bool yes", "expected 'tag:yaml.org,2002:bool', got 'yes'"),
    ("!!null x", "expected 'tag:yaml.org,2002:null', got 'x'"),
    ("9" * 5000, "Exceeds the limit (4300 digits)"),
    ("0x" + "f" * 400, "expected a whole number below 2^63, got one of about 482 digits"),
    ("9223372036854775808", "expected a whole number below 2^63, got 9223372036854775808"),
    ("-9223372036854775809", "expected a whole number below 2^63, got -9223372036854775809"),
    ('"\\ud800"', "expected text, got '\\ud800' with '\\ud800', which is no letter"),
    ('"a\\0b"', "expected text, got 'a\\x00b' with '\\x00', which is no letter"),
    ("[" * 40 + "]" * 40, "expected lists and mappings at most 30 deep, got more"),
    ("[" * 1000 + "]" * 1000, "cannot be read as YAML"),
    ("&a {x: *a}", "an alias stands within what it names"),
    ("{? [1, 2] : 3}", "expected a word as a key"),
    ("{<<: [1]}", "expected a mapping for merging"),
    ("{a: 1, a: 2}", "the key 'a' is there twice"),
    ("{1: 1, 0x1: 2}", "the key 1 is there twice"),
    ("*nobody", "found undefined alias 'nobody'"),
    ("0\n" + BOMB, "expected a study file of at most 500,000 values, got more"),
    ("0\n" + BOMB + "? *h\n: 1", "got more"),
    ("0\n...\n---\nname: 1", "expected a single document in the stream"),
]


@pytest.mark.parametrize(("text", "line"), BAD, ids=[text[:20] for text, _ in BAD])
def test_what_is_no_study_is_one_line_at_once(tmp_path: Path, text: Any, line: Any) -> None:
    file = tmp_path / "study.yaml"
    file.write_text(f"name: {text}\n")
    began = time.perf_counter()
    with pytest.raises(HeadstartError) as caught:
        read(file)
    assert line in str(caught.value)
    assert "\n" not in str(caught.value)
    assert str(caught.value).startswith(str(file))
    assert time.perf_counter() - began < 5


def test_what_is_no_file_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path / "pipe", "/dev/zero", "/dev/tty"):
        with pytest.raises(
            HeadstartError,
            match=r"^cannot read .*: (expected a file or a folder, got a pipe|No such)",
        ):
            Study.load(path)
    large = tmp_path / "large.yaml"
    with large.open("wb") as opened:
        opened.truncate(2**30)
    with pytest.raises(
        HeadstartError, match=r"expected a study file of at most 1 MB, got 1073 MB$"
    ):
        Study.load(large)
