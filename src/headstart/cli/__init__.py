"""The command line: each command reads its arguments, calls one function of the library, and
prints.
"""

from headstart.cli import studies, outcomes, deployment, tools  # noqa: F401, I001 - in this order in help
from headstart.cli.commands import app, main

__all__ = ["app", "main"]
