"""`probes`, `background` and `adapters` of `summary.json`: what went on beside the workloads, and beneath.

Keys: docs/measuring.md, docs/rdma.md.
"""

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
    protocol: Annotated[str, doc("tcp, udp or roce.")]
    pattern: Annotated[str, doc("constant, on-off or pareto.")]
    rate_bps: Annotated[BitsPerSecond, doc("While it is on.")]
    offered_bps: Annotated[BitsPerSecond, doc("On average.")]
    sent_bps: Annotated[BitsPerSecond, doc("What the network took.")]
    received_bps: Annotated[BitsPerSecond, doc("What came.")]
    loss: Annotated[Share, doc("Of what was sent.")]


class CountedPair(Form, frozen=True):
    """What the kernel counted of one queue pair since it was made."""

    source: Annotated[str, doc("The host that sends.")] = field(name="from")
    sink: Annotated[str, doc("The host that receives.")] = field(name="to")
    channel: Annotated[Count, doc("Of the queue pairs between the two.")]
    sent_packets: Annotated[Count, doc("Packets of requests.")]
    retransmissions: Annotated[Count, doc("Goings back, for a NAK or a timeout.")]
    naks_received: Annotated[Count, doc("Packets missed, by the receiver's word.")]
    timeouts: Annotated[Count, doc("Goings back for which no NAK came.")]
    cnps_received: Annotated[Count, doc("Congestion notifications.")]


class PausedPort(Form, frozen=True):
    """How long a port of a switch, or of a host's adapter, was held up by pauses of what it sends to."""

    node: Annotated[str, doc("The switch, or the host.")]
    interface: Annotated[str, doc("The port.")]
    towards: Annotated[str, doc("What it sends to, and was paused by.")]
    paused_s: Annotated[Seconds, doc("Of all its lossless classes.")]
    share: Annotated[Share, doc("Of the time between the first sample and the last.")]


class Adapters(Form, frozen=True, kw_only=True):
    """What the adapters of a workload's hosts counted from its start to its end, all together."""

    name: Annotated[str, doc("The workload's name.")]
    sent_packets: Annotated[Count, doc("Packets of RoCE, acknowledgements among them.")]
    received_packets: Annotated[Count, doc("The same, that came.")]
    retransmissions: Annotated[
        Count, doc("Goings back to the first unacknowledged packet, for a NAK or a timeout.")
    ]
    naks_received: Annotated[Count, doc("Packets missed, by the receivers' word.")]
    timeouts: Annotated[
        Count | None, doc("Goings back for which no NAK came; null: the kernel did not count them.")
    ]
    meaningful: Annotated[
        bool,
        doc(
            "False where something was lost on links that fewer than 20 packets fill: what that costs says nothing."
        ),
    ]
    naks_sent: Annotated[Count, doc("Packets out of order that were answered so.")]
    duplicates: Annotated[Count, doc("Packets that came again.")]
    not_ready_sent: Annotated[Count, doc("Messages that came before there was room.")]
    not_ready_received: Annotated[Count, doc("The same, by the receivers' word.")]
    marked_packets: Annotated[Count, doc("That switches had marked (ECN).")]
    cnps_sent: Annotated[Count, doc("Congestion notifications.")]
    cnps_received: Annotated[Count, doc("The same, that came.")]
    pairs: Annotated[
        list[CountedPair],
        doc("The queue pairs that waited, went back or were notified most: five."),
    ] = field(default_factory=list)
