"""DiLoCo: campuses train by themselves, and average what they have learnt now and then."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise

from scenario.types.topology import Training
from scenario.types.training import DiLoCo
from traffic.training.task_graph import At, Graph, both
from traffic.training.work import BACKWARD, FORWARD, seconds, tokens


def diloco(workload: Training, graph: Graph) -> None:
    """One cycle: H inner steps, each a plain data-parallel step among the hosts of a campus; and an
    all-reduce of every fragment of the model among all hosts, spread over the cycle as evenly as whole steps
    allow.

    The all-reduce of a fragment sets out `overlap_steps` before its turn, and the step after its turn waits
    for it. So 1/H of the bytes of synchronous training cross the long haul per step.
    [Douillard et al. 2023; of fragments and overlap, Douillard et al. 2025]
    """
    strategy = workload.strategy
    assert isinstance(strategy, DiLoCo)
    if strategy.by_layer:
        _by_layer(workload, graph)
        return
    ends = turns(strategy.inner_steps, strategy.fragments)
    size = workload.gradient_bytes / strategy.fragments / strategy.compression
    stepped: At = {}
    due: At = {}
    for step in range(1, strategy.inner_steps + 1):
        stepped = _inner_step(workload, graph, stepped, due if step - 1 in ends else {})
        if step + strategy.overlap_steps in ends:
            due = graph.collective("all_reduce", graph.ranks, size, stepped, stream="outer")


def turns(inner_steps: int, fragments: int) -> tuple[int, ...]:
    """After which inner steps, counted from 1, the fragments are due; the last after the last step."""
    return tuple(-(-inner_steps * number // fragments) for number in range(1, fragments + 1))


def layers_of(fragment: int, fragments: int, layers: int) -> range:
    """The layers of a fragment, counted from 0: every so many-th, so that neighbours come at different times."""
    return range(fragment, layers, fragments)


def _by_layer(workload: Training, graph: Graph) -> None:
    """As `diloco`, but each layer of a fragment is averaged by itself: it sets out when its backward pass is done (and
    its sum inside the campus), and of the step after the fragment's turn only the layer's own forward pass waits.

    The last turn is that of the first layer, which a cycle begins with: nothing could be computed before it.
    """
    strategy = workload.strategy
    assert isinstance(strategy, DiLoCo)
    ends = turns(strategy.inner_steps, strategy.fragments)
    stepped: At = {}
    due: dict[int, dict[int, At]] = {}
    for step in range(1, strategy.inner_steps + 1):
        turn = step + strategy.overlap_steps
        fragment = (ends.index(turn) + 1) % strategy.fragments if turn in ends else None
        leaving = (
            range(0)
            if fragment is None
            else layers_of(fragment, strategy.fragments, len(workload.layers))
        )
        stepped, due[turn] = _layered_step(workload, graph, stepped, due.get(step - 1, {}), leaving)


def _layered_step(
    workload: Training, graph: Graph, after: At, due: Mapping[int, At], leaving: Sequence[int]
) -> tuple[At, dict[int, At]]:
    """A step whose forward pass waits before each layer that is due, and whose backward pass sends those that leave."""
    if not due and not leaving:
        return _inner_step(workload, graph, after), {}
    strategy, layers = workload.strategy, workload.layers
    assert isinstance(strategy, DiLoCo)
    waits = [after]
    done: At = after
    cuts = sorted(due)
    for at, parameters in zip(({}, *map(due.get, cuts)), _between(layers, cuts), strict=True):
        waits.append(at or {})
        if parameters:
            done = _compute(workload, graph, FORWARD * parameters, *waits)
            waits = [done]
    sent = {}
    order = sorted(leaving, reverse=True)
    *spans, rest = _between(layers[::-1], [len(layers) - layer for layer in order])
    for layer, parameters in zip(order, spans, strict=True):
        done = _compute(workload, graph, BACKWARD * parameters, done)
        summed = _sum_inside(workload, graph, parameters, done)
        size = layers[layer] * workload.value_bytes / strategy.compression
        sent[layer] = graph.collective("all_reduce", graph.ranks, size, summed, stream="outer")
    if rest:
        done = _compute(workload, graph, BACKWARD * rest, done)
        summed = _sum_inside(workload, graph, rest, done)
    return summed, sent


def _between(layers: Sequence[float], cuts: Sequence[int]) -> list[float]:
    """The parameters of the layers before, between and after some cuts."""
    return [sum(layers[start:end]) for start, end in pairwise((0, *cuts, len(layers)))]


def _inner_step(workload: Training, graph: Graph, *after: At) -> At:
    """A step of every campus by itself."""
    computed = _compute(workload, graph, (FORWARD + BACKWARD) * workload.parameters, *after)
    return _sum_inside(workload, graph, workload.parameters, computed)


def _compute(workload: Training, graph: Graph, flop_per_token: float, *after: At) -> At:
    return graph.compute(seconds(graph.plan, flop_per_token, tokens(workload, graph.plan)), *after)


def _sum_inside(workload: Training, graph: Graph, parameters: float, computed: At) -> At:
    """The gradients of some parameters summed among the hosts of every campus, which is done when both are."""
    campuses = dict.fromkeys(host.campus for host in graph.plan.hosts)
    groups = [tuple(h.rank for h in graph.plan.hosts if h.campus == name) for name in campuses]
    size = parameters * workload.value_bytes
    return both(
        computed, *(graph.collective("all_reduce", group, size, computed) for group in groups)
    )
