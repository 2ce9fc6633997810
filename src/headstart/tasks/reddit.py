"""Posts by community: next-word prediction, each client a subreddit.

LEAF has a task of Reddit comments by user (Caldas et al., arXiv 1812.01097, section 2), which the
paper took (arXiv 2206.15387). The file has a row a post and the columns user_id and text, as tables
of one's own or of a hub may; the default names no authors, so that its 400 clients are communities
(`docs/text.md`).
"""

from headstart.files import digest, located
from headstart.parts.caches import cached
from headstart.tasks.base import TASKS, Task
from headstart.tasks.sources.tables import files_of
from headstart.tasks.text.next_token import (
    ClientColumn,
    LeastRows,
    Length,
    MostRows,
    Path_,
    ShareToTest,
    ShareToValidate,
    TextColumn,
    TokensPart,
    by_held_out_clients,
    documents_by_client,
    text_task,
)


@TASKS.register(
    "reddit",
    source="Reddit, LEAF, Caldas et al., arXiv 1812.01097; ours: self posts of 2013 by subreddit",
)
@cached(maxsize=2)
def reddit(
    *,
    path: Path_ = "$HEADSTART_DATA/reddit_selfposts_by_subreddit.parquet",
    client: ClientColumn = "user_id",
    text: TextColumn = "text",
    tokens: TokensPart = "words",
    length: Length = 64,
    most_rows: MostRows = 200,
    least_rows: LeastRows = 1,
    validation: ShareToValidate = 0.1,
    test: ShareToTest = 0.2,
) -> Task:
    """The next word in the posts of a subreddit: rows of 64, at most 200 a subreddit.

    A tenth of the subreddits validates and a fifth tests, one fixed draw; the others are the
    clients. No subreddit is in two splits: accuracy is that on subreddits that are no clients, as
    the paper measures it. The vocabulary has not seen them either.

    Raises:
        HeadstartError: the file is missing or damaged, or too few clients are left.
    """
    clients = documents_by_client(located(path, "task.path"), client, text)
    splits = by_held_out_clients("reddit", clients, validation, test)
    return text_task(
        "reddit", splits, tokens, length, most_rows, least_rows, digest(*files_of(located(path)))
    )
