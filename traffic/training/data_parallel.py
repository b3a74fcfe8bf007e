"""Replicated models: gradients of all hosts are summed, in one piece or in buckets."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

from scenario.types.topology import Training
from scenario.types.training import DDP, Plain
from traffic.training.task_graph import Graph
from traffic.training.work import BACKWARD, FORWARD, scaled, seconds, tokens


def plain(workload: Training, graph: Graph) -> None:
    """All compute, then one collective over all gradients."""
    assert isinstance(workload.strategy, Plain)
    times_s = seconds(
        graph.plan, (FORWARD + BACKWARD) * workload.parameters, tokens(workload, graph.plan)
    )
    computed = graph.compute(times_s)
    size = workload.gradient_bytes / workload.strategy.compression
    graph.collective(workload.collective.op, graph.ranks, size, computed)


def ddp(workload: Training, graph: Graph) -> None:
    """Buckets are summed one after another, each once the backward pass has filled it.

    Only the last of the accumulated parts is followed by communication (`no_sync`). A parameter costs
    the same FLOP in every layer, so the backward pass fills a byte of gradients in the same time
    throughout; it fills them last layer first.
    """
    strategy = workload.strategy
    assert isinstance(strategy, DDP)
    part_s = scaled(
        seconds(graph.plan, workload.parameters, tokens(workload, graph.plan)),
        1 / workload.accumulate,
    )
    graph.expect(2 * bucket_count(workload.gradient_bytes, strategy))
    before = (FORWARD + BACKWARD) * (workload.accumulate - 1) + FORWARD
    computed = graph.compute(scaled(part_s, before))
    filled = []
    for size in buckets(workload.gradient_bytes, strategy):
        share = BACKWARD * size / workload.gradient_bytes
        computed = graph.compute(scaled(part_s, share), computed)
        filled.append(computed)
        if strategy.overlap:
            graph.collective("all_reduce", graph.ranks, size / strategy.compression, computed)
    for size in () if strategy.overlap else buckets(workload.gradient_bytes, strategy):
        graph.collective("all_reduce", graph.ranks, size / strategy.compression, filled[-1])


def buckets(gradient_bytes: float, strategy: DDP) -> Iterator[float]:
    """Their sizes, in the order in which the backward pass fills them: a small one first, so that there is
    something to send early. [PyTorch, torch/nn/parallel/distributed.py]"""
    first, whole, rest = _divided(gradient_bytes, strategy)
    yield first
    yield from itertools.repeat(strategy.bucket_bytes, whole)
    if rest >= 1:
        yield rest


def bucket_count(gradient_bytes: float, strategy: DDP) -> int:
    """How many those are."""
    _, whole, rest = _divided(gradient_bytes, strategy)
    return 1 + whole + (rest >= 1)


def _divided(gradient_bytes: float, strategy: DDP) -> tuple[float, int, float]:
    """The first bucket, the number of whole ones, and what is left, in bytes."""
    first = min(strategy.first_bucket_bytes, gradient_bytes)
    whole, rest = divmod(gradient_bytes - first, strategy.bucket_bytes)
    return first, int(whole), rest
