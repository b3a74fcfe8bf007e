"""The checks of a topology and of what runs on it, held against a run: `longhaul check`, and how labs are graded.

In: which run. Out: the ruling of each check. A run is made where a check asks for one; a live fabric is pinged where
one asks who reaches whom, a fresh one for each event that is in force meanwhile.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from analysis.checks.evidence import Echo, evidence
from analysis.checks.ruling import Ruling, is_at, rule
from longhaul.runs import life
from longhaul.runs.claims import claims_of
from longhaul.runs.interactive import FabricRequest
from longhaul.runs.life import Request
from longhaul.runs.live import opened
from scenario.errors import WrongInput
from scenario.text.diagnostics import Diagnostic, InvalidInput
from scenario.types.checks import PingClaim

MOST_PAIRS = 2_000
Hear = Callable[[dict[str, Any]], None]


@dataclass(frozen=True)
class Checked:
    """The rulings of all checks of one topology and its workloads. `run` is None where no check asked for a run."""

    file: Path
    run: Path | None
    rulings: tuple[Ruling, ...]

    @property
    def holds(self) -> bool:
        """Whether every check does."""
        return all(one.holds for one in self.rulings)


def check(request: Request, hear: Hear, run: Path | None = None) -> Checked:
    """Hold the checks against a run that is made for them, or against `run`, which has been. Raises InvalidInput,
    WrongInput where there are no checks, MachineError, FolderTaken, RunError."""
    topology, workloads = life.loaded(request)
    claims = claims_of(topology, workloads)
    if not claims:
        raise WrongInput(f"{request.topology}: neither it nor what runs on it has any `checks`")
    pings = [one for one in claims if isinstance(one, PingClaim)]
    campus_of = {host.name: campus.name for campus in topology.campuses for host in campus.hosts}
    pairs = pairs_of(pings, campus_of)
    if run is None and len(pings) < len(claims):
        run = life.run(request, hear)
    echoes = [one for asked in pairs.items() for one in _asked(request, *asked)]
    found = evidence(run, echoes, campus_of)
    return Checked(request.topology, run, tuple(rule(claims, found)))


Moment = tuple[str | None, float]
"""While which event is in force, and for how long it has been."""


def pairs_of(
    claims: Sequence[PingClaim], campus_of: dict[str, str]
) -> dict[Moment, list[tuple[str, str]]]:
    """Who is to ask whom, by when. Raises InvalidInput where they are too many."""
    found: dict[Moment, dict[tuple[str, str], None]] = {}
    for one in claims:
        sources = [host for host in campus_of if is_at(host, one.sources, campus_of)]
        sinks = [host for host in campus_of if is_at(host, one.sinks, campus_of)]
        pairs = {(a, b): None for a in sources for b in sinks if a != b}
        if not 0 < len(pairs) <= MOST_PAIRS:
            message = f"{len(pairs):,} pairs of hosts"
            wanted = f"1 to {MOST_PAIRS:,}"
            raise InvalidInput(
                [Diagnostic(one.file, one.line, one.column, message, one.name, "", wanted)]
            )
        found.setdefault((one.during, one.after_s), {}).update(pairs)
    return {moment: list(pairs) for moment, pairs in found.items()}


def _asked(request: Request, moment: Moment, pairs: Sequence[tuple[str, str]]) -> list[Echo]:
    """The echoes of a fresh fabric."""
    fabric = FabricRequest(
        request.topology, request.overrides, request.seed, request.time, request.machine,
        request.cpu, request.controller, request.rest, request.memory_bytes, request.root,
    )  # fmt: skip
    during, after_s = moment
    with opened(fabric) as net:
        if during:
            net.begin(during)
            net.sleep(after_s)
        return [Echo(a, b, net.echo_s(a, b), during, after_s) for a, b in pairs]
