"""A run's figures for Prometheus: the OpenMetrics text format, as node_exporter's textfile collector reads it.

In: a summary. Out: text. Units are base units (seconds, bytes, ratios), as the format asks for.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

from analysis.form.parts import Tail, TailKey
from analysis.form.stalls import Rank
from analysis.form.summary import TrainingSummary

Labels = Mapping[str, object]
_QUANTILES: dict[TailKey, float] = {"p50_s": 0.5, "p90_s": 0.9, "p99_s": 0.99}


def openmetrics(summary: TrainingSummary) -> str:
    """The text; every sample carries the run's name and seed."""
    run = {"run": summary.name, "seed": summary.seed}
    lines = [line for family in _families(summary, run) for line in family]
    return "\n".join([*lines, "# EOF"]) + "\n"


def _families(summary: TrainingSummary, run: Labels) -> Iterator[list[str]]:
    stalls, found = summary.stalls, summary.efficiency
    yield _gauge("faithful", "Whether every fidelity check passed.", [(run, int(summary.faithful))])
    yield _quantiles("iteration_seconds", "Time of an iteration.", run, summary.iterations)
    yield _quantiles(
        "collective_seconds", "Last rank's entry to last rank's end.", run, summary.collective
    )
    yield _gauge(
        "bus_bandwidth_bytes_per_second", "As nccl-tests defines it.",
        [(run, summary.collective.busbw_Bps)],
    )  # fmt: skip
    yield _gauge("slowdown_ratio", "S = T / T_ideal.", [(run, stalls.slowdown)])
    yield _gauge("goodput_ratio", "Share of GPU time computing.", [(run, found.goodput)])
    if found.mfu is not None:
        yield _gauge("mfu_ratio", "Model FLOP utilisation.", [(run, found.mfu)])
    yield _gauge("idle_gpus", "GPUs doing nothing, on average.", [(run, found.idle_gpus)])
    path = [({**run, "link": kind}, s) for kind, s in summary.critical_path.by_kind().items()]
    yield _gauge("critical_path_seconds", "Mean per iteration, by kind of link.", path)
    for key, (help_text, seconds) in _BY_RANK.items():
        rows = [({**run, **_rank(rank)}, seconds(rank)) for rank in stalls.by_rank]
        yield _gauge(f"rank_{key}_seconds", help_text, rows)
    events = [({**run, "event": one.name}, one.cost_s) for one in summary.timeline]
    known = [(labels, cost) for labels, cost in events if cost is not None]
    if known:
        yield _gauge("event_cost_seconds", "What an event of the timeline cost.", known)


_BY_RANK: dict[str, tuple[str, Callable[[Rank], float]]] = {
    "compute": ("Computing, mean per iteration.", lambda rank: rank.compute_s),
    "sync_wait": (
        "In a collective before its last rank entered, mean per iteration.",
        lambda rank: rank.sync_wait_s,
    ),
    "transfer": ("In a collective after that, mean per iteration.", lambda rank: rank.transfer_s),
    "blamed": (
        "Rank-seconds that others waited for it, mean per iteration.",
        lambda rank: rank.blamed_s,
    ),
}


def _rank(rank: Rank) -> dict[str, object]:
    place = {"campus": rank.campus, "accelerator": rank.accelerator}
    return {"rank": rank.rank, "name": rank.name, **place}


def _gauge(name: str, help_text: str, samples: Sequence[tuple[Labels, float]]) -> list[str]:
    head = _head(name, "gauge", help_text)
    return [*head, *(f"longhaul_{name}{_labels(labels)} {value:.9g}" for labels, value in samples)]


def _quantiles(name: str, help_text: str, run: Labels, tail: Tail) -> list[str]:
    """A summary: nearest-rank quantiles that the samples support, sum and count."""
    lines = _head(name, "summary", help_text)
    for key, share in _QUANTILES.items():
        if key not in tail.notes:
            labels = _labels({**run, "quantile": share})
            lines.append(f"longhaul_{name}{labels} {tail.value(key):.9g}")
    lines.append(f"longhaul_{name}_sum{_labels(run)} {tail.mean_s * tail.count:.9g}")
    lines.append(f"longhaul_{name}_count{_labels(run)} {tail.count}")
    return lines


def _head(name: str, kind: str, help_text: str) -> list[str]:
    unit = next((one for one in ("seconds", "ratio") if name.endswith(f"_{one}")), "")
    said = [f"# UNIT longhaul_{name} {unit}"] if unit else []
    return [f"# TYPE longhaul_{name} {kind}", *said, f"# HELP longhaul_{name} {help_text}"]


def _labels(labels: Labels) -> str:
    inside = ",".join(f'{key}="{_escaped(value)}"' for key, value in labels.items())
    return f"{{{inside}}}"


def _escaped(value: object) -> str:
    return str(value).replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
