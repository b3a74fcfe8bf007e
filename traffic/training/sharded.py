"""Fully sharded data parallel: each host keeps a part of every layer, and gathers a layer when it needs it."""

from __future__ import annotations

from collections.abc import Sequence

from scenario.types.topology import Training
from scenario.types.training import FSDP
from traffic.training.task_graph import At, Graph
from traffic.training.work import BACKWARD, FORWARD, seconds, tokens


def fsdp(workload: Training, graph: Graph) -> None:
    """Forward: gather a layer, compute it. Backward, last layer first: gather it again if it was dropped,
    compute it, reduce-scatter its gradients.

    A layer is gathered while those before it compute, at most `prefetch` of them. All collectives are of
    one process group, so they are carried out one after another, in this order. Per part of a batch
    and host, 3 (n−1)/n · S bytes are sent with resharding, 2 (n−1)/n · S without.
    [PyTorch FSDP; Rajbhandari et al. 2020]
    """
    done: At = {}
    for _ in range(workload.accumulate):
        done = _backward(workload, graph, _forward(workload, graph, done))


def _forward(workload: Training, graph: Graph, done: At) -> At:
    gather = _Gathering(workload, graph, workload.layers, done)
    for index, parameters in enumerate(workload.layers):
        times_s = _seconds(workload, graph, FORWARD * parameters)
        done = graph.compute(times_s, gather.layer(index), done)
        gather.go_on(done)
    return done


def _backward(workload: Training, graph: Graph, done: At) -> At:
    strategy = workload.strategy
    assert isinstance(strategy, FSDP)
    layers = workload.layers[::-1]
    gather = _Gathering(workload, graph, layers if strategy.reshard else (), done)
    for index, parameters in enumerate(layers):
        times_s = _seconds(workload, graph, BACKWARD * parameters)
        done = graph.compute(times_s, gather.layer(index), done)
        graph.collective("reduce_scatter", graph.ranks, parameters * workload.value_bytes, done)
        gather.go_on(done)
    return done


class _Gathering:
    """Layers gathered in their order, those that are ahead of compute `prefetch` + 1 at most."""

    def __init__(
        self, workload: Training, graph: Graph, layers: Sequence[float], after: At
    ) -> None:
        strategy = workload.strategy
        assert isinstance(strategy, FSDP)
        self._graph = graph
        self._sizes = [parameters * workload.value_bytes for parameters in layers]
        self._gathered: list[At] = []
        for _ in range(strategy.prefetch + 1):
            self.go_on(after)

    def layer(self, index: int) -> At:
        """When a layer is there; from the beginning, if it was never dropped."""
        return self._gathered[index] if self._sizes else {}

    def go_on(self, after: At) -> None:
        """Gather one more, if there is one."""
        if len(self._gathered) < len(self._sizes):
            size = self._sizes[len(self._gathered)]
            at = self._graph.collective("all_gather", self._graph.ranks, size, after)
            self._gathered.append(at)


def _seconds(workload: Training, graph: Graph, flop_per_token: float) -> dict[int, float]:
    own = tokens(workload, graph.plan)
    part = {rank: count / workload.accumulate for rank, count in own.items()}
    return seconds(graph.plan, flop_per_token, part)
