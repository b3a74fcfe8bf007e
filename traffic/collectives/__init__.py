"""Collectives as schedules: `make_schedule` makes any of them, for ranks 0, 1, … of a group.

To add an algorithm, write a function that adds its steps to a Builder (`building`) and name it in FLAT
(`flat`): the dependencies of its operations, channels and segments follow by themselves.
"""

from __future__ import annotations

from traffic.collectives import hierarchical
from traffic.collectives.building import Builder
from traffic.collectives.flat import FLAT, Algorithm
from traffic.collectives.options import DEFAULTS, Layout, Options
from traffic.collectives.own import is_own, load_algorithm
from traffic.collectives.proof import complaints
from traffic.collectives.results import RESULTS, Results, results
from traffic.schedule import ELEMENT_BYTES, Piece, Schedule

__all__ = [
    "ALGORITHMS", "DEFAULTS", "ELEMENT_BYTES", "INNER", "OPS", "Layout", "Options", "Results",
    "algorithms_of", "check", "make_schedule", "outer_algorithms", "results",
]  # fmt: skip

ALGORITHMS: dict[tuple[str, str], Algorithm] = FLAT | {
    ("all_reduce", "hierarchical"): hierarchical.all_reduce,
}
"""(collective, algorithm) -> the function that adds its steps to a schedule."""

OPS = tuple(RESULTS)
"""The collectives."""

INNER = ("ring", "halving_doubling", "pairwise", "direct")
"""What can reduce-scatter and all-gather inside a campus."""


def algorithms_of(op: str) -> tuple[str, ...]:
    """The algorithms of a collective, by name."""
    return tuple(algorithm for other, algorithm in ALGORITHMS if other == op)


def make_schedule(
    op: str,
    algorithm: str,
    layout: Layout,
    size_bytes: int,
    options: Options = DEFAULTS,
) -> Schedule:
    """The schedule of a collective over buffers of `size_bytes` (whole elements are carried) among the
    ranks of a layout; `results` says where in the buffers input and output lie.

    `algorithm` is one of ALGORITHMS, or a file of a user's own (`own`). Raises ValueError, saying what
    there is, for an algorithm or an option that does not fit, and for one of a user's own that does not do
    what the collective must; InvalidInput for a bad file.
    """
    check(op, algorithm, layout.ranks, options)
    if is_own(algorithm):
        return _own(op, algorithm, layout, size_bytes, options)
    return _built(ALGORITHMS[op, algorithm], layout, size_bytes, options)


def _own(op: str, name: str, layout: Layout, size_bytes: int, options: Options) -> Schedule:
    """A user's own, shown on a small buffer to do what it must."""
    own = load_algorithm(name, op)
    small = ELEMENT_BYTES * own.elements * layout.ranks
    due = results(op, layout.ranks, small, options)
    wrong = list(complaints(_built(own.algorithm, layout, small, options), due))
    if wrong:
        more = f", and {len(wrong) - 1} more" if wrong[1:] else ""
        raise ValueError(f"{name} is no {op}: {wrong[0]}{more}")
    return _built(own.algorithm, layout, size_bytes, options)


def _built(algorithm: Algorithm, layout: Layout, size_bytes: int, options: Options) -> Schedule:
    build = Builder(layout, options)
    size = size_bytes // ELEMENT_BYTES * ELEMENT_BYTES
    algorithm(build, range(layout.ranks), Piece(0, size))
    return build.schedule()


def check(op: str, algorithm: str, ranks: int, options: Options) -> None:
    """Raises ValueError unless there is such an algorithm, and the options fit it."""
    _one_of("a collective", op, OPS)
    if not is_own(algorithm):
        _one_of(f"an algorithm for {op}", algorithm, algorithms_of(op))
    if algorithm == "hierarchical":
        _one_of("an inner algorithm", options.inner, INNER)
        _one_of("an outer algorithm", options.outer, outer_algorithms())
    _within("root", options.root, 0, ranks - 1)
    _within("servers", options.servers, 1, ranks)
    _within("channels", options.channels, 1, 64)
    if options.segment_bytes is not None:
        _within("segment_bytes", options.segment_bytes, ELEMENT_BYTES, 1 << 62)
    if options.counts is not None:
        _check_counts(options.counts, ranks)


def outer_algorithms() -> tuple[str, ...]:
    """What can all-reduce across campuses: all but the hierarchical one itself."""
    return tuple(algorithm for other, algorithm in FLAT if other == "all_reduce")


def _one_of(what: str, name: str, names: tuple[str, ...]) -> None:
    if name not in names:
        raise ValueError(f"{name!r} is not {what}: {', '.join(names)}")


def _within(what: str, value: int, least: int, most: int) -> None:
    if not least <= value <= most:
        raise ValueError(f"{what} is {value}: expected {least} to {most}")


def _check_counts(counts: tuple[tuple[int, ...], ...], ranks: int) -> None:
    if len(counts) != ranks or any(len(row) != ranks for row in counts):
        raise ValueError(f"counts: expected {ranks} rows of {ranks}")
    if any(count < 0 or count % ELEMENT_BYTES for row in counts for count in row):
        raise ValueError(f"counts: expected bytes in whole elements of {ELEMENT_BYTES}")
