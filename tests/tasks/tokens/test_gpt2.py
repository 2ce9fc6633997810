"""Text as the byte pairs of GPT-2: the published numbers."""

import os
import shutil
from pathlib import Path

import pytest

from headstart.errors import HeadstartError
from headstart.tasks.tokens.base import TOKENS, Tokens

FOLDER = Path(os.environ.get("HEADSTART_DATA", "")) / "gpt2_tokenizer"


needs_gpt2 = pytest.mark.skipif(
    not FOLDER.is_dir(), reason="needs gpt2_tokenizer/ in $HEADSTART_DATA"
)


def tokens(written: str, *documents: str) -> Tokens:
    return TOKENS.build(TOKENS.component(written), documents)


@needs_gpt2
def test_gpt2_has_the_published_numbers() -> None:
    """Those of "Hello world" and " multi-byte" text are in the README of OpenAI's tiktoken and of
    many others.
    """
    pytest.importorskip("tokenizers")
    made = tokens("gpt2")
    assert (made.size, made.begin, made.end, made.ignored) == (50_257, 50_256, 50_256, 50_256)
    assert made.encode("Hello world").tolist() == [15_496, 995]
    assert made.encode("hello world").tolist() == [31_373, 995]


@needs_gpt2
def test_damaged_files_of_gpt2_are_one_line(tmp_path: Path) -> None:
    pytest.importorskip("tokenizers")
    with pytest.raises(HeadstartError, match=r"cannot read .*vocab.json: No such file"):
        tokens(f"gpt2(folder={str(tmp_path)!r})")
    shutil.copy(FOLDER / "merges.txt", tmp_path)
    (tmp_path / "vocab.json").write_text('{"a": 0}')
    with pytest.raises(HeadstartError, match="are not the vocabulary of GPT-2"):
        tokens(f"gpt2(folder={str(tmp_path)!r})")
