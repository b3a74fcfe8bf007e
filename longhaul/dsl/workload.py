"""The workload language: what is trained, in how many tokens per step, over which collective."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import Field

from .fields import Count, Files, Name
from .strict import Strict
from .tree import Node, Problems
from .types import Collective, Training

# Sizes in bytes of one gradient value.
DTYPE_BYTES = {"fp32": 4.0, "bf16": 2.0, "fp16": 2.0, "fp8": 1.0}


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


class CollectiveModel(Strict):
    """How gradients are summed."""

    op: Literal["all_reduce"] = "all_reduce"
    """Which collective."""
    algorithm: Literal["ring"] = "ring"
    """By which algorithm."""
    verify: bool = False
    """Reduce real numbers and check the sum on every rank."""


class TrainingModel(Strict):
    """Synchronous data-parallel training: each step computes, then sums all gradients."""

    longhaul: Literal[1]
    """Version of this language."""
    name: Name
    """Name of the workload."""
    description: str = ""
    """What it is, for people."""
    include: Files = None
    """Files, beside this one or below, to start from. This file says only what differs."""
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


def training(
    written: TrainingModel, root: Node, files: tuple[Path, ...]
) -> tuple[Training, Problems]:
    """The workload in SI units, and what makes no sense in it."""
    problems = Problems(root)
    if written.warmup >= written.iterations:
        expected = f"fewer than the {written.iterations} iterations"
        problems.add(("warmup",), "no iteration is left after the warm-up", expected)
    collective = written.collective
    return (
        Training(
            name=written.name,
            parameters=written.model.parameters,
            gradient_bytes=written.model.parameters * DTYPE_BYTES[written.model.dtype],
            tokens=written.batch.tokens,
            iterations=written.iterations,
            warmup=written.warmup,
            collective=Collective(collective.op, collective.algorithm, collective.verify),
            source=str(files[-1]),
            files=tuple(str(file) for file in files),
        ),
        problems,
    )
