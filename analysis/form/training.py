"""What `summary.json` says of a workload that trains, beside its stalls: times, tails, path, efficiency, models."""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias

from msgspec import field

from analysis.form.parts import (
    Bytes,
    BytesPerSecond,
    Count,
    Form,
    NamedShare,
    Seconds,
    Share,
    Tail,
    doc,
)

LinkKind: TypeAlias = Literal["compute", "send", "wire", "wait"]
"""Kinds of link of the critical path."""

OVERFLOW, LOSS = "overflow", "loss"
OBSERVED = (OVERFLOW, LOSS)
"""Kinds of event that are seen, not planned: a queue that overflowed; packets that the link itself lost."""


class Bandwidths(Form, frozen=True):
    """A collective's size and speed, as nccl-tests defines them."""

    size_bytes: Annotated[Bytes, doc("Of the payload, per rank.")]
    algbw_Bps: Annotated[BytesPerSecond, doc("Algorithm bandwidth: size over mean time.")]
    busbw_Bps: Annotated[BytesPerSecond, doc("Bus bandwidth: algbw times the operation's factor.")]


class Collective(Tail, frozen=True):
    """The collectives that move most: times from the last rank's entry to the last rank's end."""

    op: Annotated[str, doc("all_reduce, reduce_scatter, all_gather and so on.")]
    algorithm: Annotated[str, doc("ring, tree, hierarchical and so on.")]
    size_bytes: Annotated[Bytes, doc("Of the payload in the real world, per rank.")]
    algbw_Bps: Annotated[BytesPerSecond, doc("Algorithm bandwidth in the real world.")]
    busbw_Bps: Annotated[BytesPerSecond, doc("Bus bandwidth in the real world.")]
    carried: Annotated[Bandwidths, doc("The same as the emulated wire saw it, scaled down.")]
    wrong: Annotated[
        int | None, doc("Results that were not the sum; null where they were not looked at.")
    ]

    @property
    def real(self) -> Bandwidths:
        """Size and bandwidths in the real world."""
        return Bandwidths(self.size_bytes, self.algbw_Bps, self.busbw_Bps)


class Passage(Form, frozen=True):
    """Where a part of the critical path ran."""

    kind: Annotated[LinkKind, doc("The kind of its links.")]
    where: Annotated[str, doc("A host, or an ordered pair of campuses.")]
    seconds: Annotated[Seconds, doc("Mean per iteration.")]


class CriticalPath(Form, frozen=True):
    """The chain of events that an iteration's time is made of; means per iteration."""

    iterations: Annotated[Count, doc("Over so many of them.")]
    compute_s: Annotated[Seconds, doc("Compute tasks.")]
    send_s: Annotated[Seconds, doc("Messages queued behind an earlier one to the same peer.")]
    wire_s: Annotated[Seconds, doc("Messages, from first byte sent to last byte received.")]
    wait_s: Annotated[Seconds, doc("Ready, and nothing recorded that it waited for.")]
    through: Annotated[list[Passage], doc("Where it ran, most time first.")]

    def by_kind(self) -> dict[LinkKind, float]:
        """Seconds of each kind of link."""
        return {
            "compute": self.compute_s,
            "send": self.send_s,
            "wire": self.wire_s,
            "wait": self.wait_s,
        }


class HardwareCost(Form, frozen=True):
    """What the hardware costs, in `currency`."""

    currency: Annotated[str, doc("Such as USD.")]
    gpu_hour: Annotated[float, doc("A GPU for an hour.")]
    per_hour: Annotated[float, doc("All GPUs for an hour.")]
    idle_per_hour: Annotated[float, doc("Of that, for GPUs that do nothing.")]


class Efficiency(Form, frozen=True):
    """What the hardware was used for."""

    goodput: Annotated[Share, doc("Of GPU time, in which GPUs compute.")]
    mfu: Annotated[
        Share | None, doc("Model FLOP/s over the dense peak; null where the plan has no peak.")
    ]
    tokens_per_s: Annotated[float | None, doc("Null where the workload has no tokens.")]
    gpus: Annotated[Count, doc("That take part.")]
    flops: Annotated[
        float, doc("FLOP/s that they achieve together in training a model of usual size.")
    ]
    idle_gpus: Annotated[float, doc("That do nothing, on average.")]
    price: Annotated[HardwareCost | None, doc("Null where the workload names none.")]


class Proportion(Form, frozen=True):
    """Communication over compute, here and in the real cluster: kappa = 2F/(3TB)."""

    kappa: Annotated[float, doc("As emulated.")]
    full_kappa: Annotated[
        float, doc("In the cluster that this one stands for: same batch, same links.")
    ]
    scale_hosts: Annotated[float, doc("Hosts there for each host here.")]
    flops: Annotated[float, doc("F: FLOP/s achieved by all hosts here.")]
    tokens: Annotated[float, doc("T: of a step.")]
    thinnest_bps: Annotated[
        float, doc("8B: the thinnest long-haul link, in the real world's bit/s.")
    ]
    needed_bps: Annotated[float, doc("What that link would need there to keep what is emulated.")]
    says: Annotated[str, doc("All that in a sentence.")]


class EventPrice(Form, frozen=True):
    """Energy and money, of the real cluster."""

    energy_kwh: Annotated[
        float, doc("Drawn by all sites without training, less what a dark campus saved.")
    ]
    usd: Annotated[float, doc("What the lost computing rents for, and that energy.")]


class EventCost(Form, frozen=True):
    """An event of the timeline, by name, or something seen (a queue that overflowed), and what it cost."""

    name: Annotated[str, doc("The event's name.")]
    kind: Annotated[str, doc("As in the topology file; overflow or loss: seen in the network.")]
    says: Annotated[str, doc("What it does, in words.")]
    links: Annotated[list[str], doc("Long-haul links that it struck.")]
    hosts: Annotated[list[str], doc("Hosts that it struck.")]
    spans_s: Annotated[
        list[tuple[Seconds, Seconds]], doc("When it was in force: (begin, end), each occurrence.")
    ]
    touched: Annotated[list[int], doc("Iterations during which it was in force.")]
    beyond: Annotated[Count, doc("Of them, those slower than every untouched one.")]
    cost_s: Annotated[
        Seconds | None,
        doc("Beyond the median untouched iteration, in all; null where none was untouched."),
    ]
    together: Annotated[
        list[str],
        doc("Events with which an excess was divided equally, as nothing told whose it was."),
    ]
    price: Annotated[
        EventPrice | None, doc("Null where cost_s is, or a GPU's power or price is not known.")
    ] = None


class KindTail(Tail, frozen=True):
    """The tail of one kind of duration."""

    what: Annotated[str, doc("iteration, collective N, or an ordered pair of campuses.")]


class SlowestMessages(Form, frozen=True):
    """Where the slowest 1 % of messages came from."""

    count: Annotated[Count, doc("How many they are.")]
    of: Annotated[Count, doc("Of how many.")]
    above_s: Annotated[Seconds | None, doc("The shortest of them; null where there are none.")]
    by_link: Annotated[list[NamedShare], doc("Ordered pairs of campuses, most first.")]
    by_rank: Annotated[list[NamedShare], doc("Sending ranks, most first.")]
    by_event: Annotated[list[NamedShare], doc("Events in force meanwhile, most first.")]


class Tails(Form, frozen=True):
    """How long the tail is, and what it has in common."""

    kinds: Annotated[list[KindTail], doc("Each kind of duration.")]
    slowest_messages: Annotated[SlowestMessages, doc("The slowest 1 %.")]
    slowest_collectives: Annotated[
        list[NamedShare],
        doc("The last ranks to enter the slowest 1 % of collectives, most often first."),
    ]


class Between(Form, frozen=True):
    """Messages of one ordered pair of campuses."""

    src_campus: Annotated[str, doc("Of the sender.")]
    dst_campus: Annotated[str, doc("Of the receiver.")]
    count: Annotated[Count, doc("Messages.")]
    bytes: Annotated[int, doc("Payload as carried, in all.")]
    message_mean_s: Annotated[Seconds, doc("From the first byte sent to the last received: mean.")]
    message_p50_s: Annotated[Seconds, doc("The same: median.")]
    message_max_s: Annotated[Seconds, doc("The same: the longest.")]
    transfer_mean_s: Annotated[
        Seconds, doc("From both sides' being ready to the last byte: mean; 0 if data was there.")
    ]
    transfer_p50_s: Annotated[Seconds, doc("The same: median.")]
    transfer_max_s: Annotated[Seconds, doc("The same: the longest.")]
    peer_late_mean_s: Annotated[
        Seconds, doc("From the receiver's being ready to the first byte sent: mean.")
    ]
    wait_mean_s: Annotated[
        Seconds, doc("From the receiver's being ready to the first byte received: mean.")
    ]


class Prediction(Form, frozen=True):
    """What the alpha-beta model predicts of the collective and of an iteration, beside what was measured."""

    collective_s: Annotated[Seconds | None, doc("Pipelined over this fabric; null: none planned.")]
    textbook_s: Annotated[
        Seconds | None,
        doc(
            "Of a ring all-reduce, by the textbook's formula; null: none planned, or no such ring."
        ),
    ]
    measured_s: Annotated[Seconds, doc("Median.")]
    error: Annotated[Share | None, doc("Measured over collective_s, less 1.")]
    omits: Annotated[
        list[str],
        doc("What this run had that the model leaves out, in words: DCQCN's start, timeouts."),
    ] = field(default_factory=list)
    iteration_s: Annotated[
        Seconds | None, doc("The mean iteration, with nothing happening; null: none planned.")
    ] = None
    iteration_error: Annotated[Share | None, doc("The measured mean over iteration_s, less 1.")] = (
        None
    )


class Fit(Form, frozen=True):
    """A class of link: seconds per message, seconds per carried byte, and how many messages of how many
    sizes said so. With one size of message alpha is the plan's, and beta what is left."""

    name: Annotated[str, doc("Inside a campus, or an ordered pair of campuses.")] = field(
        name="class"
    )
    alpha_s: Annotated[Seconds, doc("Per message.")]
    beta_s_per_byte: Annotated[float, doc("Per carried byte.")]
    count: Annotated[Count, doc("Messages that said so.")]
    sizes: Annotated[Count, doc("Sizes among them.")]

    def message_s(self, size_bytes: float) -> float:
        """The time of one message."""
        return self.alpha_s + self.beta_s_per_byte * size_bytes


class ModelCheck(Form, frozen=True):
    """The fitted model held against the run that it was fitted to."""

    predicted_s: Annotated[Seconds, doc("The collective.")]
    measured_s: Annotated[Seconds, doc("Its median.")]
    error: Annotated[Share, doc("Measured over predicted, less 1.")]


class Projection(Form, frozen=True):
    """What the fitted model says of the same ring with more ranks."""

    ranks: Annotated[Count, doc("So many.")]
    collective_s: Annotated[Seconds, doc("The collective.")]


class CostModel(Form, frozen=True):
    """Alpha and beta fitted to this run, and what they say of larger ones."""

    classes: Annotated[list[Fit], doc("Classes of link.")]
    check: Annotated[ModelCheck | None, doc("Null where the collective is no ring all-reduce.")]
    scales: Annotated[list[Projection], doc("Empty where the collective is no ring all-reduce.")]
