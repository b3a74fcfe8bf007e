"""The language of collectives: by which algorithm, over which connections."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, TypeAlias

from pydantic import Field

from scenario.text.fields import Size
from scenario.text.strict import Strict
from scenario.types.topology import Collective

if TYPE_CHECKING:
    from scenario.workload.common import Where

Flat: TypeAlias = Literal[
    "ring", "tree", "recursive_doubling", "halving_doubling", "binomial", "pairwise", "direct",
    "parameter_server",
]  # fmt: skip
Algorithm: TypeAlias = Literal[
    "ring", "tree", "recursive_doubling", "halving_doubling", "binomial", "pairwise", "direct",
    "parameter_server", "hierarchical", "auto",
]  # fmt: skip
Inner: TypeAlias = Literal["ring", "halving_doubling", "pairwise", "direct"]

USED_BY = {
    "inner": ("hierarchical",),
    "outer": ("hierarchical",),
    "servers": ("parameter_server",),
    "order": ("ring", "hierarchical"),
}
"""The algorithms to which a key means something; the others' keys mean something to all."""


class CollectiveModel(Strict):
    """How gradients are summed."""

    op: Literal["all_reduce"] = "all_reduce"
    """Which collective."""
    algorithm: Algorithm = "ring"
    """By which algorithm; `auto`: the one that is fastest by the α–β model of this fabric."""
    inner: Inner = "ring"
    """Of a hierarchical one: the algorithm inside each campus."""
    outer: Flat = "ring"
    """Of a hierarchical one: the algorithm across campuses."""
    order: Literal["campus", "rank", "interleaved"] = "campus"
    """How a ring visits the hosts: campus by campus, as they are numbered, or from campus to campus at
    every step, as where nobody knows of campuses."""
    servers: int = Field(default=1, ge=1, le=10_000)
    """How many parameter servers there are; they stand on the first hosts."""
    channels: int = Field(default=1, ge=1, le=64)
    """Connections per pair of hosts; each carries its share of every message."""
    segment: Size | None = None
    """Longer messages are cut into segments, so that a host passes on the first while the next comes in.
    Without it trees choose some, and the others do not cut."""
    congestion: Literal["cubic", "reno", "bbr", "dctcp"] = "cubic"
    """Congestion control of the connections, as Linux has it."""
    socket_buffer: Size | None = None
    """Size of each socket's buffers, not scaled; without it the kernel tunes them."""
    verify: bool = False
    """Reduce real numbers and check the result on every host."""


def collective(written: CollectiveModel, where: Where) -> Collective:
    """In SI units. Complains about keys that mean nothing to the algorithm."""
    for key, algorithms in USED_BY.items():
        if key in written.model_fields_set and written.algorithm not in algorithms:
            message = f"means nothing to the algorithm {written.algorithm}"
            where.add_key(("collective", key), message, f"algorithm: {' or '.join(algorithms)}")
    return Collective(
        op=written.op,
        algorithm=written.algorithm,
        verify=written.verify,
        channels=written.channels,
        segment_bytes=written.segment,
        order=written.order,
        inner=written.inner,
        outer=written.outer,
        servers=written.servers,
        congestion=written.congestion,
        socket_buffer_bytes=round(written.socket_buffer) if written.socket_buffer else None,
    )
