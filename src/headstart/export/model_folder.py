"""`headstart model OUT --into FOLDER`: a trained model with its card, as a hub shows it."""

import re
from pathlib import Path
from typing import Any

from headstart import files
from headstart.errors import HeadstartError, reason
from headstart.export.model_card import card
from headstart.files.folders import new_folder, refuse_taken
from headstart.results.model_file import Found
from headstart.results.study_results import load

MODEL, CARD = "model.safetensors", "README.md"

REPOSITORY = re.compile(r"[\w.-]+/[\w.-]+", re.ASCII)


def write(
    model: Found, out: Path, into: Path, push: str | None = None, public: bool = False
) -> list[str]:
    """Write a folder of weights and their card, and return what they are, a line each.

    Args:
        model: the weights of a run.
        out: the folder of its study.
        into: the folder to write, which must not be there.
        push: the repository of the hub that it goes to, owner/name.
        public: whether a repository that is made for it can be seen by all.

    Raises:
        HeadstartError: the folder is there, or the hub refuses it.
    """
    refuse_taken(into)
    if push is not None and not REPOSITORY.fullmatch(push):
        raise HeadstartError(f"--push: expected owner/name, got {push!r}")
    hub = _hub() if push is not None else None
    with new_folder(into) as folder:
        files.write(folder / MODEL, model.content)
        files.write(folder / CARD, card(load(out), model))
    lines = [*model.told, f"model: {into}, with its card in {CARD}"]
    if hub is not None and push is not None:
        lines.append(f"pushed: {_pushed(hub, into, push, public)}")
    return lines


def _hub() -> Any:
    """What talks to the hub, before anything is written."""
    try:
        from huggingface_hub import HfApi
    except ImportError:
        raise HeadstartError("--push needs huggingface_hub: pip install 'headstart[hub]'") from None
    return HfApi()


def _pushed(hub: Any, folder: Path, repository: str, public: bool) -> str:
    """Upload a folder, into a new repository where there is none, and return its address."""
    try:
        made = hub.create_repo(repository, private=not public, exist_ok=True)
        hub.upload_folder(
            repo_id=repository, folder_path=str(folder), commit_message="Upload by headstart model"
        )
    except Exception as error:  # of many kinds, by what the hub says
        raise HeadstartError(
            f"--push: the hub refused {repository} ({reason(error)}); {folder} is written, and "
            f"`hf upload {repository} {folder}` tries again"
        ) from error
    return str(made)
