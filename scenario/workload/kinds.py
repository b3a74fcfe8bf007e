"""All kinds of workload: in files of their own, and under `workloads` of a topology.

To add a kind: its model and a function as `training`, here named in KINDS and in WorkloadField.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, TypeAlias

from pydantic import Field

from scenario.text.diagnostics import nearest, one_of
from scenario.text.forms import known_keys
from scenario.text.meant import untagged
from scenario.text.shape import check
from scenario.text.short import spelled_out
from scenario.text.tree import Entry, Mapping, Node, Problems, Scalar, at
from scenario.types.topology import Workload
from scenario.workload.background import BackgroundModel, background
from scenario.workload.common import Where, WorkloadModel
from scenario.workload.inference import InferenceModel, inference
from scenario.workload.probing import ProbingModel, probing
from scenario.workload.trace import TraceModel, trace
from scenario.workload.training import TrainingModel, training

KINDS: dict[str, tuple[type[WorkloadModel], Callable[[Any, Where], Workload]]] = {
    "training": (TrainingModel, training),
    "inference": (InferenceModel, inference),
    "trace": (TraceModel, trace),
    "probes": (ProbingModel, probing),
    "background": (BackgroundModel, background),
}
"""Of each kind the model, and what makes a workload of one."""

WorkloadField: TypeAlias = Annotated[
    TrainingModel | InferenceModel | TraceModel | ProbingModel | BackgroundModel,
    Field(discriminator="kind"),
]


def workload(root: Mapping, files: tuple[Path, ...]) -> Workload:
    """The workload in a document. Raises InvalidInput."""
    root = spelled_out(root, "transport", "kind")
    problems = Problems(root)
    kind = at(root, "kind")
    said = kind.text if isinstance(kind, Scalar) else ""
    if kind is None:
        every = [key for model, _ in KINDS.values() for key in known_keys(model, ())]
        untagged(problems, (), "kind", KINDS, every)
    elif said not in KINDS:
        problems.add(
            ("kind",), "unknown kind of workload", one_of(list(KINDS)), nearest(said, KINDS)
        )
    problems.stop()
    model, make = KINDS[said]
    made = make(check(root, model), Where(problems, (), files))
    problems.stop()
    return made


def named(root: Mapping) -> Mapping:
    """The document with every workload of a topology named by its key, in the topology's version."""
    listed = at(root, "workloads")
    if not isinstance(listed, Mapping):
        return root
    whole = {key: Entry(one.place, _named(key, one)) for key, one in listed.entries.items()}
    entry = Entry(root.entries["workloads"].place, Mapping(listed.place, whole))
    return Mapping(root.place, root.entries | {"workloads": entry})


def _named(key: str, entry: Entry) -> Node:
    """What stands under a key, with what a file would have said in its first lines."""
    if not isinstance(entry.node, Mapping):
        return entry.node
    heading = {"longhaul": Scalar(entry.place, "1", 1), "name": Scalar(entry.place, key, key)}
    said = {name: Entry(entry.place, scalar) for name, scalar in heading.items()}
    whole = Mapping(entry.node.place, said | entry.node.entries)
    return spelled_out(whole, "transport", "kind")
