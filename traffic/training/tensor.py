"""Tensor parallelism: every layer is divided between the hosts of a group, which sum its activations; the groups divide
the batch."""

from __future__ import annotations

from dataclasses import dataclass

from scenario.types.topology import Training
from scenario.types.training import Tensor
from traffic.training.groups import groups_within, twins
from traffic.training.task_graph import At, Graph, both
from traffic.training.work import BACKWARD, FORWARD, seconds, weights

HALVES = 2
"""Parts of a layer, attention and the rest, each followed by an all-reduce, there and back. [Shoeybi et al. 2019]"""


def tensor(workload: Training, graph: Graph) -> None:
    """Forward, in each layer, twice: half of its compute, divided equally between the hosts of a group, then an
    all-reduce of tokens × hidden values among them; backward the same. At the end each host sums its part of the
    gradients with those that have the same part in the other groups.
    """
    layers = _Layers(workload, graph)
    done: At = {}
    for _ in range(workload.accumulate):
        for parameters in workload.layers:
            done = layers.passed(FORWARD * parameters, done)
        for parameters in reversed(workload.layers):
            done = layers.passed(BACKWARD * parameters, done)
    for peers in twins(layers.groups):
        part = workload.parameters / len(layers.groups[0])
        graph.collective("all_reduce", peers, part * workload.value_bytes, done, stream="gradients")


@dataclass
class _Layers:
    workload: Training
    graph: Graph

    def __post_init__(self) -> None:
        assert isinstance(self.workload.strategy, Tensor)
        self.groups = groups_within(self.workload.strategy.within, self.graph.plan)
        hosts = self.graph.plan.hosts
        shares = [sum(weights(self.workload, [hosts[r] for r in own])) for own in self.groups]
        part = self.workload.tokens / self.workload.accumulate / sum(shares)
        self._tokens = [share * part for share in shares]

    def passed(self, flop_per_token: float, after: At) -> At:
        """One layer, there or back."""
        done = after
        for _ in range(HALVES):
            computed = self.graph.compute(self._seconds(flop_per_token / HALVES), done)
            done = both(
                computed, *(self._summed(index, computed) for index in range(len(self.groups)))
            )
        return done

    def _seconds(self, flop_per_token: float) -> dict[int, float]:
        """Each host computes its part of the layer for all tokens of its group."""
        of = {
            rank: count / len(group)
            for group, count in zip(self.groups, self._tokens, strict=True)
            for rank in group
        }
        return seconds(self.graph.plan, flop_per_token, of)

    def _summed(self, index: int, after: At) -> At:
        size = self._tokens[index] * self.workload.hidden * self.workload.value_bytes
        return self.graph.collective("all_reduce", self.groups[index], size, after)
