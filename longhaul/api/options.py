"""What runs and benchmarks can be told from Python: the options of `longhaul run` and `longhaul bench`, typed.

In: keywords. Out: a `Request`, as the machine takes it, with the command line that asks for the same.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, TypedDict, Unpack

from longhaul.api.inputs import Topology, Workload
from longhaul.machine import PATIENCE_S
from longhaul.runs.life import Request
from longhaul.runs.workloads import Chosen
from scenario.workload.probing import probing_of

PROBE_INTERVAL_S = 0.01
CAPTURE_BYTES = 96
Hear = Callable[[dict[str, Any]], None]
Workloads = Workload | Sequence[Workload] | None


class FabricOptions(TypedDict, total=False):
    """Of a run or a benchmark: where and how its fabric is."""

    seed: int
    """Of all randomness; 1."""
    time: str
    """`virtual` or `real`; virtual."""
    machine: str
    """`auto`, `uml` or `native`; auto."""
    root: str
    """Whose software guests see: `auto`, `system` or `own`; auto."""
    cpu: int | None
    """The CPU that a guest is pinned to; None: one that no other guest has."""
    memory_bytes: int | None
    """Of the guest; None: by the number of hosts, and what is on the long-haul links at once."""
    out: str | Path | None
    """The folder to make; None: the next free one in `runs/`."""
    patience_s: float
    """Wall seconds without progress after which it is given up; 300."""
    command: Sequence[str]
    """How it was asked for, as its manifest tells; without it, the command line that does the same."""
    hear: Hear | None
    """Gets the progress, message by message."""


class RunOptions(FabricOptions, total=False):
    """Of a run, beside its topology and workloads."""

    without: Sequence[str]
    """Factors that are switched off."""
    settings: Sequence[str]
    """Changes of workloads as `--set-workload` has them, of those that the topology brings, too."""
    probe: Sequence[str]
    """Long-haul links whose delay, loss and reordering are measured."""
    probe_interval_s: float
    """From one probe to the next; 0.01."""
    capture: Sequence[str]
    """Links whose frames are written to `captures/`."""
    capture_bytes: int
    """Of each frame; 96."""
    controller: str | Path | None
    """An os-ken or Ryu application in place of longhaul's controller."""
    rest: bool
    """Whether the controller answers over HTTP, inside."""


def request(
    topology: Topology, workload: Workloads = None, **options: Unpack[RunOptions]
) -> Request:
    """The run that is asked for. Raises InvalidInput."""
    workloads = chosen(workload)
    controller = options.get("controller")
    asked = Request(
        **_where(topology, options),
        workloads=tuple(Chosen(one.file(), one.on) for one in workloads),
        without=tuple(options.get("without", ())),
        workload_overrides=(*_settings(workloads), *options.get("settings", ())),
        probing=probing_of(
            tuple(options.get("probe", ())), options.get("probe_interval_s", PROBE_INTERVAL_S)
        ),
        capture=tuple(options.get("capture", ())),
        capture_bytes=options.get("capture_bytes", CAPTURE_BYTES),
        controller=Path(controller).absolute() if controller else None,
        rest=options.get("rest", False),
    )
    if "command" in options:
        return asked
    return replace(asked, command=("longhaul", "run", *arguments(asked)))


def benchmark_request(topology: Topology, options: FabricOptions) -> Request:
    """The fabric of a benchmark; its `command` is still to be said where `options` do not."""
    return Request(**_where(topology, options), workloads=())


def _where(topology: Topology, options: FabricOptions) -> dict[str, Any]:
    """What both are told."""
    out = options.get("out")
    return {
        "topology": topology.file(),
        "overrides": topology.overrides,
        "seed": options.get("seed", 1),
        "time": options.get("time", "virtual"),
        "machine": options.get("machine", "auto"),
        "root": options.get("root", "auto"),
        "cpu": options.get("cpu"),
        "memory_bytes": options.get("memory_bytes"),
        "out": Path(out) if out else None,
        "patience_s": options.get("patience_s", PATIENCE_S),
        "command": tuple(options.get("command", ())),
    }


def chosen(workload: Workloads) -> tuple[Workload, ...]:
    """None, one or several workloads, as several."""
    if workload is None:
        return ()
    return (workload,) if isinstance(workload, Workload) else tuple(workload)


def _settings(workloads: Sequence[Workload]) -> tuple[str, ...]:
    """The changes of each workload; where there are several, with its name before them."""
    several = len(workloads) > 1
    return tuple(
        f"{one.elaborated.name}:{text}" if several else text
        for one in workloads
        for text in one.overrides
    )


def arguments(asked: Request) -> list[str]:
    """Of `longhaul run`, to do the same."""
    words = fabric_arguments(asked)
    for one in asked.workloads:
        words += ["--workload", str(one.path) + (f"@{','.join(one.on)}" if one.on else "")]
    words += [f"--set-workload={text}" for text in asked.workload_overrides]
    words += [f"--without={','.join(asked.without)}"] if asked.without else []
    if asked.probing:
        words += [f"--probe={','.join(asked.probing.links)}"]
        interval = asked.probing.interval_s
        words += [f"--probe-interval={interval!r}s"] if interval != PROBE_INTERVAL_S else []
    if asked.capture:
        words += [f"--capture={','.join(asked.capture)}"]
        usual = asked.capture_bytes == CAPTURE_BYTES
        words += [] if usual else [f"--capture-bytes={asked.capture_bytes}"]
    words += [f"--controller={asked.controller}"] if asked.controller else []
    words += ["--rest"] if asked.rest else []
    return words


def fabric_arguments(asked: Request) -> list[str]:
    """Of `run` and `bench`: the topology, and where its fabric is."""
    words = [str(asked.topology), "--seed", str(asked.seed)]
    words += [f"--set={text}" for text in asked.overrides]
    words += [f"--time={asked.time}"] if asked.time != "virtual" else []
    words += [f"--machine={asked.machine}"] if asked.machine != "auto" else []
    words += [f"--root={asked.root}"] if asked.root != "auto" else []
    words += [f"--memory={asked.memory_bytes}B"] if asked.memory_bytes else []
    words += [f"--patience={asked.patience_s:g}"] if asked.patience_s != PATIENCE_S else []
    return words
