"""A plan's graph built by Mininet as shipped, inside a guest: what longhaul's start-up is compared with.

    python -m bench.shipped RUN     (as the payload of a guest; RUN/plan.json says what to build)

The graph, the names and the addresses are the plan's. All else is Mininet's own: a shell per node,
`Host`, `OVSSwitch`, `TCLink`, default start. Its switches learn by themselves, so the graph must
have no loops. The progress says `pingable` when the first host has had an answer from the last.
"""

from __future__ import annotations

import json
import sys
import traceback
from pathlib import Path

from mininet.link import TCLink
from mininet.log import setLogLevel
from mininet.net import Mininet
from mininet.node import OVSSwitch

from longhaul.emulation.openvswitch import open_vswitch
from longhaul.inside.stage import STATE, tell
from scenario.plan.types import Plan, PlannedWire, from_json

MOST_MBPS = 1000.0
"""Mininet's TCIntf takes no more: above it, it complains and does not limit. [mininet/link.py]"""


def main(folder: Path) -> None:
    """Build and start the network of a run folder, and ping across it."""
    plan = from_json(json.loads((folder / "plan.json").read_text()))
    try:
        with open_vswitch(STATE / "ovs", folder / "logs" / "openvswitch.log"):
            ping_across(started(plan), plan, folder)
    except Exception:
        tell(folder, crashed=traceback.format_exc())


def started(plan: Plan) -> Mininet:
    """The network, described node by node as Mininet's users do, and started."""
    setLogLevel("warning")
    net = Mininet(switch=OVSSwitch, link=TCLink, controller=None)
    for host in plan.hosts + plan.probes:
        net.addHost(host.name, ip=f"{host.ip}/8", mac=host.mac)
    for switch in plan.switches:
        net.addSwitch(switch.name, dpid=f"{switch.dpid:016x}", failMode="standalone")
    for link in plan.wires:
        net.addLink(link.a.node, link.b.node, **shape(link))
    net.start()
    return net


def shape(link: PlannedWire) -> dict[str, object]:
    """A link's rate (Mbit/s) and one-way delay as TCLink takes them."""
    mbps = min(link.a.shape.rate_bps / 1e6, MOST_MBPS)
    return {"bw": mbps, "delay": f"{link.a.shape.delay_s * 1e6:g}us"}


def ping_across(net: Mininet, plan: Plan, folder: Path) -> None:
    """Say what came of one echo from the first host to the last."""
    source, sink = plan.hosts[0], plan.hosts[-1]
    said = net[source.name].cmd(f"ping -c 1 -W 5 {sink.ip}")
    tell(folder, host=source.name, line=said)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
