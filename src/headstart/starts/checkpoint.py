"""Weights from a file: what somebody trained before, with its last layer or with a new one.

The paper's first axis (Nguyen et al., arXiv 2206.15387, section 3): ImageNet weights for images,
another corpus for text, in each case without the layer that knows the classes, which is drawn anew
where they differ.
"""

from typing import Annotated

from pydantic import Field

from headstart.files import located
from headstart.starts.base import STARTS, Start
from headstart.starts.heads import Head, HeadChoice, HeadLayer
from headstart.starts.weight_files.fitting import Classes, Inside, Prefix, Sha256, Source, from_file


@STARTS.register(
    "checkpoint", source="Nguyen et al., arXiv 2206.15387, section 3 (pre-trained weights)"
)
def checkpoint(
    *,
    path: Annotated[
        str,
        Field(
            description="a safetensors or torch file, .npz, or a model's folder; may begin with "
            "$HEADSTART_DATA/, a folder of the machine"
        ),
    ],
    sha256: Sha256 = None,
    head: Head = "auto",
    head_layer: HeadLayer = None,
    inside: Inside = None,
    prefix: Prefix = None,
    classes: Classes = (),
) -> Start:
    """Weights from a file, such as ImageNet's: all layers but the head, which is kept or new.

    A new head is drawn from the run's seed, and is the one that the start `random` has with that
    seed. Where the head is kept, every seed gets the same weights.

    What the model keeps in buffers is read too. Left out is what the model has not: running
    statistics of BatchNorm, masks of attention that older versions of transformers saved, second
    names of tied tensors that are equal. Every other name must be the model's, once the one prefix
    that all share (`module.`, `_orig_mod.`, ...) is taken off.

    Raises:
        HeadstartError: the file cannot be read, is not the one with that sha256, does not fit the
            model or holds numbers that are not finite.
    """
    return from_file(
        Source(located(path), sha256, inside, prefix, classes),
        HeadChoice(head, head_layer, "checkpoint"),
    )
