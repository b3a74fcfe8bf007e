"""The fabrics and the workload that are measured, written as the YAML files that a user would write."""

from __future__ import annotations

from pathlib import Path

CAMPUSES = 3
HOSTS_PER_LEAF = 8
NIC_BPS = 1.6e12  # of a GB200 host: four GPUs of 400 Gbit/s

_TOPOLOGY = """\
longhaul: 1
name: bench-{hosts}
scale: {{bytes: {scale:g}}}
mtu: 9000
templates:
  campus:
    fabric: {{kind: leaf-spine, leaves: {leaves}, spines: 1, uplink: 1.6Tbit/s, link-delay: 0.5us}}
    hosts: [{{name: gb, count: {count}, accelerator: GB200}}]
campuses:
  c1: {{template: campus}}
  c2: {{template: campus}}
  c3: {{template: campus}}
links:
  c1-c2: {{between: [c1, c2], distance: 10mi, rate: 1.6Tbit/s}}
  c2-c3: {{between: [c2, c3], distance: 10mi, rate: 1.6Tbit/s}}
"""
_WORKLOAD = """\
longhaul: 1
name: bench
kind: training
model: {{parameters: 3.5e9, dtype: bf16}}
batch: {{tokens: 64Ki}}
iterations: {iterations}
warmup: 1
collective: {{op: all_reduce, algorithm: ring, verify: false}}
"""


def write_topology(folder: Path, hosts: int, nic_bps: float) -> Path:
    """Three campuses in a line, ten miles apart, with one spine each: no loop, so that Mininet's own
    learning switches can carry it. `nic_bps` is the emulated rate of a host's NIC."""
    count = hosts // CAMPUSES
    leaves = -(-count // HOSTS_PER_LEAF)
    path = folder / f"{hosts}-hosts-{nic_bps / 1e6:g}-mbps.yaml"
    scale = NIC_BPS / nic_bps
    path.write_text(_TOPOLOGY.format(hosts=hosts, scale=scale, leaves=leaves, count=count))
    return path


def write_workload(folder: Path, iterations: int) -> Path:
    """Little compute, then one ring all-reduce of 7 GB (before scaling), so many times over."""
    path = folder / "workload.yaml"
    path.write_text(_WORKLOAD.format(iterations=iterations))
    return path
