"""What a workload of probes is once read: frozen, validated, in SI units."""

from __future__ import annotations

from dataclasses import dataclass

from scenario.types.topology import Workload


@dataclass(frozen=True, kw_only=True)
class Probing(Workload):
    """Small datagrams over long-haul links, both ways, one every `interval_s` on each.

    `links` are names or patterns of long-haul links. Runs beside others, between the campuses' probes.
    """

    kind = "probes"
    exclusive = False

    links: tuple[str, ...]
    interval_s: float
