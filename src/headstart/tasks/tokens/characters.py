"""Text as single characters."""

import hashlib

import numpy as np

from headstart.tasks.tokens.base import (
    BEGIN,
    END,
    MARKS,
    PAD,
    TOKENS,
    UNKNOWN,
    Documents,
    Ids,
    Tokens,
)

ALPHABET = (
    "dhlptx@DHLPTX $(,048cgkoswCGKOSW[_#'/37;?bfjnrvzBFJNRVZ\"&*.26:\naeimquyAEIMQUY]!%)-159\r"
)
"""The 86 characters of TensorFlow Federated's Shakespeare, which Reddi et al. use (arXiv
2003.00295, appendix).
"""


@TOKENS.register("characters", source="Reddi et al., arXiv 2003.00295: 86 characters and 4 marks")
def characters(documents: Documents) -> Tokens:
    """86 characters, the same whatever the documents, and marks for padding, others, begin and end:
    90 tokens.
    """
    token_of = np.full(129, UNKNOWN)  # all are ASCII; the last place is for what is not
    token_of[[ord(character) for character in ALPHABET]] = np.arange(MARKS, MARKS + len(ALPHABET))

    def encode(text: str) -> Ids:
        codes = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), np.uint32)
        return np.asarray(token_of[np.minimum(codes, 128)])

    content = hashlib.sha256(ALPHABET.encode()).hexdigest()
    size = MARKS + len(ALPHABET)
    return Tokens(size, BEGIN, END, PAD, (PAD, UNKNOWN, BEGIN, END), content, encode=encode)
