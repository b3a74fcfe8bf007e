"""`bench.json`: what `longhaul bench` measured, a row for each size and algorithm, in nccl-tests' terms."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from analysis.form.files import read
from analysis.form.parts import Bytes, BytesPerSecond, Count, Form, Seconds, Share, doc

FILE = "bench.json"
VERSION = 1


class PlannedCase(Form, frozen=True, kw_only=True):
    """One algorithm at one size, as planned."""

    asked: Annotated[str, doc("What the user called the algorithm: auto, or its name.")]
    algorithm: Annotated[str, doc("The algorithm.")]
    size_bytes: Annotated[Bytes, doc("In the real world.")]
    carried_bytes: Annotated[Bytes, doc("As the emulated wire carries it.")]
    predicted_s: Annotated[Seconds, doc("By the alpha-beta model.")]
    same_as: Annotated[
        str | None,
        doc("The algorithm of an earlier row of this size that sends the very same messages."),
    ] = None
    same_order: Annotated[
        bool, doc("Whether it does so in the same order, over the same connections.")
    ] = True


class MeasuredCase(PlannedCase, frozen=True, kw_only=True):
    """The same, measured: times from the last rank's entry to the last rank's end."""

    time_s: Annotated[Seconds, doc("Mean.")]
    p50_s: Annotated[Seconds, doc("Median, nearest rank.")]
    p99_s: Annotated[Seconds, doc("99th percentile, nearest rank.")]
    min_s: Annotated[Seconds, doc("The shortest.")]
    max_s: Annotated[Seconds, doc("The longest.")]
    algbw_Bps: Annotated[
        BytesPerSecond | None, doc("Size over mean time, in the real world; null of a barrier.")
    ]
    busbw_Bps: Annotated[BytesPerSecond | None, doc("The same times the operation's factor.")]
    error: Annotated[Share | None, doc("Measured over predicted, less 1; null: none predicted.")]
    wrong: Annotated[int | None, doc("Wrong results; null where they were not looked at.")]
    dropped: Annotated[
        int | None,
        doc(
            "Packets that switch ports dropped meanwhile, over the iterations that count; those between two"
            " samples are the longest collective's. Null where ports were not sampled."
        ),
    ] = None


class BenchmarkTable(Form, frozen=True, kw_only=True):
    """All of `bench.json`."""

    version: Annotated[int, Meta(description="Of this form.", ge=VERSION, le=VERSION)] = VERSION
    name: Annotated[str, doc("Of the topology.")]
    op: Annotated[str, doc("The collective.")]
    ranks: Annotated[Count, doc("That take part.")]
    scale_bytes: Annotated[float, doc("Carried bytes are the real ones divided by this.")]
    iterations: Annotated[Count, doc("That count.")]
    warmup: Annotated[Count, doc("Before them.")]
    congestion: Annotated[str, doc("TCP's congestion control.")]
    transport: Annotated[str, doc("tcp or roce.")] = "tcp"
    channels: Annotated[Count, doc("Connections per pair.")]
    rows: Annotated[list[MeasuredCase], doc("Each size and algorithm.")]


def read_benchmark(run_dir: Path) -> BenchmarkTable:
    """What a run folder's `bench.json` says. Raises `RunError` where it is missing, old or damaged."""
    return read(Path(run_dir) / FILE, BenchmarkTable, VERSION, "run `longhaul bench` again")


def benchmark_schema() -> dict[str, Any]:
    """The JSON Schema of `bench.json`."""
    return msgspec.json.schema(BenchmarkTable)
