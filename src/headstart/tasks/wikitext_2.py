"""WikiText-2: articles of Wikipedia, a proxy on which to pre-train before the text of clients.

Merity, Xiong, Bradbury & Socher, "Pointer Sentinel Mixture Models", arXiv 1609.07843 (text CC BY-SA
3.0). The files have a paragraph or a heading a line, in tokenised form: words apart from signs,
`@-@` for a sign within a word, `<unk>` for a word that is rare. An article is a document here;
signs within words are put back, and `<unk>` becomes what no vocabulary has.
"""

import re
from pathlib import Path
from typing import Annotated

from pydantic import Field

from headstart import files
from headstart.errors import HeadstartError
from headstart.files import digest, located
from headstart.parts.caches import cached
from headstart.parts.written import PartText
from headstart.tasks.base import TASKS, Task
from headstart.tasks.text.next_token import TokenRows, joined, next_token, rows_of
from headstart.tasks.tokens.base import MISSING, Tokens


@TASKS.register("wikitext-2", source="Merity et al., arXiv 1609.07843")
@cached(maxsize=2)
def wikitext_2(
    *,
    like: Annotated[
        PartText,
        Field(
            description="the task whose tokens and length of rows it takes, written as in the "
            "study file"
        ),
    ] = "stackoverflow",
    train: Annotated[
        str, Field(description="a text file to train on")
    ] = "$HEADSTART_DATA/wikitext-2/valid.txt",
    test: Annotated[
        str, Field(description="a text file to validate on (its first half) and test on")
    ] = "$HEADSTART_DATA/wikitext-2/test.txt",
) -> Task:
    """The next token in articles of Wikipedia, in the tokens of another task: to pre-train before
    that one.

    A start `proxy(task="wikitext-2(like='stackoverflow')")` must name the study's task with the
    parameters that it has there; the start refuses a vocabulary that differs. Nothing but that
    vocabulary is taken from the task.

    By default it trains on the validation file (214,000 words), since the training file is in no
    source of ours; name that one as `train` where it is at hand. Articles name no clients.

    Raises:
        HeadstartError: a file is missing or empty, or `like` is not a task of next tokens.
    """
    target = TASKS.build(TASKS.component(like, "task wikitext-2.like"))
    tokens = target.tokens
    if tokens is None or target.outputs != tokens.size:
        raise HeadstartError(
            "task wikitext-2.like: expected a task of next tokens, such as 'stackoverflow', got "
            f"{target.name!r}"
        )
    length = target.input_shape[0]
    trained = _rows_by_article(located(train, "task.train"), tokens, length)
    held_out = _rows_by_article(located(test, "task.test"), tokens, length)
    half = len(held_out) // 2
    return Task(
        "wikitext-2",
        joined(trained, tokens, length),
        joined(held_out[:half], tokens, length),
        joined(held_out[half:], tokens, length),
        outputs=tokens.size,
        objective=next_token(tokens.ignored),
        tokens=tokens,
        content=digest(located(train), located(test)),
    )


def _rows_by_article(path: Path, tokens: Tokens, length: int) -> list[TokenRows]:
    return [rows_of([article], tokens, length) for article in articles(path)]


def articles(path: Path) -> list[str]:
    """The articles of a file, as they would be written.

    One begins with a heading of the first order, `= Title =`.

    Raises:
        HeadstartError: the file cannot be read, or holds nothing.
    """
    try:
        with files.explained(path, "read"):
            lines = path.read_text(encoding="utf-8").splitlines()
    except UnicodeDecodeError as error:
        raise HeadstartError(
            f"{path} cannot be read as UTF-8: {error.reason} at byte {error.start}"
        ) from error
    found: list[list[str]] = []
    for line in filter(None, map(as_written, lines)):
        if not found or re.fullmatch(r"= [^=]+ =", line):
            found.append([])
        found[-1].append(line)
    if not found:
        raise HeadstartError(f"{path}: expected text, got an empty file")
    return ["\n".join(lines) for lines in found]


def as_written(line: str) -> str:
    """A line of WikiText without what its tokenisation added.

    >>> as_written(' a well @-@ known <unk> did n\\'t cost $ 1 @,@ 000 ; it \\'s " new " . ')
    'a well-known \\ufffd didn\\'t cost $ 1,000 ; it\\'s " new " .'
    """
    line = re.sub(r" @(.)@ ", r"\1", line.replace("<unk>", MISSING))
    return re.sub(r"(?<=\w) (n?'\w+)", r"\1", line).strip()
