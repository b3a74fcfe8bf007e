"""The language of parallel training: how model and batch are spread over hosts, in PyTorch's words."""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias

from pydantic import Field

from scenario.text import units
from scenario.text.fields import PositiveShare, Read, Size
from scenario.text.strict import Strict
from scenario.types import training as types

Spread: TypeAlias = Annotated[float, Read(units.SHARE, above=0, most=1000)]
MIB = float(1 << 20)
COMPRESSION = Field(default=1.0, ge=1, le=10_000)


class PlainModel(Strict):
    """One collective over all gradients, after the backward pass."""

    kind: Literal["plain"] = "plain"
    """No overlap of compute and communication."""
    compression: float = COMPRESSION
    """Gradients are so many times smaller on the wire. Modelled: it takes no compute."""


class DDPModel(Strict):
    """PyTorch's DistributedDataParallel: gradients are summed in buckets, while the backward pass goes on."""

    kind: Literal["ddp"]
    """Replicated parameters, overlapped communication."""
    bucket: Size = 25 * MIB
    """Size of a bucket (`bucket_cap_mb`). Where all is scaled down, small buckets become single packets."""
    first_bucket: Size = MIB
    """Size of the first bucket, which the backward pass fills first."""
    overlap: bool = True
    """Whether a bucket is summed as soon as it is full; else all are, after the backward pass."""
    compression: float = COMPRESSION
    """Gradients are so many times smaller on the wire (a communication hook). Modelled: it takes no
    compute."""


class FSDPModel(Strict):
    """PyTorch's fully sharded data parallel (ZeRO), each layer a unit."""

    kind: Literal["fsdp"]
    """Sharded parameters, gradients and optimizer."""
    reshard_after_forward: bool = True
    """Whether parameters are dropped after the forward pass, and gathered again for the backward pass
    (ZeRO-3); else they stay (ZeRO-2)."""
    prefetch: int = Field(default=1, ge=0, le=64)
    """How many units are gathered while another one computes."""


class PipelineModel(Strict):
    """Layers in stages, one forward, one backward (1F1B); data-parallel inside a stage."""

    kind: Literal["pipeline"]
    """Activations cross between stages."""
    stages: int | None = Field(default=None, ge=2, le=64)
    """Into how many equal parts the hosts are divided, in order; else each campus is a stage."""
    microbatches: int = Field(default=8, ge=1, le=1024)
    """Into how many parts each batch is divided."""


class MoEModel(Strict):
    """A mixture of experts: tokens travel to their experts and back, in every layer."""

    kind: Literal["moe"]
    """All-to-all in every layer."""
    experts: int = Field(default=8, ge=2, le=100_000)
    """How many experts a layer has, spread evenly over the hosts that share them."""
    top_k: int = Field(default=2, ge=1, le=1024)
    """To how many of them each token goes."""
    within: Literal["all", "campus"] = "all"
    """Which hosts share a set of experts: all, or those of a campus, which then has experts of its own."""


class TensorModel(Strict):
    """Tensor parallelism: every layer is divided between hosts, which sum its activations before the next one."""

    kind: Literal["tensor"]
    """Four all-reduces in every layer: two forward, two backward."""
    within: Literal["all", "campus"] = "campus"
    """Which hosts divide a layer: those of a campus, so that only gradients cross the long haul, or all."""


class DiLoCoModel(Strict):
    """Local SGD with an outer optimizer: campuses train by themselves, and average now and then. An iteration
    is one cycle: all inner steps, and one synchronization of the whole model."""

    kind: Literal["diloco"]
    """Few synchronizations between campuses."""
    inner_steps: int = Field(default=50, ge=1, le=1000)
    """Steps of each campus between two synchronizations."""
    fragments: int = Field(default=1, ge=1, le=64)
    """In how many parts the model is synchronized, at different times (streaming DiLoCo)."""
    overlap_steps: int = Field(default=0, ge=0, le=1000)
    """Over how many inner steps the synchronization of a part may be spread, while they compute."""
    compression: float = COMPRESSION
    """What is averaged is so many times smaller on the wire. Modelled: it takes no compute."""
    by_layer: bool = False
    """Whether each layer of a part is averaged by itself, beside the rest of the backward pass, and only its own next
    forward pass waits; else a part is averaged at once, after the step. A part is then every so many-th layer."""


StrategyField: TypeAlias = Annotated[
    PlainModel | DDPModel | FSDPModel | PipelineModel | MoEModel | TensorModel | DiLoCoModel,
    Field(discriminator="kind"),
]


class SlowdownsModel(Strict):
    """Compute that is slower at random, drawn anew for each host and iteration by the run's seed."""

    distribution: Literal["half-normal", "exponential", "fixed"] = "half-normal"
    """`half-normal`: `spread` is the standard deviation. `exponential`: the mean. `fixed`: always that."""
    spread: Spread
    """How much longer compute takes: `5%`."""
    chance: PositiveShare = 1.0
    """How often it happens at all."""


def strategy(written: StrategyField) -> types.Strategy:
    """What is written, as the rest of longhaul reads it."""
    match written:
        case PlainModel():
            return types.Plain(written.compression)
        case DDPModel():
            return types.DDP(
                bucket_bytes=written.bucket,
                first_bucket_bytes=written.first_bucket,
                overlap=written.overlap,
                compression=written.compression,
            )
        case DiLoCoModel():
            return types.DiLoCo(
                inner_steps=written.inner_steps,
                fragments=written.fragments,
                overlap_steps=written.overlap_steps,
                compression=written.compression,
                by_layer=written.by_layer,
            )
    return _divided(written)


def _divided(written: FSDPModel | PipelineModel | MoEModel | TensorModel) -> types.Strategy:
    """Those that divide the model between hosts."""
    match written:
        case FSDPModel():
            return types.FSDP(written.reshard_after_forward, written.prefetch)
        case PipelineModel():
            return types.Pipeline(written.stages, written.microbatches)
        case MoEModel():
            return types.MoE(written.experts, written.top_k, written.within)
    return types.Tensor(written.within)
