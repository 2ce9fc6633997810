"""A grid of Flower's in this process: its nodes are the clients of a study, and answer at once.

Whatever an app's server sends goes to the app's client as a copy, as over a wire, and all of it is
noted.
"""

import copy
import uuid
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import torch
from flwr.app import Context, Error, Message, RecordDict
from flwr.clientapp import ClientApp
from flwr.serverapp import Grid
from flwr.supercore.run import Run
from flwr.supercore.task_identity import TaskIdentity

from headstart.errors import reason
from headstart.export.exchanges import Carried, Exchange, Records
from headstart.export.flower.client import PARTITION
from headstart.export.flower.records import tree

FIRST_NODE = 1000
"""The id of the node that is client 0; the others follow."""

FAILED = 1
"""The code of an error in a client's function."""


class EnoughError(BaseException):
    """The app has begun the round after those that were wanted; it need not go on."""


class MemoryGrid(Grid):
    """Carries messages between an app's server and its clients.

    Args:
        client_app: the app's client.
        clients: how many nodes there are.
        rounds: the rounds of training that are wanted.
        run_config: that of the app.
    """

    def __init__(
        self, client_app: ClientApp, clients: int, rounds: int, run_config: Mapping[str, Any]
    ) -> None:
        self._client_app, self._wanted = client_app, rounds
        self._contexts: dict[int, Context] = {}
        for client in range(clients):
            node = FIRST_NODE + client
            own = {PARTITION: client, "num-partitions": clients}
            self._contexts[node] = Context(1, node, own, RecordDict(), dict(run_config))
        self._rounds: list[list[Exchange]] = []
        self._evaluated: dict[int, Records] = {}
        self._after: Records = {}
        self._replies: dict[str, Message] = {}

    @property
    def carried(self) -> Carried:
        """What was told so far."""
        return Carried(self._rounds, self._evaluated, self._after)

    @property
    def run(self) -> Run:
        """A run without particulars."""
        return Run.create_empty(run_id=1)

    def set_run(self, run: Run) -> None:
        """Do nothing: there is one run."""

    def create_message(self, content: Any, message_type: Any, dst_node_id: Any, group_id: Any,
                       ttl: Any = None) -> Message:  # fmt: skip
        """Make a message, as older apps do.

        Args:
            content: the records.
            message_type: what the client is to do.
            dst_node_id: the node.
            group_id: the round, for who looks at messages.
            ttl: seconds that it is valid.
        """
        return Message(content, dst_node_id, message_type, ttl=ttl, group_id=group_id)

    def get_node_ids(self) -> Iterable[int]:
        """Return the nodes, all of which are always connected."""
        return list(self._contexts)

    def push_messages(self, messages: Iterable[Message]) -> Iterable[str]:
        """Have clients answer; return the numbers of the messages."""
        sent = list(messages)
        kinds = {message.metadata.message_type.partition(".")[0] for message in sent}
        if "train" in kinds:
            if len(self._rounds) == self._wanted:
                self._after = _arrays(sent[0].content)
                raise EnoughError
            self._rounds.append([])
        elif "evaluate" in kinds:
            self._evaluated[len(self._rounds)] = _arrays(sent[0].content)
        return [self._delivered(message) for message in sent]

    def pull_messages(self, message_ids: Iterable[str]) -> Iterable[Message]:
        """Return the replies to messages."""
        return [self._replies.pop(one) for one in message_ids if one in self._replies]

    def send_and_receive(
        self, messages: Iterable[Message], *, timeout: float | None = None
    ) -> Iterable[Message]:
        """Have clients answer, and return their replies."""
        return self.pull_messages(self.push_messages(messages))

    def _delivered(self, message: Message) -> str:
        number, node = str(uuid.uuid4()), message.metadata.dst_node_id
        message.metadata.__dict__["_message_id"] = number
        arrived, context, failure = copy.deepcopy(message), self._contexts[node], ""
        try:
            reply = self._client_app(arrived, context)
        except Exception as error:  # whatever somebody's own app may raise
            failure = reason(error)
            reply = Message(Error(FAILED, failure), reply_to=message)
        self._replies[number] = reply
        if message.metadata.message_type.startswith("train"):
            back = _arrays(reply.content) if reply.has_content() else {}
            told = Exchange(node - FIRST_NODE, _arrays(message.content), back, failure)
            self._rounds[-1].append(told)
        return number


@contextmanager
def identified() -> Iterator[None]:
    """Have messages be made in this process, as in that of a SuperLink's task."""
    before = TaskIdentity._run_id, TaskIdentity._node_id, TaskIdentity._task_id
    TaskIdentity.run_id, TaskIdentity.node_id, TaskIdentity.task_id = 1, 1, 1
    try:
        yield
    finally:
        TaskIdentity._run_id, TaskIdentity._node_id, TaskIdentity._task_id = before


def _arrays(content: RecordDict) -> Records:
    cpu = torch.device("cpu")
    return {name: tree(record, cpu) for name, record in content.array_records.items()}
