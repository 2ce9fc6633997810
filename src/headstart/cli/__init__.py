"""The command line: each command reads its arguments, calls one function of the library, and
prints.
"""

from headstart.cli import (  # noqa: F401, I001 - in the order of the help
    studies,
    outcomes,
    deployment,
    tools,
)
from headstart.cli.commands import app, main

__all__ = ["app", "main"]
