"""A plan as tables for people. (For programs: `longhaul plan --format json`.)"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from analysis import units
from analysis.findings.collisions import collisions as of_workload
from analysis.terminal.collisions import print_collisions
from scenario.plan.coarseness import ENOUGH_PACKETS, warnings
from scenario.plan.proportion import Proportion, says
from scenario.plan.types import Plan, packets_per_bdp


def show(plan: Plan, console: Console, proportion: Proportion | None = None) -> None:
    """Print hosts, long-haul links and routes per switch."""
    scale = f"payloads and rates ÷ {plan.scale_bytes:g}, MTU {plan.mtu_bytes}"
    console.print(Text.assemble((plan.name, "bold"), f": {plan.description}\n{scale}\n"))
    for table in (hosts(plan), long_hauls(plan), switches(plan)):
        console.print(table)
    if proportion:
        console.print(says(proportion))
    for found in warnings(plan):
        console.print(f"warning: {found}", style="yellow")


def collisions(workloads: Iterable[dict[str, Any]], console: Console) -> None:
    """Print which big connections of workloads, as `plan.json` has them, would share a way."""
    for workload in workloads:
        if found := of_workload(workload):
            console.print(Text(f"{workload['name']}:"))
            print_collisions(found, console)


def hosts(plan: Plan) -> Table:
    """One row per host, in rank order."""
    table = Table("rank", "host", "leaf", "address", "accelerator", "NIC", title="Hosts")
    for host in plan.hosts:
        table.add_row(
            str(host.rank), host.name, host.leaf, host.ip,
            f"{host.gpus} x {host.accelerator}", units.rate(host.nic_bps),
        )  # fmt: skip
    return table


def long_hauls(plan: Plan) -> Table:
    """One row per long-haul link. Few packets per BDP: windows move in coarse steps."""
    table = Table(
        "link", "one-way delay", "rate", "loss", "queue", "packets per BDP",
        title="Long-haul links (a to b)",
    )  # fmt: skip
    for name, members in plan.bundles().items():
        link = members[0]
        packets = packets_per_bdp(link, plan.mtu_bytes)
        several = f"{len(members)} x " if len(members) > 1 else ""
        table.add_row(
            name,
            units.time(link.a.shape.delay_s, 4),
            several + units.rate(link.a.shape.rate_bps),
            f"{link.a.shape.loss:.2g}",
            f"{link.a.shape.limit_packets} packets",
            f"{packets:.1f}" + (" (few)" if packets < ENOUGH_PACKETS else ""),
        )
    return table


def switches(plan: Plan) -> Table:
    """One row per switch, with the number of its rules."""
    table = Table("switch", "role", "prefix", "rules", title="Switches")
    rules = Counter(rule.switch for rule in plan.rules)
    for switch in plan.switches:
        table.add_row(switch.name, switch.role, switch.prefix, str(rules[switch.name]))
    return table
