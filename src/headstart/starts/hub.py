"""Weights from a repository of the Hugging Face hub, or from its cache on this machine.

What is in the cache is taken from there, so that a study whose weights were once downloaded runs
without a network; a branch such as `main` is then the commit that the cache has. Only a commit hash
says for good which weights are meant.
"""

import socket
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit
from urllib.request import getproxies

from pydantic import AfterValidator, Field

from headstart.errors import HeadstartError, reason
from headstart.starts.base import STARTS, Start
from headstart.starts.heads import Head, HeadChoice, HeadLayer
from headstart.starts.weight_files.fitting import Classes, Inside, Prefix, Sha256, Source, from_file
from headstart.starts.weight_files.reading import INDEX, files_of

REACHED_WITHIN = 10.0
"""Seconds that the hub may take to answer at all."""

READ = (".safetensors", ".bin", ".pt", ".pth", ".npz", INDEX)


def _weights(file: str) -> str:
    if not file.endswith(READ):
        raise ValueError(f"expected a file that ends in {', '.join(READ)}, got {file!r}")
    return file


@STARTS.register(
    "hub", source="huggingface.co, by huggingface_hub; what is read of a file: see `checkpoint`"
)
def hub(
    *,
    repo: Annotated[str, Field(description="owner/name of a model's repository")],
    revision: Annotated[
        str, Field(min_length=1, description="a commit hash; or a branch or tag, which may move")
    ] = "main",
    file: Annotated[
        str,
        AfterValidator(_weights),
        Field(
            description="safetensors, a torch file, of which tensors alone are read, or an index "
            "of shards"
        ),
    ] = "model.safetensors",
    sha256: Sha256 = None,
    head: Head = "auto",
    head_layer: HeadLayer = None,
    inside: Inside = None,
    prefix: Prefix = None,
    classes: Classes = (),
) -> Start:
    """Weights from a repository of the Hugging Face hub: then as `checkpoint`, the head kept or
    new.

    Needs huggingface_hub (`pip install headstart[hub]`), whose cache, token and mirror are used as
    they are set up.

    Raises:
        HeadstartError: it is neither in the cache nor to be had; the file does not fit the model,
            or is damaged.
    """
    path = _located(repo, revision, file)
    for shard in files_of(path)[1:]:
        _located(repo, revision, str(Path(file).with_name(shard.name)))
    return from_file(
        Source(path, sha256, inside, prefix, classes), HeadChoice(head, head_layer, "hub")
    )


def _refuse_no_network() -> None:
    """Ask for the hub's address once: without a network the library tries for half a minute, and
    says so each time.

    Raises:
        OSError: the hub cannot be reached.
    """
    from huggingface_hub import constants
    from huggingface_hub.utils import logging

    logging.set_verbosity_error()  # what goes wrong is said in one line
    endpoint = urlsplit(constants.ENDPOINT)
    if constants.HF_HUB_OFFLINE or endpoint.scheme in getproxies():
        return
    port = endpoint.port or (80 if endpoint.scheme == "http" else 443)
    try:
        socket.create_connection((endpoint.hostname, port), REACHED_WITHIN).close()
    except OSError as error:
        raise OSError(f"{endpoint.hostname} cannot be reached: {error.strerror or error}") from None


def _located(repo: str, revision: str, file: str) -> Path:
    try:
        from huggingface_hub import hf_hub_download, try_to_load_from_cache
    except ImportError:
        raise HeadstartError(
            "the start hub needs huggingface_hub: pip install 'headstart[hub]'"
        ) from None
    try:
        cached = try_to_load_from_cache(repo, file, revision=revision)
        if isinstance(cached, str):
            return Path(cached)
        _refuse_no_network()
        return Path(str(hf_hub_download(repo, file, revision=revision)))
    except Exception as error:  # of many kinds: no such repository, no permission, no network, ...
        why = reason(error).rstrip(".")
        raise HeadstartError(
            f"start hub: {file} of {repo} at {revision} is not in the cache and cannot be had "
            f"from the hub ({type(error).__name__}: {why}); check the names, or fetch it "
            "where there is a network"
        ) from error
