"""DiLoCo: campuses train by themselves, and average what they have learnt now and then."""

from __future__ import annotations

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


def _inner_step(workload: Training, graph: Graph, *after: At) -> At:
    """A step of every campus by itself."""
    own = tokens(workload, graph.plan)
    flop = (FORWARD + BACKWARD) * workload.parameters
    computed = graph.compute(seconds(graph.plan, flop, own), *after)
    campuses = dict.fromkeys(host.campus for host in graph.plan.hosts)
    groups = [tuple(h.rank for h in graph.plan.hosts if h.campus == name) for name in campuses]
    summed = [
        graph.collective("all_reduce", group, workload.gradient_bytes, computed) for group in groups
    ]
    return both(computed, *summed)
