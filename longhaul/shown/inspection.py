"""What a topology elaborates into, and what a run folder holds: `longhaul inspect` prints what is made here.

A topology is shown in the real world's figures, before anything is scaled; for the emulated ones there is
`longhaul plan`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any, TypeVar

from rich.console import Console
from rich.table import Table

from analysis import units
from analysis.errors import RunError
from analysis.form.benchmark import FILE as BENCHMARK
from analysis.form.files import plain
from analysis.form.summary import FILE as SUMMARY
from analysis.form.summary import Summary, TrainingSummary, read_summary
from analysis.pictures.arcs import aged
from analysis.pictures.graphs import hosts_in_words
from analysis.pictures.when import when
from analysis.run import read_manifest, read_timeline
from analysis.terminal.tables import table
from longhaul.runs.flows import FILE as FLOWS
from longhaul.runs.flows import busiest as busiest_rules
from longhaul.runs.telemetry import FILE as TELEMETRY
from longhaul.runs.telemetry import busiest
from scenario.types.impairments import IMPAIRMENTS
from scenario.types.topology import Campus, Host, Topology

Data = dict[str, Any]
T = TypeVar("T")
MARKS = ("manifest.json", "plan.json", "job.json", "logs")
"""A folder that has any of these is, or was to be, a run's."""


# --- topologies ----------------------------------------------------------------------------------


def topology_json(topology: Topology) -> Data:
    """All of it as plain data, in SI units."""
    return {"kind": "topology"} | asdict(topology)


def print_topology(topology: Topology, out: Console) -> None:
    """Campuses, hosts by group, long-haul links with what aging has made of them, the timeline."""
    out.print(f"{topology.name}: {topology.description}", style="bold")
    out.print(_campuses(topology))
    out.print(_hosts(topology))
    if topology.links:
        out.print(_links(topology))
        routing = topology.routing
        out.print(f"Routed by {routing.policy}, protected by {routing.protection}.")
    if topology.timeline:
        out.print(_timeline(topology))


def _campuses(topology: Topology) -> Table:
    made = _table("Campuses", "name", "site", "fabric", "switches", "border", "hosts")
    for campus in topology.campuses:
        hosts = hosts_in_words(
            {"hosts": [{"accelerator": h.accelerator.name} for h in campus.hosts]}
        )
        switches = str(len(campus.switches))
        made.add_row(campus.name, campus.site, campus.kind, switches, campus.border, hosts)
    return made


def _hosts(topology: Topology) -> Table:
    made = _table("Hosts", "names", "GPUs", "TFLOP/s", "MFU", "network", "NVLink", "slowdown")
    for campus in topology.campuses:
        for group in _groups(campus):
            first, chip = group[0], group[0].accelerator
            made.add_row(
                first.name if len(group) == 1 else f"{first.name}…{_number(group[-1])}",
                f"{first.gpus} x {chip.name}",
                f"{chip.peak_flops / 1e12:g}",
                units.percent(chip.mfu),
                units.rate(first.nic_bps),
                units.throughput(first.intra_Bps),
                _range([host.slowdown for host in group]),
            )
    return made


def _groups(campus: Campus) -> Iterator[list[Host]]:
    """Hosts of one group that are alike but for their slowdown, in their order."""
    alike: dict[tuple[object, ...], list[Host]] = {}
    for host in campus.hosts:
        key = (host.group, host.accelerator, host.gpus, host.nic_bps, host.intra_Bps)
        alike.setdefault(key, []).append(host)
    yield from alike.values()


def _number(host: Host) -> str:
    return host.name.rpartition("-")[2]


def _range(values: list[float]) -> str:
    ends = dict.fromkeys(f"{value:.3g}" for value in (min(values), max(values)))
    return "…".join(ends)


def _links(topology: Topology) -> Table:
    """A row per link, or per direction where the two differ."""
    made = _table(
        "Long-haul links", "name", "way", "length", "age", "one way", "rate", "loss", "more"
    )
    for link in topology.links:
        ways = [(link.a, link.b, link.forward), (link.b, link.a, link.backward)]
        alike = link.forward == link.backward
        for a, b, way in ways[: 1 if alike else 2]:
            made.add_row(
                link.name, f"{a} {'↔' if alike else '→'} {b}",
                units.distance(link.distance_m).partition(" (")[0], aged(asdict(link)),
                units.time(way.delay_s, 4), units.rate(way.rate_bps), units.ratio(way.loss),
                ", ".join((*_made(asdict(link)), *_more(asdict(way)))),
            )  # fmt: skip
    return made


def _made(link: Data) -> Iterator[str]:
    """What its equipment is like."""
    if link["generation"]:
        yield f"of {link['generation']}"
    if link["members"] > 1:
        yield f"{link['members']} members"
    if link["noticed_s"]:
        yield f"noticed after {units.time(link['noticed_s'])}"


def _more(way: Data) -> Iterator[str]:
    """The rarer things that a direction does."""
    if way["jitter_s"]:
        yield f"jitter {units.time(way['jitter_s'])}"
    for key in IMPAIRMENTS:
        if key not in ("jitter_s", "loss") and way[key]:
            yield f"{key.replace('_', '-')} {units.ratio(way[key])}"
    if way["queue_bytes"]:
        yield f"queue {units.size(way['queue_bytes'])}"


def _timeline(topology: Topology) -> Table:
    made = _table("Timeline", "name", "event", "what", "when")
    for event in topology.timeline:
        made.add_row(event.name, event.kind, event.says, when(asdict(event.timing)))
    return made


# --- run folders ---------------------------------------------------------------------------------


def is_run(folder: Path) -> bool:
    """Whether a folder is, or was to be, a run's."""
    return any((folder / mark).exists() for mark in MARKS)


def run_json(folder: Path) -> Data:
    """What ran, where, what came of it, and the files. A run that died has no `verdict`.

    Raises RunError where a file is damaged, or of another version.
    """
    finished = any((folder / name).exists() for name in (SUMMARY, BENCHMARK))
    summary = read_summary(folder) if (folder / SUMMARY).exists() else None
    manifest = _left(read_manifest, folder, finished=finished)
    names = sorted(path for path in folder.rglob("*") if path.is_file())
    return {
        "kind": "run",
        "folder": str(folder),
        "state": "finished" if finished else "not finished",
        "manifest": manifest,
        "verdict": _verdict(summary) if summary else None,
        "events": plain(_left(read_timeline, folder, finished=finished) or []),
        "ports": busiest(folder).to_dicts() if (folder / TELEMETRY).exists() else [],
        "rules": busiest_rules(folder).to_dicts() if (folder / FLOWS).exists() else [],
        "files": [
            {"name": str(path.relative_to(folder)), "bytes": path.stat().st_size} for path in names
        ],
    }


def print_run(folder: Path, out: Console) -> None:
    """The same for people."""
    run = run_json(folder)
    facts = _table("Run", "what", "value")
    for name, value in _facts(run):
        facts.add_row(name, value)
    out.print(facts)
    if run["ports"]:
        out.print(_ports(run["ports"]))
    if run["rules"]:
        out.print(_rules(run["rules"]))
    files = _table("Files", "name", "size")
    for file in run["files"]:
        files.add_row(file["name"], units.size(file["bytes"]))
    out.print(files)


def _ports(ports: list[Data]) -> Table:
    """The switch ports that were busiest."""
    made = _table("Busiest ports", "port", "towards", "sent", "mean", "peak", "dropped", "queue")
    for port in ports:
        made.add_row(
            port["interface"], port["towards"], units.size(port["tx_bytes"]),
            f"{port['mean_utilisation']:.1%}", f"{port['peak_utilisation']:.1%}",
            f"{port['drops']} packets", f"{port['queue_packets']} packets",
        )  # fmt: skip
    return made


def _rules(rules: list[Data]) -> Table:
    """The switches' rules that carried most."""
    made = _table("Busiest rules", "switch", "destination", "label", "DSCP", "carried", "packets")
    for rule in rules:
        dscp = "" if rule["dscp"] is None else str(rule["dscp"])
        made.add_row(
            rule["node"], rule["destination"] or rule["match"] or "any", rule["label"] or "", dscp,
            units.size(rule["bytes"]), str(rule["packets"]),
        )  # fmt: skip
    return made


def _left(read: Callable[[Path], T], folder: Path, *, finished: bool) -> T | None:
    """What a file of the folder says; None where a run that died left it missing, or half written."""
    try:
        return read(folder)
    except RunError:
        if finished:
            raise
        return None


def _verdict(summary: Summary) -> Data:
    """What came of it, in short."""
    found: Data = {
        "headline": summary.headline,
        "faithful": summary.faithful,
        "digest": summary.digest,
    }
    if isinstance(summary, TrainingSummary):
        found["world_size"] = summary.world_size
        found["iterations"] = plain(summary.iterations)
        found["collective"] = plain(summary.collective)
    return found


def _facts(run: Data) -> Iterator[tuple[str, str]]:
    manifest, verdict = run["manifest"], run["verdict"]
    yield "state", run["state"]
    if manifest:
        command, inputs, overrides, seed, time, machine, kernel = (
            _said(manifest.get(key))
            for key in ("command", "inputs", "overrides", "seed", "time", "machine", "kernel")
        )
        yield "command", command
        yield "inputs", inputs
        yield "overrides", overrides or "none"
        yield "seed", seed
        yield "where", f"{time} time, {machine}, kernel {kernel}"
    if verdict:
        yield "verdict", "faithful" if verdict["faithful"] else "UNFAITHFUL"
        yield "in a word", verdict["headline"]
        yield "digest", verdict["digest"]
    if run["events"]:
        names = dict.fromkeys(event["name"] for event in run["events"])
        yield "events", f"{len(run['events'])}: {', '.join(names)}"


def _said(value: object) -> str:
    """What a manifest says, which may be somebody else's: of several things a line each."""
    if isinstance(value, list | dict):
        return "\n".join(map(str, value))
    return "not said" if value is None else str(value)


def _table(title: str, *columns: str) -> Table:
    """A table of words whose first column is never broken."""
    made = table(title, *columns, text=len(columns))
    made.columns[0].no_wrap = True
    return made
