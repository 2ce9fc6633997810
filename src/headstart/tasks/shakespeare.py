"""Shakespeare's plays by speaking role: next-character prediction, each client a role of one play.

The text is in the public domain. LEAF made it a federated task (Caldas et al., arXiv 1812.01097),
after McMahan et al. (arXiv 1602.05629, section 3). The file has a row a speech, in the order of the
plays, and the columns user_id (play and role) and text; where ours is from is told in
`docs/text.md`.
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
    by_time,
    documents_by_client,
    text_task,
)


@TASKS.register("shakespeare", source="LEAF, Caldas et al., arXiv 1812.01097")
@cached(maxsize=2)
def shakespeare(
    *,
    path: Path_ = "$HEADSTART_DATA/shakespeare_by_role.parquet",
    client: ClientColumn = "user_id",
    text: TextColumn = "text",
    tokens: TokensPart = "characters",
    length: Length = 80,
    most_rows: MostRows = 1000,
    least_rows: LeastRows = 1,
    validation: ShareToValidate = 0.1,
    test: ShareToTest = 0.1,
) -> Task:
    """The next character in the speeches of a role: rows of 80, roles with at least 3 speeches.

    As in LEAF each role's text is split in the order of time, so every split has the same roles:
    its first speeches train, the next tenth validates, the last tenth tests (at least one speech
    each). What is measured is later text of people whom the clients have; the tasks by users,
    `stackoverflow` and `reddit`, measure that of others.

    Raises:
        HeadstartError: the file is missing or damaged, or no role is left.
    """
    clients = documents_by_client(located(path, "task.path"), client, text)
    splits = by_time("shakespeare", clients, validation, test)
    return text_task(
        "shakespeare",
        splits,
        tokens,
        length,
        most_rows,
        least_rows,
        digest(*files_of(located(path))),
    )
