"""What `headstart list` prints: the parts of a kind, from their own declarations."""

import sys
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from headstart.terminal import say
from headstart.wording.escapes import printable

if TYPE_CHECKING:
    from headstart.parts.registry import Entry, Registry


def registries() -> dict[str, "Registry[Any]"]:
    """Return the registry of every kind of part, by the name that `headstart list` has for it."""
    from headstart.clients.base import CLIENTS
    from headstart.engine.devices import DEVICES
    from headstart.engine.executors.base import EXECUTORS
    from headstart.engine.rate_by_round import RATES_BY_ROUND
    from headstart.models.network import MODELS
    from headstart.probes.base import PROBES
    from headstart.servers.base import SERVERS
    from headstart.starts.base import STARTS
    from headstart.tasks.base import PARTITIONS, TASKS
    from headstart.tasks.tokens.base import TOKENS

    return {
        "starts": STARTS, "clients": CLIENTS, "servers": SERVERS, "models": MODELS, "tasks": TASKS,
        "tokens": TOKENS, "partitions": PARTITIONS, "devices": DEVICES, "executors": EXECUTORS,
        "probes": PROBES,
        "rates-by-round": RATES_BY_ROUND,
    }  # fmt: skip


def print_registry(name: str, registry: "Registry[Any]") -> None:
    """Print every part of a kind, with its parameters, presets and source."""
    from rich.console import Console
    from rich.text import Text

    console = Console(highlight=False, soft_wrap=not sys.stdout.isatty())
    console.print(Text(name, style="bold underline"))
    for entry in registry:
        console.print(Text.assemble((entry.name, "bold cyan"), f"  {printable(entry.summary)}"))
        for line, style in _lines(entry):
            console.print(Text(f"    {printable(line)}", style=style))
    console.print()


def say_faults(registries: "Iterable[Registry[Any]]") -> None:
    """Say which installed packages have parts that cannot be used, and why."""
    faults: dict[str, str] = {}
    for registry in registries:
        faults |= registry.faults()
    for package, why in faults.items():
        say(f"note: parts of {package} cannot be used ({why})", to=sys.stderr)


def _lines(entry: "Entry[Any]") -> "Iterable[tuple[str, str]]":
    from headstart.parts.validation import describe

    yield f"source: {entry.source}", "dim"
    if entry.package:
        yield f"installed with: {entry.package}", "dim"
    for parameter, info in entry.parameters.model_fields.items():
        default = "required" if info.is_required() else f"default {info.default!r}"
        yield f"{parameter}: {describe(info)}, {default}. {info.description or ''}".rstrip(), ""
        if tuned := entry.tunable.get(parameter):
            yield f"  tuned over {tuned.low:g} to {tuned.high:g}", "dim"
    for preset, values in entry.presets.items():
        written = ", ".join(f"{key}={value!r}" for key, value in values.items())
        yield f"@{preset}: {written or 'the defaults'}", ""
