"""The frames that the controller sends and hears itself: LLDP from switch to switch, ARP from hosts.

[IEEE 802.1AB; RFC 826] Somebody else's frame, or a broken one, is None.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from controller import base
from scenario.plan.rules import GATEWAY_MAC

LLDP, ARP = 0x88CC, 0x0806
TIME_TO_LIVE_S = 120
_ETHERNET_BYTES, _ARP_BYTES = 14, 28

Place = tuple[str, int]
"""A switch and a port."""


def lldp(source: str, switch: str, port: int) -> bytes:
    """The frame that says which switch and port it left by. `source` is a MAC address."""
    said = base.lldp
    local = said.ChassisID.SUB_LOCALLY_ASSIGNED
    parts = [
        said.ChassisID(subtype=local, chassis_id=switch.encode()),
        said.PortID(subtype=said.PortID.SUB_LOCALLY_ASSIGNED, port_id=str(port).encode()),
        said.TTL(ttl=TIME_TO_LIVE_S),
        said.End(),
    ]
    header = base.ethernet.ethernet(said.LLDP_MAC_NEAREST_BRIDGE, source, LLDP)
    return _frame(header, said.lldp(parts))


def sender_of(frame: bytes) -> Place | None:
    """The switch and port that an LLDP frame of ours names; None for somebody else's."""
    found, _, _ = base.lldp.lldp.parser(frame[_ETHERNET_BYTES:])
    if found is None:
        return None
    chassis, port = found.tlvs[:2]
    local = (base.lldp.ChassisID.SUB_LOCALLY_ASSIGNED, base.lldp.PortID.SUB_LOCALLY_ASSIGNED)
    if (chassis.subtype, port.subtype) != local or not port.port_id.isdigit():
        return None
    return chassis.chassis_id.decode(errors="replace"), int(port.port_id)


@dataclass(frozen=True)
class Asked:
    """An ARP request: who asks (MAC and IPv4 address), and for which address."""

    mac: str
    ip: str
    wanted: str


def asked(frame: bytes) -> Asked | None:
    """What an ARP frame asks; None for anything but a request."""
    if len(frame) < _ETHERNET_BYTES + _ARP_BYTES:
        return None
    found, _, _ = base.arp.arp.parser(frame[_ETHERNET_BYTES:])
    if found.opcode != base.arp.ARP_REQUEST:
        return None
    return Asked(found.src_mac, found.src_ip, found.dst_ip)


def answer(request: Asked) -> bytes:
    """The gateway answers for every address: all traffic is routed."""
    header = base.ethernet.ethernet(request.mac, GATEWAY_MAC, ARP)
    body = base.arp.arp_ip(base.arp.ARP_REPLY, GATEWAY_MAC, request.wanted, request.mac, request.ip)
    return _frame(header, body)


def ethertype(frame: bytes) -> int:
    """Of an untagged Ethernet frame."""
    return int.from_bytes(frame[12:14], "big")


def _frame(header: Any, body: Any) -> bytes:
    """The two as one frame; the header pads what is too short."""
    payload = bytearray(body.serialize(None, None))
    return bytes(header.serialize(payload, None) + payload)
