"""What the controller knows, as plain data for the northbound API: switches and links, routes, differences.

Each view looks at the application between two of its orders, so it never sees half a change.
"""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from controller.routed import Routed
from controller.switches import ConnectedSwitch
from scenario.plan.types import PlannedWire

Data = dict[str, Any]


def topology(routed: Routed) -> Data:
    """Switches with their ports; the links between them, as planned and as they are; and every port at
    which LLDP was heard, with who was heard there."""
    return {
        "name": routed.plan.name,
        "switches": [_switch(routed, name) for name in routed.names.values()],
        "links": [link(routed, name) for name in routed.between],
        "heard": [
            {"switch": at[0], "port": at[1], "from": {"switch": sender[0], "port": sender[1]}}
            for at, sender in sorted(routed.discovery.heard_at.items())
        ],
    }


def _switch(routed: Routed, name: str) -> Data:
    ends = [
        (near, far, planned.name)
        for planned in routed.plan.wires
        for near, far in (planned.ends, planned.ends[::-1])
        if near.node == name
    ]
    return {
        "name": name,
        "connected": name in routed.switches,
        "ports": [
            {
                "port": near.port,
                "interface": near.interface,
                "link": of,
                "towards": far.node,
                "up": near.interface not in routed.down,
            }
            for near, far, of in ends
        ],
    }


def link(routed: Routed, name: str) -> Data:
    """One link between switches. `discovered` is whether both its ends have heard each other, `used`
    whether the present routes may lead over it, `state` what somebody has asked for. Raises KeyError."""
    planned = routed.between[name]
    return {
        "name": name,
        "kind": planned.kind,
        "ends": [
            {"switch": end.node, "port": end.port, "interface": end.interface}
            for end in planned.ends
        ],
        "up": routed.whole(planned),
        "discovered": _discovered(routed, planned),
        "used": name not in routed.avoided,
        "state": "avoid" if name in routed.drained else "use",
    }


def _discovered(routed: Routed, planned: PlannedWire) -> bool:
    a, b = ((end.node, end.port) for end in planned.ends)
    heard = routed.discovery.heard_at
    return heard.get(a) == b and heard.get(b) == a


def routes(routed: Routed) -> Data:
    """The policy, and by switch the rules and groups of the present generation."""
    tables = {name: routed.tables.of(name) for name in routed.names.values()}
    return {
        "policy": routed.plan.routing.policy,
        "protection": routed.plan.routing.protection,
        "generation": routed.generation,
        "avoided": sorted(routed.avoided),
        "switches": {
            name: {
                "rules": [asdict(rule) | {"priority": rule.priority} for rule in own.rules],
                "groups": [asdict(group) for group in own.groups],
            }
            for name, own in tables.items()
        },
    }


def differences(routed: Routed) -> Data:
    """What is otherwise than planned, a line each; links that are down are no difference."""
    return {"differences": routed.differences()}


def connected(routed: Routed) -> list[ConnectedSwitch]:
    """The switches that are connected, in the plan's order."""
    return [routed.switches[name] for name in routed.names.values() if name in routed.switches]
