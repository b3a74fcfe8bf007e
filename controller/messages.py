"""Rules and groups of the plan as messages of OpenFlow 1.5.

Every rule carries its generation in its cookie, so that what is stale can be told from what is not
by whoever comes later, a controller that was started anew among them.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Any

from scenario.plan.rules import COOKIE, Bucket, Group, Rule

ETHERTYPE_IPV4 = 0x0800
_NETRONOME, _SELECTION_METHOD = 0x0000154D, 1
_PROPERTY = struct.Struct("!HHII4x16sQ")
_OPENFLOW_BASIC = 0x8000
_HASHED = {"ipv4_src": (11, 4), "ipv4_dst": (12, 4), "ip_proto": (10, 1), "tcp_src": (13, 2),
           "tcp_dst": (14, 2), "udp_src": (15, 2), "udp_dst": (16, 2)}  # fmt: skip
"""Number and length of the fields that are hashed. [OpenFlow 1.5.1, 7.2.3.8]"""


def generation_of_group(number: int) -> int:
    """The generation that a group's number holds."""
    return number >> 16


def flow(datapath: Any, rule: Rule, generation: int) -> Any:
    """Add a rule, in the place of one with the same match and priority."""
    parser, ofproto = datapath.ofproto_parser, datapath.ofproto
    return parser.OFPFlowMod(
        datapath=datapath,
        cookie=COOKIE | generation,
        priority=rule.priority,
        match=_match(parser, rule),
        instructions=[
            parser.OFPInstructionActions(ofproto.OFPIT_APPLY_ACTIONS, list(_actions(parser, rule)))
        ],
    )


def _match(parser: Any, rule: Rule) -> Any:
    address, mask = rule.prefix.split("/")[0], _mask(rule.length)
    fields: dict[str, Any] = {"eth_type": ETHERTYPE_IPV4, "ipv4_dst": (address, mask)}
    if rule.match_mac:
        fields["eth_dst"] = rule.match_mac
    if rule.dscp is not None:
        fields["ip_dscp"] = rule.dscp
    return parser.OFPMatch(**fields)


def _mask(length: int) -> str:
    mask = (0xFFFFFFFF << (32 - length)) & 0xFFFFFFFF
    return ".".join(str(mask >> shift & 255) for shift in (24, 16, 8, 0))


def _actions(parser: Any, way: Rule | Bucket) -> list[Any]:
    actions = [parser.OFPActionSetField(eth_dst=way.dst_mac)] if way.dst_mac else []
    if way.group is not None:
        return [*actions, parser.OFPActionGroup(way.group)]
    return [*actions, parser.OFPActionOutput(way.port)]


def group(datapath: Any, made: Group, key: int) -> Any:
    """Add a group. One of several equal ways is taken by `key`, as `scenario.plan.hashing` says."""
    parser, ofproto = datapath.ofproto_parser, datapath.ofproto
    select = made.kind == "select"
    return parser.OFPGroupMod(
        datapath,
        ofproto.OFPGC_ADD,
        ofproto.OFPGT_SELECT if select else ofproto.OFPGT_FF,
        made.id,
        buckets=[
            _bucket(datapath, number, bucket, made.kind) for number, bucket in enumerate(made.slots)
        ],
        properties=[_Hashed(ofproto.OFPGPT_EXPERIMENTER, key)] if select else [],
    )


def _bucket(datapath: Any, number: int, bucket: Bucket, kind: str) -> Any:
    parser, ofproto = datapath.ofproto_parser, datapath.ofproto
    actions = _actions(parser, bucket)
    if kind == "fast-failover" and bucket.dst_mac:
        actions.insert(0, _forget_where_from(parser))
    properties = []
    if bucket.watch is not None:
        watch = parser.OFPGroupBucketPropWatch(ofproto.OFPGBPT_WATCH_PORT, watch=bucket.watch)
        properties.append(watch)
    if bucket.watch_group is not None:
        watch = parser.OFPGroupBucketPropWatch(
            ofproto.OFPGBPT_WATCH_GROUP, watch=bucket.watch_group
        )
        properties.append(watch)
    return parser.OFPBucket(number, actions, properties)


@dataclass(frozen=True)
class _Hashed:
    """A property of a group: hash _HASHED with a switch's own key. Netronome's extension; os-ken's own class
    for such properties takes whole words alone. [Open vSwitch, include/openflow/netronome-ext.h]"""

    kind: int
    key: int

    def serialize(self) -> bytes:
        """As on the wire. What pads it to 8 bytes does not count in its length."""
        fields = b"".join(_whole(number, length) for number, length in _HASHED.values())
        length = _PROPERTY.size + len(fields)
        head = _PROPERTY.pack(self.kind, length, _NETRONOME, _SELECTION_METHOD, b"hash", self.key)
        return head + fields + bytes(-length % 8)


def _whole(number: int, length: int) -> bytes:
    """A field as OXM TLV with all bits set: all of it is hashed."""
    return struct.pack("!HBB", _OPENFLOW_BASIC, number << 1, length) + b"\xff" * length


def _forget_where_from(parser: Any) -> Any:
    """A switch never sends a packet out where it came in, unless it has forgotten where that was:
    so does Open vSwitch when the field of the input port is overwritten."""
    return parser.OFPActionSetField(in_port_nxm=0)


def no_flows_of(datapath: Any, generation: int) -> Any:
    """Delete the rules of a generation, whatever they match."""
    parser, ofproto = datapath.ofproto_parser, datapath.ofproto
    return parser.OFPFlowMod(
        datapath=datapath,
        command=ofproto.OFPFC_DELETE,
        cookie=COOKIE | generation,
        cookie_mask=0xFFFF_FFFF_FFFF_FFFF,
        table_id=ofproto.OFPTT_ALL,
        out_port=ofproto.OFPP_ANY,
        out_group=ofproto.OFPG_ANY,
        match=parser.OFPMatch(),
    )


def no_group(datapath: Any, number: int) -> Any:
    """Delete a group, and the rules that still lead to it."""
    parser, ofproto = datapath.ofproto_parser, datapath.ofproto
    return parser.OFPGroupMod(datapath, ofproto.OFPGC_DELETE, ofproto.OFPGT_SELECT, number)
