"""Collectives measured one by one, from Python. In: a topology, an operation, algorithms, sizes. Out: a `BenchRun`.

`longhaul bench` is built on it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Literal, Unpack

from longhaul.api.inputs import Topology
from longhaul.api.options import FabricOptions, benchmark_request, fabric_arguments
from longhaul.api.results import BenchRun
from longhaul.runs import benchmark
from scenario.types.topology import Collective, Transport
from traffic.benchmark import Benchmark
from traffic.collectives import OPS, algorithms_of

SIZES_BYTES = tuple(float(4**step * 65536) for step in range(6))
"""64 KiB to 64 MiB, by fours."""


def bench(  # noqa: PLR0913 - what a benchmark can be told
    topology: Topology,
    op: str = "all_reduce",
    *,
    algorithms: Sequence[str] = ("auto",),
    sizes_bytes: Sequence[float] = SIZES_BYTES,
    iterations: int = 5,
    warmup: int = 2,
    verify: bool = False,
    transport: Literal["tcp", "roce"] = "tcp",
    channels: int = 1,
    congestion: str = "cubic",
    segment_bytes: int | None = None,
    buffers_bytes: int | None = None,
    inner: str = "ring",
    outer: str = "ring",
    order: Literal["campus", "rank", "interleaved"] = "campus",
    servers: int = 1,
    **options: Unpack[FabricOptions],
) -> BenchRun:
    """Measure an operation by each algorithm at each size (in bytes of the real world), `iterations` times after
    `warmup`. Of `algorithms`, `auto` is what the model thinks fastest, `all` every one. `verify` carries real numbers,
    and counts wrong results. `options` are those of `run` that say where and how the fabric is.

    Raises InvalidInput, Unfit, MachineError, FolderTaken.
    """
    if op not in OPS:
        raise benchmark.Unfit(f"no operation {op!r}; there are {', '.join(OPS)}")
    if not sizes_bytes or min(sizes_bytes) <= 0:
        raise benchmark.Unfit("no sizes, or one that is not above 0")
    every = [n for one in algorithms for n in (algorithms_of(op) if one == "all" else (one,))]
    asked = benchmark_request(topology, options)
    wanted = Benchmark(
        name="bench",
        source=str(asked.topology),
        transport=Transport(transport),
        algorithms=tuple(dict.fromkeys(every)),
        sizes_bytes=tuple(sizes_bytes),
        iterations=iterations,
        warmup=warmup,
        collective=Collective(
            op=op,
            verify=verify,
            channels=channels,
            segment_bytes=segment_bytes,
            order=order,
            inner=inner,
            outer=outer,
            servers=servers,
            congestion=congestion,
            socket_buffer_bytes=buffers_bytes,
        ),
    )
    if not asked.command:
        words = [*fabric_arguments(asked), *_arguments(wanted, transport)]
        asked = replace(asked, command=("longhaul", "bench", *words))
    hear = options.get("hear") or (lambda _: None)
    return BenchRun(benchmark.bench(asked, wanted, hear))


def _arguments(wanted: Benchmark, transport: str) -> list[str]:
    """Of `longhaul bench`, to do the same."""
    one = wanted.collective
    said = {
        "collective": one.op,
        "algorithm": ",".join(wanted.algorithms),
        "sizes": ",".join(f"{size:.0f}" for size in wanted.sizes_bytes),
        "iters": wanted.iterations,
        "warmup": wanted.warmup,
        "transport": transport,
        "channels": one.channels,
        "congestion": one.congestion,
        "inner": one.inner,
        "outer": one.outer,
        "order": one.order,
        "servers": one.servers,
    }
    words = [f"--{name}={value}" for name, value in said.items()]
    words += [f"--segment={one.segment_bytes}"] if one.segment_bytes else []
    words += [f"--buffers={one.socket_buffer_bytes}"] if one.socket_buffer_bytes else []
    return words + (["--check"] if one.verify else [])
