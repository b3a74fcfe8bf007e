"""Pipeline parallelism: layers in stages, activations forward and their gradients back, 1F1B."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Literal

from scenario.plan.types import Plan
from scenario.types.topology import Training
from scenario.types.training import Pipeline
from traffic.carried import carried_bytes
from traffic.schedule import Op, Schedule
from traffic.training.task_graph import At, Graph, message
from traffic.training.work import BACKWARD, FORWARD, seconds, shares, weights

Pass = Literal["forward", "backward"]
FLOP: dict[Pass, float] = {"forward": FORWARD, "backward": BACKWARD}


def pipeline(workload: Training, graph: Graph) -> None:
    """Each stage computes its passes in the order of 1F1B; a pass begins when what it needs of the stage
    before (or behind) has come. Then the hosts of a stage sum its gradients. [Narayanan et al. 2021]

    A stage's hosts divide the tokens of every microbatch; what host i of one stage has computed goes to
    the hosts of the next that need it. S bytes of activations of each microbatch cross between two
    stages each way: tokens × hidden × bytes of a value.
    """
    strategy = workload.strategy
    assert isinstance(strategy, Pipeline)
    made = _Stages(workload, graph, strategy.microbatches)
    orders = [
        one_forward_one_backward(stage, len(made.groups), strategy.microbatches)
        for stage in range(len(made.groups))
    ]
    for stage, which, number in in_order(orders):
        made.add(stage, which, number)
    for stage, group in enumerate(made.groups):
        size = made.parameters[stage] * workload.value_bytes
        graph.collective("all_reduce", group, size, made.last[stage], stream="gradients")


def stages(workload: Training, plan: Plan) -> list[tuple[int, ...]]:
    """The ranks of each stage. Raises ValueError where there are too few hosts or campuses."""
    assert isinstance(workload.strategy, Pipeline)
    count, ranks = workload.strategy.stages, [host.rank for host in plan.hosts]
    if count is None:
        campuses = dict.fromkeys(host.campus for host in plan.hosts)
        groups = [tuple(h.rank for h in plan.hosts if h.campus == name) for name in campuses]
    elif len(ranks) % count:
        raise ValueError(f"{len(ranks)} hosts do not divide into {count} stages")
    else:
        each = len(ranks) // count
        groups = [tuple(ranks[i : i + each]) for i in range(0, len(ranks), each)]
    if len(groups) < 2:
        raise ValueError("a pipeline needs two campuses at least, or `stages`")
    if len(groups) > len(workload.layers):
        raise ValueError(f"{len(groups)} stages, but {len(workload.layers)} layers")
    return groups


def split_layers(layers: Sequence[float], weights: Sequence[float]) -> list[float]:
    """Parameters of each stage: whole layers in order, cut where the running sum comes nearest to the
    stages' weights; at least one layer each."""
    total, whole = sum(layers), sum(weights)
    running = [0.0]
    for parameters in layers:
        running.append(running[-1] + parameters)
    cuts, wanted = [0], 0.0
    for stage, weight in enumerate(weights[:-1]):
        wanted += weight / whole * total
        possible = range(cuts[-1] + 1, len(layers) - (len(weights) - stage - 2))
        cuts.append(min(possible, key=lambda cut: abs(running[cut] - wanted)))
    cuts.append(len(layers))
    return [running[b] - running[a] for a, b in pairwise(cuts)]


def one_forward_one_backward(stage: int, stages: int, microbatches: int) -> list[tuple[Pass, int]]:
    """The passes of a stage in order: so many forward that the first gradient comes back meanwhile, then in
    turns, then the backward passes that are left. [Narayanan et al. 2021, figure 4]"""
    warm = min(stages - 1 - stage, microbatches)
    order: list[tuple[Pass, int]] = [("forward", number) for number in range(warm)]
    for number in range(microbatches - warm):
        order += [("forward", warm + number), ("backward", number)]
    return order + [("backward", number) for number in range(microbatches - warm, microbatches)]


def in_order(orders: Sequence[Sequence[tuple[Pass, int]]]) -> list[tuple[int, Pass, int]]:
    """The passes of all stages, each after those that it needs: (stage, pass, microbatch)."""
    found: list[tuple[int, Pass, int]] = []
    done: set[tuple[int, Pass, int]] = set()
    heads = [0] * len(orders)
    while len(found) < sum(map(len, orders)):
        for stage, order in enumerate(orders):
            while heads[stage] < len(order):
                which, number = order[heads[stage]]
                before = _needs(stage, which, number, len(orders))
                if before and before not in done:
                    break
                found.append((stage, which, number))
                done.add((stage, which, number))
                heads[stage] += 1
    return found


def _needs(stage: int, which: Pass, number: int, count: int) -> tuple[int, Pass, int] | None:
    """The pass of another stage whose results a pass needs."""
    other = stage - 1 if which == "forward" else stage + 1
    return (other, which, number) if 0 <= other < count else None


class _Stages:
    """The stages, with what has been added to the graph so far."""

    def __init__(self, workload: Training, graph: Graph, microbatches: int) -> None:
        self.graph = graph
        self.groups = stages(workload, graph.plan)
        speeds = [self._weight(workload, group) for group in self.groups]
        self.parameters = split_layers(workload.layers, speeds)
        self.last: list[At] = [{} for _ in self.groups]
        self._tokens = workload.tokens / microbatches
        self._bytes = self._tokens * workload.hidden * workload.value_bytes
        self._shares = [shares(workload, graph.plan, group) for group in self.groups]
        self._sent: dict[tuple[int, Pass, int], At] = {}

    def _weight(self, workload: Training, group: Sequence[int]) -> float:
        """How much of the model a stage takes: by its GPUs, its hosts, or what they achieve."""
        return sum(weights(workload, [self.graph.plan.hosts[rank] for rank in group]))

    def add(self, stage: int, which: Pass, number: int) -> None:
        """A pass, and the messages that it leads to."""
        own = {rank: share * self._tokens for rank, share in self._shares[stage].items()}
        flop = FLOP[which] * self.parameters[stage]
        came = self._come(stage, which, number)
        self.last[stage] = self.graph.compute(
            seconds(self.graph.plan, flop, own), came, self.last[stage]
        )
        self._sent[stage, which, number] = self.last[stage]

    def _come(self, stage: int, which: Pass, number: int) -> At:
        """The messages that a pass needs, sent after the pass that they come from, and looked for after the
        pass before this one."""
        before = _needs(stage, which, number, len(self.groups))
        if before is None:
            return {}
        messages = self._messages(before[0], stage)
        sent = self._sent[before]
        stream = f"{which} {before[0]}-{stage}"
        return self.graph.messages(messages, sent, self.last[stage], stream=stream)

    def _messages(self, source: int, sink: int) -> Schedule:
        """From every host of a stage to those of another that take what it has computed."""
        ranks = len(self.groups[source]) + len(self.groups[sink])
        size = carried_bytes(self._bytes, self.graph.plan, ranks)
        ops: list[list[Op]] = [[] for _ in self.graph.ranks]
        for one, (begin, end) in _edges(self._shares[source], size).items():
            for other, (first, last) in _edges(self._shares[sink], size).items():
                overlap = min(end, last) - max(begin, first)
                if overlap > 0:
                    send, receive = message(one, other, max(begin, first), overlap)
                    ops[one].append(send)
                    ops[other].append(receive)
        return tuple(map(tuple, ops))


def _edges(shares_of: dict[int, float], size: int) -> dict[int, tuple[int, int]]:
    """Which bytes of a stage's activations each of its hosts has."""
    edges, running = {}, 0.0
    for rank, share in shares_of.items():
        begin, running = running, running + share
        edges[rank] = (4 * round(begin * size / 4), 4 * round(running * size / 4))
    return edges
