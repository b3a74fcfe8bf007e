"""The language of training: what is trained, in how many tokens per step, over which collective."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from .collective import CollectiveModel, collective
from .fields import Count
from .price import PriceModel
from .strict import Strict
from .types import Training
from .workload import DTYPE_BYTES, Where, WorkloadModel


class ModelModel(Strict):
    """The neural network."""

    parameters: Count
    """How many parameters: `7e9`, `7B`."""
    dtype: Literal["fp32", "bf16", "fp16", "fp8"] = "bf16"
    """The type that gradients travel in."""


class Batch(Strict):
    """What one step processes."""

    tokens: Count
    """Tokens in one step, over all hosts together: `4Mi`, `4e6`."""


class TrainingModel(WorkloadModel):
    """Synchronous data-parallel training: each step computes, then sums all gradients."""

    kind: Literal["training"]
    """The kind of workload."""
    model: ModelModel
    """What is trained."""
    batch: Batch
    """How much of it in one step."""
    iterations: int = Field(ge=1, le=1_000_000)
    """How many steps, the warm-up included."""
    warmup: int = Field(default=0, ge=0)
    """How many of the first steps do not count."""
    collective: CollectiveModel = CollectiveModel()
    """Which collective sums the gradients, and by which algorithm."""
    price: PriceModel | None = None
    """What the hardware costs: the analysis then says what idle GPUs cost."""


def training(written: TrainingModel, where: Where) -> Training:
    """The workload in SI units. What makes no sense in it is complained about."""
    if written.warmup >= written.iterations:
        expected = f"fewer than the {written.iterations} iterations"
        where.add(("warmup",), "no iteration is left after the warm-up", expected)
    return Training(
        **where.common(written),
        parameters=written.model.parameters,
        gradient_bytes=written.model.parameters * DTYPE_BYTES[written.model.dtype],
        tokens=written.batch.tokens,
        iterations=written.iterations,
        warmup=written.warmup,
        collective=collective(written.collective, where),
        gpu_hour=written.price.gpu_hour if written.price else None,
    )
