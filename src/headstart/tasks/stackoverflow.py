"""Questions, answers and comments by user: next-word prediction, each client a person.

Stack Overflow is the largest of the federated tasks in use (Reddi et al., arXiv 2003.00295: 342,477
users), and one of the paper's (arXiv 2206.15387). The file has a row a post and the columns user_id
and text, as tables of one's own or of a hub may; the default is of smaller sites of the same
network (CC BY-SA; `docs/text.md`), 2,031 users.
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
    "stackoverflow",
    source="Stack Overflow, Reddi et al., arXiv 2003.00295; ours: other Stack Exchange sites, CC "
    "BY-SA",
)
@cached(maxsize=2)
def stackoverflow(
    *,
    path: Path_ = "$HEADSTART_DATA/stackexchange_by_user.parquet",
    client: ClientColumn = "user_id",
    text: TextColumn = "text",
    tokens: TokensPart = "words",
    length: Length = 64,
    most_rows: MostRows = 200,
    least_rows: LeastRows = 1,
    validation: ShareToValidate = 0.1,
    test: ShareToTest = 0.2,
) -> Task:
    """The next word in the posts of a user: rows of 64, at most 200 a user, as in the paper's
    configurations.

    A tenth of the users validates and a fifth tests, one fixed draw; the others are the clients. No
    user is in two splits: accuracy is that on users that are no clients, as the paper measures it.
    The vocabulary has not seen them either.

    Raises:
        HeadstartError: the file is missing or damaged, or too few clients are left.
    """
    clients = documents_by_client(located(path, "task.path"), client, text)
    splits = by_held_out_clients("stackoverflow", clients, validation, test)
    return text_task(
        "stackoverflow",
        splits,
        tokens,
        length,
        most_rows,
        least_rows,
        digest(*files_of(located(path))),
    )
