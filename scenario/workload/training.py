"""The language of training: what is trained, in how many tokens per step, spread over hosts in which way."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from scenario.text.fields import Count
from scenario.text.strict import Strict
from scenario.types.topology import Training
from scenario.types.training import Slowdowns
from scenario.workload.collective import CollectiveModel, collective
from scenario.workload.common import DTYPE_BYTES, Where, WorkloadModel
from scenario.workload.price import PriceModel
from scenario.workload.strategy import (
    DiLoCoModel,
    MoEModel,
    PipelineModel,
    PlainModel,
    SlowdownsModel,
    StrategyField,
    TensorModel,
    strategy,
)

DEFAULT_LAYERS = 32  # of a model of seven billion parameters


class LayerModel(Strict):
    """One layer, or several alike."""

    count: int = Field(default=1, ge=1, le=10_000)
    """How many such layers."""
    parameters: Count
    """Parameters of each."""


class ModelModel(Strict):
    """The neural network."""

    parameters: Count | None = None
    """How many parameters: `7e9`, `7B`; else the sum over `layers`."""
    layers: int | list[LayerModel] | None = None
    """How many layers, all alike (else 32), or each of them, first to last."""
    active: Count | None = None
    """How many parameters each token meets, in a mixture of experts; else all."""
    hidden: Count | None = None
    """Size of the activations between layers, in values per token."""
    dtype: Literal["fp32", "bf16", "fp16", "fp8"] = "bf16"
    """The type that gradients, parameters and activations travel in."""
    precision: Literal["bf16", "fp8"] = "bf16"
    """The arithmetic of matrix products: it decides how fast accelerators are."""


class Batch(Strict):
    """What one step processes."""

    tokens: Count
    """Tokens in one step, over all hosts together: `4Mi`, `4e6`."""
    accumulate: int = Field(default=1, ge=1, le=1024)
    """In how many parts each host computes its share of them, one after another."""
    shares: Literal["per-gpu", "per-host", "proportional"] = "per-gpu"
    """`per-gpu`: every GPU gets as much, as frameworks do it, and the slowest sets the pace. `per-host`: every host
    does, however many GPUs it has. `proportional`: each gets what it can compute in the same time."""


class TrainingModel(WorkloadModel):
    """Synchronous training: each step computes and exchanges what its strategy wants exchanged."""

    kind: Literal["training"]
    """The kind of workload."""
    model: ModelModel
    """What is trained."""
    batch: Batch
    """How much of it in one step."""
    iterations: int = Field(ge=1, le=1_000_000)
    """How many steps count (of DiLoCo: cycles of inner steps)."""
    warmup: int = Field(default=0, ge=0, le=1_000_000)
    """How many steps go before, and do not count."""
    strategy: StrategyField = PlainModel()
    """How model and batch are spread over the hosts."""
    collective: CollectiveModel = CollectiveModel()
    """Which collective sums the gradients, and by which algorithm."""
    slowdowns: SlowdownsModel | None = None
    """Random delays of compute; a host that is always slow says so in the topology, with `slowdown`."""
    price: PriceModel | None = None
    """What the hardware costs: the analysis then says what idle GPUs cost."""


def training(written: TrainingModel, where: Where) -> Training:
    """The workload in SI units. What makes no sense in it is complained about."""
    layers = _layers(written.model, where)
    total = sum(layers)
    _check_strategy(written, len(layers), total, where)
    slow = written.slowdowns
    return Training(
        **where.common(written),
        parameters=total,
        gradient_bytes=total * DTYPE_BYTES[written.model.dtype],
        tokens=written.batch.tokens,
        iterations=written.iterations,
        warmup=written.warmup,
        collective=collective(written.collective, where),
        gpu_hour=written.price.gpu_hour if written.price else None,
        strategy=strategy(written.strategy),
        layers=layers,
        active=written.model.active or total,
        hidden=int(written.model.hidden or 0),
        value_bytes=DTYPE_BYTES[written.model.dtype],
        accumulate=written.batch.accumulate,
        shares=written.batch.shares,
        precision=written.model.precision,
        slowdowns=Slowdowns(slow.distribution, slow.spread, slow.chance) if slow else None,
    )


def _layers(model: ModelModel, where: Where) -> tuple[float, ...]:
    """Parameters layer by layer."""
    if isinstance(model.layers, list):
        listed = tuple(layer.parameters for layer in model.layers for _ in range(layer.count))
        if model.parameters is not None and abs(model.parameters - sum(listed)) > 0.5:
            expected = f"{sum(listed):.10g}, or only one of the two"
            message = "not the sum of the layers' parameters"
            where.add(("model", "parameters"), message, expected)
        if not listed:
            where.add(("model", "layers"), "no layers", "a number, or a list")
            return (1.0,)
        return listed
    if model.parameters is None:
        where.add(("model",), "`parameters` is missing", "how many, or `layers` with theirs")
        return (1.0,)
    count = DEFAULT_LAYERS if model.layers is None else model.layers
    if not 1 <= count <= 10_000:
        where.add(("model", "layers"), "no number of layers", "1 to 10,000")
        count = 1
    return (model.parameters / count,) * count


def _check_strategy(written: TrainingModel, layers: int, total: float, where: Where) -> None:
    chosen = written.strategy
    if isinstance(chosen, (PipelineModel, MoEModel, TensorModel)) and written.model.hidden is None:
        message = f"`hidden` is missing: {chosen.kind} sends activations"
        where.add(("model",), message, "values per token, such as 4096")
    if isinstance(chosen, PipelineModel):
        _check_pipeline(written, chosen, layers, where)
    if isinstance(chosen, MoEModel):
        _check_moe(chosen, written.model.active, total, where)
    elif written.model.active is not None:
        hint = "strategy: {kind: moe}"
        where.add_key(("model", "active"), "only a mixture of experts has inactive ones", hint=hint)
    if isinstance(chosen, DiLoCoModel):
        _check_diloco(chosen, layers, where)


def _check_moe(chosen: MoEModel, active: float | None, total: float, where: Where) -> None:
    if chosen.top_k >= chosen.experts:
        expected = f"fewer than the {chosen.experts} experts"
        where.add(("strategy", "top-k"), "every token to every expert", expected)
    if active is None:
        where.add(("model",), "`active` is missing", "how many parameters each token meets")
    elif active >= total:
        expected = f"fewer than the {total:.10g} parameters"
        where.add(("model", "active"), "more active parameters than there are", expected)


def _check_pipeline(
    written: TrainingModel, chosen: PipelineModel, layers: int, where: Where
) -> None:
    if chosen.stages and chosen.stages > layers:
        where.add(("strategy", "stages"), "more stages than layers", f"at most {layers}")
    if written.batch.accumulate > 1:
        hint = "microbatches are what a pipeline accumulates"
        where.add(("batch", "accumulate"), "a pipeline has no other parts of a batch", "1", hint)


def _check_diloco(chosen: DiLoCoModel, layers: int, where: Where) -> None:
    if chosen.by_layer and chosen.fragments > layers:
        message = "more fragments than layers, of which each has some"
        where.add(("strategy", "fragments"), message, f"at most {layers}")
    elif chosen.fragments > chosen.inner_steps:
        message = "more fragments than inner steps, after each of which one may be due"
        where.add(("strategy", "fragments"), message, f"at most {chosen.inner_steps}")
    elif chosen.overlap_steps >= chosen.inner_steps // chosen.fragments:
        message = "a fragment would still be on its way when the next one sets out"
        expected = f"less than {chosen.inner_steps // chosen.fragments}"
        where.add(("strategy", "overlap-steps"), message, expected)
