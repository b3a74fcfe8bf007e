"""`summary.json`: the answer of a run, and THE definition of its keys.

In: findings, or a run folder. Out: the file, what it holds, its JSON Schema. Everything is SI; sizes and bandwidths are
the real world's, with the carried (scaled) ones beside them; the warm-up is left out.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, TypeAlias

import msgspec
from msgspec import Meta, field

from analysis.form.beside import Adapters, DirectionSeen, Load, PausedPort
from analysis.form.collisions import Collisions
from analysis.form.files import read
from analysis.form.parts import Check, Count, Form, Happened, Tail, doc
from analysis.form.serving import Service
from analysis.form.stalls import Stalls
from analysis.form.training import (
    Between,
    Collective,
    CostModel,
    CriticalPath,
    Efficiency,
    EventCost,
    Prediction,
    Proportion,
    Tails,
)

FILE = "summary.json"
VERSION = 1
"""Raised when a key's meaning changes, or a key goes; a new key alone leaves it."""


class _Common(Form, frozen=True, kw_only=True):
    """What the summary of every run says."""

    version: Annotated[int, Meta(description="Of this form.", ge=VERSION, le=VERSION)] = VERSION
    headline: Annotated[str, doc("The answer in one sentence.")]
    name: Annotated[str, doc("Of the topology.")]
    digest: Annotated[str, doc("SHA-256 of what was recorded: equal runs have equal ones.")]
    seed: Annotated[int, doc("Of all randomness.")]
    time: Annotated[str, doc("virtual, real or hybrid: whose clock.")]
    machine: Annotated[str, doc("uml or native: where the fabric ran.")]
    fidelity: Annotated[list[Check], doc("What was asked of the fabric against what was measured.")]
    faithful: Annotated[bool, doc("Whether every check is within its limit, and there was any.")]
    serving: Annotated[list[Service], doc("Inference workloads.")]
    background: Annotated[list[Load], doc("Background load beside the workloads.")]
    probes: Annotated[list[DirectionSeen], doc("What probes saw beside the workloads.")]
    adapters: Annotated[
        list[Adapters], doc("What adapters counted, of each workload over RDMA.")
    ] = field(default_factory=list)
    pauses: Annotated[
        list[PausedPort], doc("The ports that pauses held up longest, at most ten.")
    ] = field(default_factory=list)


class TrainingSummary(_Common, frozen=True, kw_only=True, tag_field="kind", tag="training"):
    """The summary of a run in which a workload trains."""

    world_size: Annotated[Count, doc("Ranks.")]
    warmup: Annotated[Count, doc("Iterations at the start that are not measured.")]
    iterations: Annotated[Tail, doc("From one iteration's last end to the next one's.")]
    collective: Annotated[Collective, doc("Of several kinds, the one that moves most.")]
    stalls: Annotated[Stalls, doc("Where the ranks' time went.")]
    critical_path: Annotated[CriticalPath, doc("What an iteration's time is made of.")]
    efficiency: Annotated[Efficiency, doc("What the GPUs were used for.")]
    timeline: Annotated[
        list[EventCost],
        doc("What happened, planned or seen, and its cost."),
    ]
    tail: Annotated[Tails, doc("How long the tail is, and what it has in common.")]
    links: Annotated[list[Between], doc("Messages by ordered pair of campuses, slowest first.")]
    prediction: Annotated[Prediction, doc("Of the collective, by the alpha-beta model.")]
    cost_model: Annotated[CostModel, doc("Alpha and beta fitted to this run.")]
    proportion: Annotated[
        Proportion | None, doc("Communication over compute; null without long-haul links.")
    ] = None
    collisions: Annotated[
        Collisions | None, doc("Big connections that share a way; null where none do.")
    ] = None


class ServingSummary(_Common, frozen=True, kw_only=True, tag_field="kind", tag="serving"):
    """The summary of a run in which nobody trains."""

    happened: Annotated[list[Happened], doc("Occurrences of the timeline's events.")]


Summary: TypeAlias = TrainingSummary | ServingSummary


def read_summary(run_dir: Path) -> Summary:
    """What a run folder's `summary.json` says. Raises `RunError` where it is missing, old or damaged."""
    found: Summary = read(Path(run_dir) / FILE, Summary, VERSION)  # type: ignore[arg-type]
    return found


def summary_schema() -> dict[str, Any]:
    """The JSON Schema of `summary.json`, each key described, with its unit."""
    head = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": f"{FILE} of a longhaul run, version {VERSION}",
    }
    return head | msgspec.json.schema(Summary)
