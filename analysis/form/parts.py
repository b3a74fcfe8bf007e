"""What several files and findings are made of: units, tails, checks, what happened to the fabric.

Each number's unit is in its name and in the JSON Schema (`unit`): `_s` seconds, `_Bps` bytes per second, `_bps` bits
per second, `_share` of a whole (0 to 1).
"""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias

from msgspec import Meta, Struct

Seconds: TypeAlias = Annotated[float, Meta(extra_json_schema={"unit": "s"})]
Nanoseconds: TypeAlias = Annotated[int, Meta(extra_json_schema={"unit": "ns"})]
Bytes: TypeAlias = Annotated[float, Meta(extra_json_schema={"unit": "B"})]
BytesPerSecond: TypeAlias = Annotated[float, Meta(extra_json_schema={"unit": "B/s"})]
BitsPerSecond: TypeAlias = Annotated[float, Meta(extra_json_schema={"unit": "bit/s"})]
Share: TypeAlias = Annotated[float, Meta(extra_json_schema={"unit": "1"})]
Count: TypeAlias = int
TailKey: TypeAlias = Literal["mean_s", "p50_s", "p90_s", "p99_s", "p999_s", "max_s"]
Interval: TypeAlias = Annotated[
    tuple[float, float],
    Meta(extra_json_schema={"unit": "s"}, description="95 % confidence interval: low, high."),
]


def doc(text: str) -> Meta:
    """A field's description, for the schema."""
    return Meta(description=text)


class Form(Struct, frozen=True):
    """A part of a file: its attributes are the file's keys."""


class Tail(Form, frozen=True):
    """Nearest-rank quantiles of durations, always with the number of samples behind them."""

    count: Annotated[Count, doc("Samples.")]
    mean_s: Annotated[Seconds, doc("Mean.")]
    p50_s: Annotated[Seconds, doc("Median, nearest rank.")]
    p90_s: Annotated[Seconds, doc("90th percentile, nearest rank.")]
    p99_s: Annotated[Seconds, doc("99th percentile, nearest rank.")]
    p999_s: Annotated[Seconds, doc("99.9th percentile, nearest rank.")]
    max_s: Annotated[Seconds, doc("The longest.")]
    notes: Annotated[
        dict[str, str],
        doc("Marks quantiles that the samples cannot support, by key: p99_s: n<100."),
    ]

    def value(self, key: TailKey) -> float:
        """The quantile, mean or maximum of that key, seconds."""
        found: float = getattr(self, key)
        return found


class Check(Form, frozen=True):
    """Something asked of the fabric, held against what was measured before the workload."""

    what: Annotated[str, doc("What was checked, in words.")]
    asked: Annotated[float | None, doc("What was asked for, in `unit`.")]
    measured: Annotated[float | None, doc("What was measured, in `unit`; null where nothing was.")]
    error: Annotated[Share | None, doc("measured / asked - 1.")]
    unit: Annotated[str, doc("Of asked and measured: s, Bps, bps, ratio.")]
    limit: Annotated[Share | None, doc("The largest error that is faithful.")]
    ok: Annotated[bool, doc("Whether the error is within the limit.")]
    link: Annotated[str, doc("The long-haul link, or the place.")] = ""
    quantity: Annotated[str, doc("rtt, goodput or loss.")] = ""
    counts: Annotated[
        str, doc("Of what was counted: how many were expected, and how many came.")
    ] = ""


class Targets(Form, frozen=True):
    """What an event of the timeline struck."""

    links: Annotated[list[str], doc("Long-haul links, by name.")] = []
    hosts: Annotated[list[str], doc("Hosts, by name.")] = []


class Happened(Form, frozen=True):
    """One occurrence of an event of the timeline, as `timeline.json` has it, on the clock of the events."""

    name: Annotated[str, doc("The event's name.")]
    kind: Annotated[str, doc("Its kind, as in the topology file.")]
    says: Annotated[str, doc("What it does, in words.")]
    begin_ns: Annotated[Nanoseconds, doc("When it began.")]
    end_ns: Annotated[Nanoseconds | None, doc("When it was over; null: still on at the end.")]
    targets: Annotated[Targets, doc("What it struck.")]


class NamedShare(Form, frozen=True):
    """A part of a whole."""

    name: Annotated[str, doc("Of what.")]
    share: Annotated[Share, doc("How much of the whole.")]
