"""Rules and groups of the plan as messages of OpenFlow 1.3.

Every rule carries its generation in its cookie, so that what is stale can be told from what is not
by whoever comes later, a controller that was started anew among them.
"""

from __future__ import annotations

from typing import Any

from controller.base import nicira_ext
from scenario.plan.rules import COOKIE, Bucket, Group, Rule

ETHERTYPE_IPV4 = 0x0800


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


def group(datapath: Any, made: Group) -> Any:
    """Add a group."""
    parser, ofproto = datapath.ofproto_parser, datapath.ofproto
    kinds = {"select": ofproto.OFPGT_SELECT, "fast-failover": ofproto.OFPGT_FF}
    buckets = [_bucket(datapath, bucket, made.kind) for bucket in made.buckets]
    return parser.OFPGroupMod(datapath, ofproto.OFPGC_ADD, kinds[made.kind], made.id, buckets)


def _bucket(datapath: Any, bucket: Bucket, kind: str) -> Any:
    parser, ofproto = datapath.ofproto_parser, datapath.ofproto
    actions = _actions(parser, bucket)
    if kind == "fast-failover" and bucket.dst_mac:
        actions.insert(0, _forget_where_from(parser))
    return parser.OFPBucket(
        weight=bucket.weight if kind == "select" else 0,
        watch_port=ofproto.OFPP_ANY if bucket.watch is None else bucket.watch,
        watch_group=ofproto.OFPG_ANY,
        actions=actions,
    )


def _forget_where_from(parser: Any) -> Any:
    """A switch never sends a packet out where it came in, unless it has forgotten where that was:
    so does Open vSwitch when the register of the input port is overwritten."""
    bits = nicira_ext.ofs_nbits(0, 15)
    return parser.NXActionRegLoad(ofs_nbits=bits, dst="in_port_nxm", value=0)


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
    return parser.OFPGroupMod(datapath, ofproto.OFPGC_DELETE, ofproto.OFPGT_SELECT, number, [])
