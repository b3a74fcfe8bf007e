"""Durations as HdrHistogram logs (.hlog), which HdrHistogram's own tools and plotters read.

In: durations in nanoseconds, by what they are of. Out: a log with one tagged histogram for each. Written after the
format itself (interval logs 1.3, encoding V2: ZigZag LEB128 counts, zlib, base64) [HdrHistogram,
AbstractHistogram.java and HistogramLogWriter.java]. Three significant digits: a value is off by less than 0.1 %.
"""

from __future__ import annotations

import base64
import re
import struct
import zlib
from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import numpy.typing as npt

DIGITS = 3
LOWEST_NS, HIGHEST_NS = 1, 3_600_000_000_000
"""Values from 1 ns to an hour; longer ones are counted as an hour."""

_HALF_BITS = 10  # a bucket's upper half has 2^10 sub-buckets: enough for three digits
_HALF = 1 << _HALF_BITS
_COOKIE, _COMPRESSED_COOKIE = 0x1C849303 | 0x10, 0x1C849304 | 0x10
_HEADER = struct.Struct(">iiiiqqd")
Counts = npt.NDArray[np.int64]


def write_log(durations_ns: Mapping[str, Sequence[int]], length_s: float) -> str:
    """The log: a line for each name, over the whole run. Names lose what a tag may not hold."""
    lines = [
        "#[Logged with longhaul]",
        "#[Histogram log format version 1.3]",
        '"StartTimestamp","Interval_Length","Interval_Max","Interval_Compressed_Histogram"',
    ]
    for name, values in durations_ns.items():
        if len(values):
            tag = re.sub(r"[\s,\"]+", "_", name)
            longest_ms = max(values) / 1e6
            lines.append(f"Tag={tag},0.000,{length_s:.3f},{longest_ms:.3f},{encoded(values)}")
    return "\n".join(lines) + "\n"


def encoded(values_ns: Sequence[int]) -> str:
    """A histogram of the values in encoding V2, compressed, as base64."""
    counts = _counts(values_ns)
    body = bytes(_zigzag_runs(counts))
    payload = _HEADER.pack(_COOKIE, len(body), 0, DIGITS, LOWEST_NS, HIGHEST_NS, 1.0) + body
    packed = zlib.compress(payload)
    return base64.b64encode(struct.pack(">ii", _COMPRESSED_COOKIE, len(packed)) + packed).decode()


def _counts(values_ns: Sequence[int]) -> Counts:
    """How many values fall into each slot, up to the last slot that holds any.

    The first bucket has 2^11 slots of 1 ns; each further bucket has 2^10, twice as wide as those before.
    """
    values = np.clip(np.asarray(values_ns, dtype=np.int64), 0, HIGHEST_NS)
    bits = np.frexp(values.astype(np.float64))[1]
    bucket = np.maximum(bits - (_HALF_BITS + 1), 0)
    within = values >> bucket
    slots = (bucket << _HALF_BITS) + within
    return np.bincount(slots)


def _zigzag_runs(counts: Counts) -> Iterator[int]:
    """Counts as ZigZag LEB128; a run of zeros is its length, negative."""
    index = 0
    while index < len(counts):
        value = int(counts[index])
        step = 1
        if value == 0:
            rest = np.flatnonzero(counts[index:])
            step = int(rest[0]) if len(rest) else len(counts) - index
            value = -step if step > 1 else 0
        yield from _leb128((value << 1) ^ (value >> 63))
        index += step


def _leb128(value: int) -> Iterator[int]:
    """Seven bits a byte, the lowest first; the ninth byte holds eight."""
    value &= (1 << 64) - 1
    for _ in range(8):
        if value < 0x80:
            yield value
            return
        yield value & 0x7F | 0x80
        value >>= 7
    yield value
