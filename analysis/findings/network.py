"""What the network did meanwhile: queues that overflowed, packets that were lost, and what that cost.

In: a run with its `telemetry.parquet`. Out: every switch port that dropped packets as an observed incident, with its
cost. An iteration is charged to a port only on evidence: while the port dropped packets, a message that crosses it and
that the iteration waited for took longer than usual; or one whose acknowledgements cross it, if TCP sent some of it
again. It is charged with no more than that; a straggler is not.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from analysis.findings.again import SentAgain
from analysis.findings.critical import critical_path
from analysis.findings.incidents import Cost, Incident, beyond_usual, incidents
from analysis.findings.incidents import costs as planned_costs
from analysis.findings.stalls import iterations
from analysis.findings.tail import nearest_rank
from analysis.form.training import LOSS, OVERFLOW
from analysis.run import Run
from analysis.tables import NS, read_table
from scenario.plan.losses import by_chance

FILE = "telemetry.parquet"
NEEDED = ("interface", "kind", "t_ns", "utilisation", "queue_packets", "drops", "marked")
CHANCE = 1e-6
"""How improbable as many drops must be as the link's own loss, for a queue to have overflowed."""
Span = tuple[int, int]
Pair = tuple[int, int]


@dataclass(frozen=True)
class SwitchPort:
    """A switch port: who it belongs to, who it leads to, and what it was planned to be.

    `ends` are the campuses that a long-haul link joins, in the port's direction; None of other ports.
    """

    interface: str
    node: str
    towards: str
    link: str
    kind: str
    campus: str
    ends: tuple[str, str] | None
    limit_packets: int
    loss: float
    correlation: float

    @property
    def name(self) -> str:
        """c3→c1; inside a campus its two ends."""
        return "→".join(self.ends or (self.node, self.towards))


def samples(run_dir: Path) -> pl.DataFrame | None:
    """The samples of a run's switch ports, as docs/routing.md has them; None where there are none."""
    path = Path(run_dir) / FILE
    if not path.is_file():
        return None
    return read_table(path, *NEEDED).filter(pl.col("kind") != "probe")


def ports(plan: Mapping[str, Any]) -> dict[str, SwitchPort]:
    """A plan's switch ports by interface."""
    campus = {switch["name"]: one["name"] for one in plan["campuses"] for switch in one["switches"]}
    found = {}
    for wire in plan.get("wires", ()):
        for near, far in ((wire["a"], wire["b"]), (wire["b"], wire["a"])):
            if near["port"]:
                long_haul = wire["kind"] == "long-haul"
                found[near["interface"]] = SwitchPort(
                    interface=near["interface"],
                    node=near["node"],
                    towards=far["node"],
                    link=wire["name"],
                    kind=wire["kind"],
                    campus=campus[near["node"]],
                    ends=(campus[near["node"]], campus[far["node"]]) if long_haul else None,
                    limit_packets=near["shape"]["limit_packets"],
                    loss=near["shape"]["loss"],
                    correlation=near["shape"]["loss_correlation"],
                )
    return found


def observed(run: Run) -> list[tuple[SwitchPort, Incident]]:
    """The ports that dropped packets after the warm-up, with when they did; overflows apart from losses.

    What a port drops while an event of the timeline is in force on its link is that event's.
    """
    found = samples(run.path)
    if found is None:
        return []
    known = ports(run.plan)
    planned = incidents(run)
    begin_ns = int(iterations(run)["begin_ns"][0])
    rows: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for row in _dropping(found.filter(pl.col("interface").is_in(list(known))), begin_ns):
        port = known[row["interface"]]
        if not any(_strikes(one, port, row["since_ns"], row["t_ns"]) for one in planned):
            rows.setdefault((port.interface, _why(port, row)), []).append(row)
    return [(known[name], _incident(known[name], why, some)) for (name, why), some in rows.items()]


def happened(run: Run) -> list[Cost]:
    """All that happened, and what it cost: the timeline's events, then what was seen."""
    return [*planned_costs(run), *costs(run)]


def costs(run: Run) -> list[Cost]:
    """What each observed incident cost, in the order in which they first happened."""
    found = observed(run)
    if not found:
        return []
    rows = iterations(run)
    took = dict(rows.select("iteration", "duration_ns").iter_rows())
    touched = {one: _touched(one, rows) for _, one in found}
    planned = {n for one in incidents(run) for n in _touched(one, rows)}
    quiet = [n for n in took if n not in planned.union(*touched.values())]
    if not quiet:
        return [Cost(one, touched[one], 0, None) for _, one in found]
    charged = _charged(run, found, touched, quiet, planned)
    longest = max(took[n] for n in quiet)
    made = [
        Cost(
            one,
            touched[one],
            sum(took[n] > longest for n in charged[one]),
            sum(charged[one].values()) * NS,
        )
        for _, one in found
    ]
    return sorted(made, key=lambda cost: cost.incident.spans_ns)


def crossing(run: Run) -> dict[tuple[str, str, str], set[tuple[str, str]]]:
    """Which pairs of campuses send over a link in a direction: (link, from, to) -> (source, sink)."""
    ends = {link["name"]: (link["a"], link["b"]) for link in run.plan["links"]}
    found: dict[tuple[str, str, str], set[tuple[str, str]]] = {}
    for way in run.plan["ways"]:
        for path in way["paths"]:
            here = way["source"]
            for link in path["links"]:
                a, b = ends[link]
                there = b if here == a else a
                found.setdefault((link, here, there), set()).add((way["source"], way["sink"]))
                here = there
    return found


def _dropping(found: pl.DataFrame, begin_ns: int) -> Iterator[dict[str, Any]]:
    """The samples before which a port had dropped something: how much since the one before, of how many."""
    since = {name: pl.col(name).diff().over("interface") for name in ("drops", "tx_packets")}
    fuller = pl.max_horizontal("queue_packets", pl.col("queue_packets").shift().over("interface"))
    yield from (
        found.sort("interface", "t_ns")
        .with_columns(
            **since, since_ns=pl.col("t_ns").shift().over("interface"), queue_packets=fuller
        )
        .filter(pl.col("drops") > 0, pl.col("t_ns") > begin_ns)
        .sort("t_ns", "interface")
        .iter_rows(named=True)
    )


def _strikes(one: Incident, port: SwitchPort, begin_ns: int, end_ns: int) -> bool:
    """Whether an event was in force, of which a port's drops may come."""
    elsewhere = bool(one.links and port.ends) and port.link not in one.links
    return not elsewhere and one.touches(begin_ns, end_ns)


def _why(port: SwitchPort, row: Mapping[str, Any]) -> str:
    """Overflow, unless the link's own loss explains as many."""
    if not port.loss:
        return OVERFLOW
    expected = port.loss * (row["tx_packets"] + row["drops"])
    return LOSS if row["drops"] <= by_chance(expected, port.correlation, CHANCE)[1] else OVERFLOW


def _incident(port: SwitchPort, why: str, rows: Sequence[Mapping[str, Any]]) -> Incident:
    """An observed incident, from the samples of one port."""
    packets = sum(row["drops"] for row in rows)
    count = f"{packets} packet{'' if packets == 1 else 's'}"
    if why == LOSS:
        name, says = f"{port.name} lost packets", f"{count} lost on the link"
    else:
        most = max(row["queue_packets"] for row in rows)
        name = f"{port.name} overflowed"
        limit = f" of {port.limit_packets}" if port.limit_packets else ""
        says = f"{count} dropped, up to {most}{limit} seen in the queue"
    return Incident(
        name=name,
        kind=why,
        says=says,
        spans_ns=tuple(_merged((row["since_ns"], row["t_ns"]) for row in rows)),
        links=(port.link,) if port.ends else (),
        hosts=(port.towards,) if port.kind == "host" else (),
    )


def _merged(spans: Iterator[Span]) -> Iterator[Span]:
    """Ascending spans, those that touch as one."""
    begin, end = next(spans)
    for following in spans:
        if following[0] > end:
            yield begin, end
            begin = following[0]
        end = following[1]
    yield begin, end


def _touched(one: Incident, rows: pl.DataFrame) -> tuple[int, ...]:
    return tuple(n for n, begin, end, _ in rows.iter_rows() if one.touches(begin, end))


def _charged(
    run: Run,
    found: Sequence[tuple[SwitchPort, Incident]],
    touched: Mapping[Incident, Sequence[int]],
    quiet: Sequence[int],
    planned: set[int],
) -> dict[Incident, dict[int, float]]:
    """Nanoseconds by incident and iteration: an iteration's excess, as far as late messages explain it."""
    took = dict(iterations(run).select("iteration", "duration_ns").iter_rows())
    usual_ns = nearest_rank(sorted(took[n] for n in quiet), 0.5)
    late = _Late(run, quiet)
    charged: dict[Incident, dict[int, float]] = {one: {} for _, one in found}
    for number in sorted({n for some in touched.values() for n in some} - planned):
        seen = {one: late.through(port, one, number) for port, one in found}
        whole, most = sum(seen.values()), max(seen.values())
        excess = min(took[number] - usual_ns, most)
        for one, ns in seen.items() if excess > 0 else ():
            charged[one][number] = excess * ns / whole
    return {one: {n: ns for n, ns in some.items() if ns} for one, some in charged.items()}


class _Late:
    """The slowest message of each pair of ranks and iteration, where it took longer than usual and the iteration
    waited for it: its pair, its window, and by how much."""

    def __init__(self, run: Run, quiet: Sequence[int]) -> None:
        self._crossing = crossing(run)
        self._again = SentAgain.of(run.path)
        ranks = run.ranks.select("rank", "name", "campus")
        self._name = {rank: name for rank, name, _ in ranks.iter_rows()}
        self._campus = {rank: campus for rank, _, campus in ranks.iter_rows()}
        waited = {
            (number, peer, rank)
            for number, kind, rank, peer, *_ in critical_path(run).iter_rows()
            if kind in {"wire", "send"}
        }
        self._messages: dict[int, list[tuple[Pair, Span, int]]] = {}
        for number, src, dst, excess, begin, end in _slowest(run, quiet).iter_rows():
            if (number, src, dst) in waited:
                row = ((src, dst), (begin, end), excess)
                self._messages.setdefault(number, []).append(row)

    def through(self, port: SwitchPort, one: Incident, iteration: int) -> int:
        """The largest excess, nanoseconds, of a message that a port may have held up: it was under way while the port
        dropped packets, and it or its acknowledgements crossed it."""
        return max(
            (
                excess
                for pair, (begin, end), excess in self._messages.get(iteration, ())
                if one.touches(begin, end)
                and (self._crosses(pair, port) or self._unheard(pair, (begin, end), port))
            ),
            default=0,
        )

    def _unheard(self, pair: Pair, span: Span, port: SwitchPort) -> bool:
        """Whether a message's acknowledgements may have been lost at a port: they cross it, and TCP sent again."""
        src, dst = pair
        return self._crosses((dst, src), port) and self._again.during(
            self._name[src], self._name[dst], *span
        )

    def _crosses(self, pair: Pair, port: SwitchPort) -> bool:
        """Whether a message may have left a switch by that port: surely at a host's and on a long-haul link, else
        if it begins or ends in the port's campus."""
        src, dst = pair
        campuses = (self._campus[src], self._campus[dst])
        if port.ends:
            return campuses in self._crossing.get((port.link, *port.ends), set())
        if port.kind == "host":
            return bool(self._name[dst] == port.towards)
        return port.campus in campuses


def _slowest(run: Run, quiet: Sequence[int]) -> pl.DataFrame:
    """Per iteration and pair of ranks: by how much its slowest message was slower than usual (> 0), and when."""
    pair = ["iteration", "src", "dst"]
    longest = run.messages.group_by(pair).agg(ns=pl.col("transfer_ns").max())
    late = beyond_usual(longest, ["src", "dst"], quiet).filter(~pl.col("iteration").is_in(quiet))
    slowest = (
        run.messages.filter(pl.col("iteration").is_in(late["iteration"].unique().to_list()))
        .sort("transfer_ns", descending=True)
        .group_by(pair, maintain_order=True)
        .agg(pl.col("transfer_ns", "end_ns").first())
    )
    begin = (pl.col("end_ns") - pl.col("transfer_ns")).alias("begin_ns")
    return late.join(slowest, on=pair).select("iteration", "src", "dst", "excess", begin, "end_ns")
