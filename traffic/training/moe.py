"""A mixture of experts: in every layer tokens go to the hosts of their experts, and come back."""

from __future__ import annotations

from dataclasses import dataclass

from scenario.types.topology import Training
from scenario.types.training import MoE
from traffic.training.groups import groups_within, twins
from traffic.training.task_graph import At, Graph, both
from traffic.training.work import BACKWARD, FORWARD, seconds, tokens


@dataclass(frozen=True)
class Sizes:
    """Parameters that every token meets, and those of all experts together."""

    dense: float
    experts: float


def sizes(workload: Training) -> Sizes:
    """From active = dense + experts·k/E and parameters = dense + experts.

    Raises ValueError where the active parameters are fewer than those of the chosen experts alone.
    """
    assert isinstance(workload.strategy, MoE)
    share = workload.strategy.top_k / workload.strategy.experts
    experts = (workload.parameters - workload.active) / (1 - share)
    dense = workload.parameters - experts
    if dense < 0:
        least = share * workload.parameters
        raise ValueError(f"active: {workload.active:g}, but of these experts at least {least:g}")
    return Sizes(dense, experts)


def moe(workload: Training, graph: Graph) -> None:
    """Forward, in each layer: what every token meets, an all-to-all, experts, an all-to-all back. Backward
    the same in reverse. Then the gradients of what all hosts have are summed, and those of experts
    among the hosts that have the same ones. [Lepikhin et al. 2020]

    A host sends (n−1)/n · tokens · k · hidden values in each all-to-all: experts are equally popular.
    """
    layers = _Layers(workload, graph)
    done: At = {}
    for _ in range(workload.accumulate):
        for _layer in workload.layers:
            done = layers.there_and_back(layers.dense(FORWARD, done), FORWARD)
        for _layer in workload.layers:
            done = layers.dense(BACKWARD, layers.there_and_back(done, BACKWARD))
    found, value_bytes = sizes(workload), workload.value_bytes
    graph.collective("all_reduce", graph.ranks, found.dense * value_bytes, done)
    for peers in twins(layers.groups):
        each = found.experts / len(layers.groups[0])
        graph.collective("all_reduce", peers, each * value_bytes, done, stream="experts")


class _Layers:
    def __init__(self, workload: Training, graph: Graph) -> None:
        self.workload, self.graph = workload, graph
        assert isinstance(workload.strategy, MoE)
        self.groups = groups_within(workload.strategy.within, graph.plan)
        every = tokens(workload, graph.plan)
        self._tokens = {rank: count / workload.accumulate for rank, count in every.items()}

    def dense(self, flop: float, after: At) -> At:
        """What every token meets in one layer, on the host that it belongs to."""
        per_layer = sizes(self.workload).dense / len(self.workload.layers)
        return self.graph.compute(seconds(self.graph.plan, flop * per_layer, self._tokens), after)

    def there_and_back(self, after: At, flop: float) -> At:
        """Tokens to their experts, the experts' compute, and back."""
        sent = both(*(self._exchange(group, after, back=False) for group in self.groups))
        per_layer = sizes(self.workload).experts / len(self.workload.layers)
        strategy = self.workload.strategy
        assert isinstance(strategy, MoE)
        met = flop * per_layer * strategy.top_k / strategy.experts
        times_s = seconds(self.graph.plan, met, self._routed())
        computed = self.graph.compute(times_s, sent, after)
        return both(computed, *(self._exchange(g, computed, back=True) for g in self.groups))

    def _routed(self) -> dict[int, float]:
        """The tokens that come to each host's experts: of each group equally many."""
        return {
            rank: sum(self._tokens[other] for other in group) / len(group)
            for group in self.groups
            for rank in group
        }

    def _exchange(self, group: tuple[int, ...], after: At, *, back: bool) -> At:
        strategy = self.workload.strategy
        assert isinstance(strategy, MoE)
        value = strategy.top_k * self.workload.hidden * self.workload.value_bytes
        own = [self._tokens[rank] * value for rank in group]
        if len(set(own)) == 1:
            return self.graph.collective("all_to_all", group, own[0], after)
        there = [[size / len(group)] * len(group) for size in own]
        counts = [list(row) for row in zip(*there, strict=True)] if back else there
        return self.graph.collective("all_to_all", group, max(own), after, counts=counts)
