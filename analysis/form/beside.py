"""`probes` and `background` of `summary.json`: what went on beside the workloads. Keys: docs/measuring.md."""

from __future__ import annotations

from typing import Annotated

from msgspec import field

from analysis.form.parts import BitsPerSecond, Count, Form, Seconds, Share, Tail, doc


class DirectionSeen(Form, frozen=True):
    """What probes saw of one direction of a long-haul link."""

    workload: Annotated[str, doc("The probes' name.")]
    link: Annotated[str, doc("The link's name.")]
    direction: Annotated[str, doc("forward or backward.")]
    source: Annotated[str, doc("Campus that sent.")]
    sink: Annotated[str, doc("Campus that received.")]
    load: Annotated[Share, doc("Of the slowest wire's rate, the probes' own.")]
    sent: Annotated[Count, doc("Datagrams.")]
    lost: Annotated[Count, doc("Datagrams.")]
    loss: Annotated[Share, doc("Lost over sent.")]
    reordered: Annotated[Count, doc("That came after one sent later [RFC 4737].")]
    reordering: Annotated[Share, doc("Reordered over those that came.")]
    alone_s: Annotated[Seconds, doc("One-way delay with nobody else on the way, as planned.")]
    delay: Annotated[Tail | None, doc("One-way delay; null where none came.")]


class Load(Form, frozen=True):
    """One workload of background load; rates are the real world's, of frames, means over the run."""

    name: Annotated[str, doc("The workload's name.")]
    source: Annotated[str, doc("Where it comes from.")] = field(name="from")
    sink: Annotated[str, doc("Where it goes.")] = field(name="to")
    protocol: Annotated[str, doc("tcp or udp.")]
    pattern: Annotated[str, doc("constant, on-off or pareto.")]
    rate_bps: Annotated[BitsPerSecond, doc("While it is on.")]
    offered_bps: Annotated[BitsPerSecond, doc("On average.")]
    sent_bps: Annotated[BitsPerSecond, doc("What the network took.")]
    received_bps: Annotated[BitsPerSecond, doc("What came.")]
    loss: Annotated[Share, doc("Of what was sent.")]
