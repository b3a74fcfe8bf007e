"""A plan whose long-haul links hold few packets says so, and what it says to do is enough."""

import re
from pathlib import Path

import pytest

from longhaul.planning import make_plan
from scenario.loading import load_topology
from scenario.plan.coarseness import ENOUGH_PACKETS, warning
from scenario.plan.types import Plan, packets_per_bdp

TOPOLOGIES = sorted((Path(__file__).parents[2] / "topologies").glob("*.yaml"))
METRO = next(path for path in TOPOLOGIES if path.stem == "metro")


def _plan(path: Path, *overrides: str) -> Plan:
    return make_plan(load_topology(path, overrides))


def _least(plan: Plan) -> float:
    return min(packets_per_bdp(link, plan.mtu_bytes) for link in plan.long_hauls())


@pytest.mark.parametrize("path", TOPOLOGIES, ids=lambda path: path.stem)
def test_there_is_a_warning_where_packets_are_few_and_only_there(path: Path) -> None:
    plan = _plan(path)
    few = any(packets_per_bdp(x, plan.mtu_bytes) < ENOUGH_PACKETS for x in plan.long_hauls())
    assert bool(warning(plan)) == few


@pytest.mark.parametrize("path", TOPOLOGIES, ids=lambda path: path.stem)
def test_each_remedy_is_enough_and_not_much_more(path: Path) -> None:
    said = warning(_plan(path)) or ""
    for remedy in re.findall(r"(?:--set [a-z.]+=[0-9]+ ?)+", said):
        mended = _plan(path, *re.findall(r"--set (\S+)", remedy))
        assert ENOUGH_PACKETS <= _least(mended) < 1.15 * ENOUGH_PACKETS
        assert warning(mended) is None


def test_many_links_are_counted_and_not_all_named() -> None:
    assert "north-east, north-east-2, east-south and 2 more" in (warning(_plan(METRO)) or "")


def test_a_link_too_short_for_any_scale_is_said_to_be() -> None:
    two_hosts = METRO.with_name("two-hosts.yaml")
    plan = _plan(two_hosts, "links.c1-c2.distance=10m", "links.c1-c2.rate=1Gbit/s")
    assert (warning(plan) or "").endswith("No scale reaches that on a link so short or so slow.")
