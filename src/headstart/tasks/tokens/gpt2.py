"""Text as the byte pairs of GPT-2, for its checkpoints and those of its kin."""

import hashlib
import json
from typing import Annotated

import numpy as np
from pydantic import Field

from headstart import files
from headstart.errors import HeadstartError, reason
from headstart.files import located
from headstart.tasks.tokens.base import TOKENS, Documents, Ids, Tokens

END_OF_TEXT = "<|endoftext|>"
"""Its one mark: between documents. Here it also fills rows, and is never scored."""


@TOKENS.register(
    "gpt2",
    source="Radford et al., 2019: byte-level byte-pair encoding (Sennrich et al., 1508.07909)",
)
def gpt2(
    documents: Documents,
    *,
    folder: Annotated[str, Field(description="a folder with GPT-2's vocab.json and merges.txt")] = (
        "$HEADSTART_DATA/gpt2_tokenizer"
    ),
) -> Tokens:
    """GPT-2's 50,257 tokens, the same whatever the documents: any text has them, so nothing is
    unknown.

    Raises:
        HeadstartError: tokenizers is not installed, or the files are missing or not such a
            vocabulary.
    """
    try:
        from tokenizers import ByteLevelBPETokenizer
    except ImportError as error:
        raise HeadstartError(
            "the tokenizer 'gpt2' needs tokenizers: pip install 'headstart[text]'"
        ) from error
    vocabulary, merges = (located(folder) / name for name in ("vocab.json", "merges.txt"))
    content = hashlib.sha256()
    for file in (vocabulary, merges):
        with files.explained(file, "read"):
            content.update(file.read_bytes())
    try:
        token_of = json.loads(vocabulary.read_text(encoding="utf-8"))
        end, size = int(token_of[END_OF_TEXT]), 1 + max(token_of.values())
        tokenizer = ByteLevelBPETokenizer(str(vocabulary), str(merges))
    except Exception as error:  # whatever a damaged file may raise
        raise HeadstartError(
            f"{vocabulary} and {merges.name} are not the vocabulary of GPT-2: {reason(error)}"
        ) from error

    def encode(text: str) -> Ids:
        return np.array(tokenizer.encode(text).ids, dtype=np.int64)

    return Tokens(size, end, end, end, (end,), content.hexdigest(), given=True, encode=encode)
