"""A model at the scale of an environment: fewer and smaller machines, and nothing else, so that a mirror stays one."""

from math import ceil, floor, log2

from mlestate.config.model import Model
from mlestate.config.training import Compute

__all__ = ["scaled"]

LADDERS: tuple[tuple[tuple[Compute, ...], int], ...] = (
    # Each size, and how many halvings lie between one and the next: twice the vCPU, four times the GPUs.
    (("cpu-small", "cpu-medium", "cpu-large"), 1),
    (("gpu-small", "gpu-large"), 2),
)

CANARY_REPLICAS = 2
"""A canary moves whole machines, so where it is rehearsed there are two."""


def scaled(model: Model, scale: float) -> Model:
    """The model as an environment of that scale runs it: 1 as the file says, 0.25 a quarter.

    Counts are rounded up and never reach zero. A size goes down by one for each halving, never to another kind of
    machine; a cloud's own machine type (`serving.aws.instance_type`) stays as it is written. What a model learns, how
    it is judged, released and watched is the same at every scale.
    """
    if scale == 1:
        return model
    serving, training = model.serving, model.training
    written = serving.replicas
    needed = min(written.min, CANARY_REPLICAS if serving.rollout.strategy == "canary" else 1)
    least = max(needed, ceil(written.min * scale))
    # What scales by itself there scales by itself here too.
    room = 1 if written.highest > written.min else 0
    most = None if written.max is None else max(least + room, ceil(written.max * scale))
    replicas = written.model_copy(update={"min": least, "max": most})
    return model.model_copy(
        update={
            "serving": serving.model_copy(update={"compute": _smaller(serving.compute, scale), "replicas": replicas}),
            "training": training.model_copy(
                update={
                    "compute": _smaller(training.compute, scale),
                    "instances": ceil(training.instances * scale),
                }
            ),
        }
    )


def _smaller(size: Compute, scale: float) -> Compute:
    halvings = floor(log2(1 / scale))
    for sizes, apart in LADDERS:
        if size in sizes:
            return sizes[max(0, sizes.index(size) - halvings // apart)]
    raise KeyError(size)
