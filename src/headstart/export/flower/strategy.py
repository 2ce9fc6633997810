"""The server's side of an app: a strategy of Flower's that takes Headstart's steps.

It sends a cohort what its clients need (the weights, what the method's server keeps and sends
along, the clients' rate), and combines the replies in the order of the cohort, weighted as in the
simulation. What it waits for and does not get is said in a line, and the round goes on without.
"""

import time
from collections.abc import Iterable, Sequence
from logging import INFO, WARNING
from pathlib import Path

from flwr.app import ArrayRecord, ConfigRecord, Message, MessageType, MetricRecord, RecordDict
from flwr.common.logger import log
from flwr.serverapp import Grid
from flwr.serverapp.strategy import Strategy

from headstart.engine.plan import cohort_of
from headstart.errors import HeadstartError
from headstart.export.deployment import Contribution, Deployment
from headstart.export.flower import records
from headstart.export.flower.settings import AppSettings
from headstart.starts import weights
from headstart.starts.weights import Weights
from headstart.trees import Tree

LOOK_EVERY = 1.0
"""Seconds between two looks at which nodes are connected."""


class RecipeStrategy(Strategy):
    """Trains by a recipe.

    Args:
        deployment: the recipe, made ready.
        begin_with: the weights of the whole model, of which some may be held.
        settings: those of the run.
    """

    def __init__(self, deployment: Deployment, begin_with: Weights, settings: AppSettings) -> None:
        self._deployment, self._settings, self._made = deployment, settings, begin_with
        x, self._held = deployment.parted(begin_with.state)
        self._state = deployment.begin(x)
        self._client_of: dict[int, int] = {}
        self._there = 0
        self._cohort: list[int] = []

    @property
    def arrays(self) -> ArrayRecord:
        """The weights that are trained, as they are now."""
        return records.arrays(self._state.x)

    @property
    def weights(self) -> Tree:
        """The whole model, as it is now."""
        whole = {**self._held, **self._state.x}
        return {name: whole[name] for name in self._made.state}

    def train(self, grid: Grid) -> None:
        """Train for all rounds, and write the weights that come of it, also of fewer."""
        rounds, timeout = self._settings.rounds, self._settings.timeout
        try:
            self.start(grid, self.arrays, num_rounds=rounds, timeout=timeout)
        finally:
            self._save()

    def _save(self) -> None:
        if self._settings.save and self._state.round:
            made = self._made._replace(state=self.weights)
            note = {"recipe": self._deployment.recipe.run, "rounds": self._state.round}
            path = Path(self._settings.save)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(weights.content(made, note))
            log(INFO, "weights: %s", path)

    def configure_train(
        self, server_round: int, arrays: ArrayRecord, config: ConfigRecord, grid: Grid
    ) -> Iterable[Message]:
        """Choose the cohort of a round, and write its messages."""
        there = self._clients(grid)
        self._there, node_of = len(there), {client: node for node, client in there.items()}
        self._cohort = self._cohort_among(server_round, sorted(node_of))
        content = records.to_client(self._deployment.sent(self._state, self._held))
        messages = []
        for client in self._cohort:
            messages.append(
                Message(
                    content=content,
                    dst_node_id=node_of[client],
                    message_type=MessageType.TRAIN,
                    group_id=str(server_round),
                )
            )
        log(INFO, "round %s: sent to clients %s", server_round, self._cohort)
        return messages

    def aggregate_train(
        self, server_round: int, replies: Iterable[Message]
    ) -> tuple[ArrayRecord | None, MetricRecord | None]:
        """Take the server's step with what came back."""
        answers, losses = [], []
        came = set()
        for message in replies:
            node = message.metadata.src_node_id  # of a node that is gone, that of the SuperLink
            if message.has_error():
                who = self._client_of.get(node, "of a node that is gone")
                log(WARNING, "client %s failed: %s", who, message.error.reason)
                continue
            came.add(self._client_of[node])
            answer = records.answer(message.content, self._deployment.network.device)
            if answer is not None:
                answers.append(answer)
                losses.append(float(message.content.metric_records[records.WORK]["loss"]))
        if absent := [client for client in self._cohort if client not in came]:
            log(
                WARNING,
                "round %s goes on with %s of %s clients: nothing came from %s",
                server_round,
                len(came),
                len(self._cohort),
                ", ".join(map(str, absent)),
            )
        self._step(answers)
        if not answers:
            return None, None
        return self.arrays, MetricRecord({"local-loss": sum(losses) / len(losses)})

    def configure_evaluate(
        self, server_round: int, arrays: ArrayRecord, config: ConfigRecord, grid: Grid
    ) -> Iterable[Message]:
        """Evaluate nothing on clients."""
        return []

    def aggregate_evaluate(
        self, server_round: int, replies: Iterable[Message]
    ) -> MetricRecord | None:
        """Return nothing, as nothing was evaluated."""
        return None

    def summary(self) -> None:
        """Say what is trained by."""
        recipe = self._deployment.recipe
        log(INFO, "%s + %s, from %s", recipe.client, recipe.server, recipe.start)

    def _step(self, answers: Sequence[Contribution]) -> None:
        by_plan = self._settings.cohorts == "plan"
        clients = self._deployment.recipe.population if by_plan else self._there
        self._state = self._deployment.advance(self._state, answers, clients)

    def _cohort_among(self, round_: int, there: Sequence[int]) -> list[int]:
        if self._settings.cohorts == "nodes":
            return self._deployment.cohort(round_, there)
        recipe = self._deployment.recipe
        planned = cohort_of(recipe.seed, round_, recipe.population, recipe.cohort).tolist()
        if absent := [client for client in planned if client not in there]:
            log(
                WARNING,
                "round %s: no node is connected with partition-id %s of the plan",
                round_,
                ", ".join(map(str, absent)),
            )
        return [client for client in planned if client in there]

    def _clients(self, grid: Grid) -> dict[int, int]:
        """The numbers of the clients that are connected, by their nodes, once there are enough."""
        wanted, patience = self._settings.min_nodes, self._settings.timeout
        until = time.monotonic() + patience
        while len(there := self._known(grid, until - time.monotonic())) < wanted:
            if time.monotonic() > until:
                raise HeadstartError(
                    f"expected {wanted} nodes that answer, got {len(there)} within {patience:g} s; "
                    "start SuperNodes, or lower min-nodes"
                )
            time.sleep(LOOK_EVERY)
        self._refuse_alike(there.values())
        return there

    def _known(self, grid: Grid, patience: float) -> dict[int, int]:
        """The numbers of the clients that are connected, of which new ones are asked for theirs."""
        nodes = set(grid.get_node_ids())
        asked = []
        for node in sorted(nodes - self._client_of.keys()):
            asked.append(Message(RecordDict(), dst_node_id=node, message_type=MessageType.QUERY))
        if asked:
            for reply in grid.send_and_receive(asked, timeout=max(patience, LOOK_EVERY)):
                if not reply.has_error():
                    said = reply.content.metric_records[records.WORK]["client"]
                    self._client_of[reply.metadata.src_node_id] = int(said)
        return {node: self._client_of[node] for node in nodes if node in self._client_of}

    def _refuse_alike(self, clients: Iterable[int]) -> None:
        seen: set[int] = set()
        for client in clients:
            if client in seen:
                raise HeadstartError(
                    f"two nodes are client {client}; give each a partition-id of its own"
                )
            seen.add(client)
