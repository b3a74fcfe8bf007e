"""The topology and workload language: YAML text in, frozen and validated objects in SI units out.

Pure: no clock, no network, nothing of the rest of longhaul. Everything wrong with the input is
raised at once as `InvalidInput`. The stages: read -> override -> catalogue -> form -> meaning ->
elaborate.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from .aging import Aged, Span, aged, aging_table
from .catalogue import with_catalogue
from .diagnostics import Diagnostic, InvalidInput
from .elaborate import elaborate
from .meaning import check_model, check_references
from .models import TopologyModel
from .overrides import apply
from .reading import read_file
from .schema import schema
from .shape import check, examine
from .tree import Problems
from .types import Topology, Training
from .workload import TrainingModel, training

__all__ = [
    "Aged",
    "Diagnostic",
    "InvalidInput",
    "Span",
    "aged",
    "aging_table",
    "load_topology",
    "load_workload",
    "schema",
]


def load_topology(path: Path, overrides: Sequence[str] = ()) -> Topology:
    """The topology in a file, with overrides such as `links.c1-c2.age=20y`. Raises InvalidInput."""
    root = with_catalogue(apply(read_file(path), overrides))
    problems = Problems(root)
    written, malformed = examine(root, TopologyModel)
    check_references(problems)
    _stop_on(malformed + problems.found)
    assert written is not None
    check_model(written, problems)
    _stop_on(problems.found)
    topology = elaborate(written, problems, path)
    _stop_on(problems.found)
    return topology


def load_workload(path: Path, overrides: Sequence[str] = ()) -> Training:
    """The workload in a file, with overrides such as `iterations=3`. Raises InvalidInput."""
    root = apply(read_file(path), overrides)
    workload, problems = training(check(root, TrainingModel), root, path)
    _stop_on(problems.found)
    return workload


def _stop_on(found: Sequence[Diagnostic]) -> None:
    if found:
        raise InvalidInput(found)
