"""How training is spread over hosts, once read: frozen, in SI units and the real world's bytes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

Shares: TypeAlias = Literal["per-gpu", "per-host", "proportional"]
Precision: TypeAlias = Literal["bf16", "fp8"]


@dataclass(frozen=True)
class Plain:
    """One collective over all gradients after the backward pass. Gradients are divided by `compression`."""

    compression: float = 1.0
    kind: str = "plain"


@dataclass(frozen=True)
class DDP:
    """PyTorch's DistributedDataParallel: gradients in buckets, the first one smaller, each summed as soon as
    the backward pass has filled it, unless it does not `overlap`."""

    bucket_bytes: float
    first_bucket_bytes: float
    overlap: bool
    compression: float = 1.0
    kind: str = "ddp"


@dataclass(frozen=True)
class FSDP:
    """PyTorch's fully sharded data parallel, a unit per layer: parameters are gathered before use, gradients
    reduce-scattered. `reshard`: parameters are dropped after the forward pass and gathered again
    (ZeRO-3), else kept (ZeRO-2). At most `prefetch` + 1 units are gathered ahead of their use."""

    reshard: bool
    prefetch: int
    kind: str = "fsdp"


@dataclass(frozen=True)
class Pipeline:
    """Layers in stages, a stage on each campus or on so many equal parts of the hosts; each batch in
    `microbatches`, one forward, one backward (1F1B)."""

    stages: int | None
    microbatches: int
    kind: str = "pipeline"


@dataclass(frozen=True)
class MoE:
    """A mixture of experts: tokens go to `top_k` of `experts` by an all-to-all and come back by another, in
    every layer, among all hosts or those of each campus (`within`). Gradients are summed at the end."""

    experts: int
    top_k: int
    within: Literal["all", "campus"]
    kind: str = "moe"


@dataclass(frozen=True)
class Tensor:
    """Every layer divided between all hosts or those of each campus (`within`), which sum activations twice forward and
    twice backward in each; campuses then divide the batch, and sum gradients."""

    within: Literal["all", "campus"]
    kind: str = "tensor"


@dataclass(frozen=True)
class DiLoCo:
    """Local SGD: each campus trains by itself for `inner_steps`, then all average what has changed. In
    `fragments`, one after another, each of which may take `overlap_steps` of compute to come; `by_layer`, a fragment's
    layers set out one by one."""

    inner_steps: int
    fragments: int
    overlap_steps: int
    compression: float = 1.0
    by_layer: bool = False
    kind: str = "diloco"


Strategy: TypeAlias = Plain | DDP | FSDP | Pipeline | MoE | Tensor | DiLoCo


@dataclass(frozen=True)
class Slowdowns:
    """Compute is slower at random, anew in each iteration and host: with probability `chance`, by a factor
    of 1 + `spread` × a draw of |N(0, 1)| (`half-normal`), of an exponential with mean 1, or 1 (`fixed`)."""

    distribution: Literal["half-normal", "exponential", "fixed"]
    spread: float
    chance: float = 1.0
