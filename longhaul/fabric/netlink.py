"""All that is said to the kernel over netlink: veth pairs, addresses, routes and netem.

This replaces Mininet's process per `ip`, `ifconfig` and `tc` call, and says what `tc` cannot: delays
in nanoseconds (iproute2 6.1 loses up to 2 us of one), rates above 32 bits, and netem's seed.
Needs CAP_NET_ADMIN.
"""

from __future__ import annotations

import contextlib
import ctypes
import hashlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from pyroute2 import IPRoute
from pyroute2.netlink import nla
from pyroute2.netlink.rtnl.tcmsg import plugins, sched_netem

from longhaul.fabric.plan import GATEWAY, GATEWAY_MAC, Shape

_CLONE_NEWNET = 0x40000000
_PERMANENT = 0x80
_UINT32 = 2**32 - 1
_libc = ctypes.CDLL(None, use_errno=True)


class _NetemOptions(sched_netem.options):  # type: ignore[misc]
    """pyroute2's netem with the attributes it lacks. [include/uapi/linux/pkt_sched.h]"""

    nla_map = (
        ("TCA_NETEM_UNSPEC", "none"),
        ("TCA_NETEM_CORR", "netem_corr"),
        ("TCA_NETEM_DELAY_DIST", "none"),
        ("TCA_NETEM_REORDER", "netem_reorder"),
        ("TCA_NETEM_CORRUPT", "netem_corrupt"),
        ("TCA_NETEM_LOSS", "netem_loss"),
        ("TCA_NETEM_RATE", "netem_rate"),
        ("TCA_NETEM_ECN", "uint32"),
        ("TCA_NETEM_RATE64", "uint64"),
        ("TCA_NETEM_PAD", "none"),
        ("TCA_NETEM_LATENCY64", "int64"),
        ("TCA_NETEM_JITTER64", "int64"),
        ("TCA_NETEM_SLOT", "none"),
        ("TCA_NETEM_SLOT_DIST", "none"),
        ("TCA_NETEM_PRNG_SEED", "uint64"),
    )

    class netem_loss(nla):  # type: ignore[misc]  # noqa: N801 (pyroute2's naming)
        """Loss by a Markov chain; GE is Gilbert-Elliott with four probabilities."""

        nla_map = (
            ("NETEM_LOSS_UNSPEC", "none"),
            ("NETEM_LOSS_GI", "none"),
            ("NETEM_LOSS_GE", "gemodel"),
        )

        class gemodel(nla):  # type: ignore[misc]  # noqa: N801
            fields = (("p", "I"), ("r", "I"), ("h", "I"), ("k1", "I"))


class _Netem:
    """The plugin that pyroute2's `tc(kind="netem")` looks up; it takes a Shape and a seed."""

    parent = sched_netem.parent
    options = _NetemOptions

    @staticmethod
    def get_parameters(call: dict[str, Any]) -> dict[str, Any]:
        return netem_options(call["shape"], call["seed"])


plugins["netem"] = _Netem


def netem_options(shape: Shape, seed: int) -> dict[str, Any]:
    """TCA_OPTIONS of a netem that does what `shape` says, drawing from `seed`."""
    rate_Bps = round(shape.rate_bps / 8)
    attrs: list[list[Any]] = [
        ["TCA_NETEM_LATENCY64", round(shape.delay_s * 1e9)],
        ["TCA_NETEM_JITTER64", round(shape.jitter_s * 1e9)],
        ["TCA_NETEM_RATE", _rate(min(rate_Bps, _UINT32))],
        ["TCA_NETEM_PRNG_SEED", seed],
    ]
    if rate_Bps > _UINT32:
        attrs.append(["TCA_NETEM_RATE64", rate_Bps])
    if shape.loss and shape.loss_correlation:
        attrs.append(["TCA_NETEM_LOSS", {"attrs": [["NETEM_LOSS_GE", _gilbert_elliott(shape)]]}])
    if shape.corruption:
        corrupt = {"prob_corrupt": _share(shape.corruption), "corr_corrupt": 0}
        attrs.append(["TCA_NETEM_CORRUPT", corrupt])
    if shape.reorder:
        reorder = {"prob_reorder": _share(shape.reorder), "corr_reorder": 0}
        attrs.append(["TCA_NETEM_REORDER", reorder])
    return {
        "delay": 0,
        "limit": shape.limit_packets,
        "loss": 0 if shape.loss_correlation else _share(shape.loss),
        "gap": 1 if shape.reorder else 0,
        "duplicate": 0,
        "jitter": 0,
        "attrs": attrs,
    }


def _rate(rate_Bps: int) -> dict[str, int]:
    return {"rate": rate_Bps, "packet_overhead": 0, "cell_size": 0, "cell_overhead": 0}


def _gilbert_elliott(shape: Shape) -> dict[str, int]:
    """p = π(1−ρ) and r = (1−π)(1−ρ): all is lost in the bad state, nothing in the good one.

    ρ is the correlation of one packet's loss with the next one's. [Haßlinger & Hohlfeld 2008]
    """
    rest = 1 - shape.loss_correlation
    return {
        "p": _share(shape.loss * rest),
        "r": _share((1 - shape.loss) * rest),
        "h": 0,
        "k1": 0,
    }


def _share(probability: float) -> int:
    """A probability as netem holds it: a 32-bit fraction."""
    return round(probability * _UINT32)


def link_seed(seed: int, interface: str) -> int:
    """netem's own seed for one interface: 64 bits of the run's seed and the name."""
    return int.from_bytes(hashlib.sha256(f"{seed}/{interface}".encode()).digest()[:8], "little")


@dataclass(frozen=True)
class Veth:
    """One end of a veth pair: its name, its MAC, and the namespace (by a process's id) it lives in."""

    name: str
    mac: str | None = None
    pid: int | None = None


@contextlib.contextmanager
def sockets_of(pid: int | None) -> Iterator[IPRoute]:
    """A netlink socket in the network namespace of a process (None: our own)."""
    with IPRoute() if pid is None else _enter(pid) as route:
        yield route


def _enter(pid: int) -> IPRoute:
    home = os.open("/proc/self/ns/net", os.O_RDONLY)
    try:
        with Path(f"/proc/{pid}/ns/net").open() as there:
            _setns(there.fileno())
        return IPRoute()
    finally:
        _setns(home)
        os.close(home)


def _setns(namespace: int) -> None:
    if _libc.setns(namespace, _CLONE_NEWNET):
        raise OSError(ctypes.get_errno(), "setns: " + os.strerror(ctypes.get_errno()))


def create_pair(route: IPRoute, a: Veth, b: Veth, mtu_bytes: int) -> None:
    """Create a veth pair with both ends where they belong, at once.

    One segment per packet: netem loses and delays what it is handed, a 64 KB bundle as a whole.
    """
    call = _end(a, mtu_bytes) | {"kind": "veth", "peer": _end(b, mtu_bytes)}
    route.link("add", **call)


def _end(veth: Veth, mtu_bytes: int) -> dict[str, Any]:
    end: dict[str, Any] = {"ifname": veth.name, "mtu": mtu_bytes, "gso_max_segs": 1}
    if veth.mac:
        end["address"] = veth.mac
    if veth.pid is not None:
        end["net_ns_pid"] = veth.pid
    return end


def up(route: IPRoute, interface: str) -> int:
    """Set an interface up; returns its index."""
    index = index_of(route, interface)
    route.link("set", index=index, state="up")
    return index


def index_of(route: IPRoute, interface: str) -> int:
    """An interface's index. Raises LookupError."""
    found = route.link_lookup(ifname=interface)
    if not found:
        raise LookupError(f"no interface {interface}")
    return cast(int, found[0])


def configure_host(route: IPRoute, interface: str, ip: str) -> None:
    """Address a host: a /32, and all else through the gateway that every leaf answers for."""
    up(route, "lo")
    index = up(route, interface)
    route.addr("add", index=index, address=ip, prefixlen=32)
    route.neigh("add", dst=GATEWAY, lladdr=GATEWAY_MAC, ifindex=index, state=_PERMANENT)
    route.route("add", dst=GATEWAY, oif=index, scope=253, prefsrc=ip)
    route.route("add", dst="default", gateway=GATEWAY, oif=index, prefsrc=ip)


def shape(route: IPRoute, interface: str, wanted: Shape, seed: int) -> None:
    """Put `wanted` on what an interface sends, replacing what was there."""
    index = index_of(route, interface)
    call = {"kind": "netem", "handle": 0x10000, "shape": wanted, "seed": link_seed(seed, interface)}
    route.tc("replace", index=index, **call)


@dataclass(frozen=True)
class Held:
    """What a netem qdisc says that it holds, and has dropped."""

    rate_bps: float
    delay_s: float
    limit_packets: int
    sent_packets: int
    dropped_packets: int


def held(route: IPRoute, interface: str) -> Held:
    """Read back an interface's netem. Raises LookupError where there is none."""
    for qdisc in route.get_qdiscs(index=index_of(route, interface)):
        if qdisc.get_attr("TCA_KIND") == "netem":
            return _held(qdisc)
    raise LookupError(f"no netem on {interface}")


def _held(qdisc: Any) -> Held:
    options = qdisc.get_attr("TCA_OPTIONS")
    rate = options.get_attr("TCA_NETEM_RATE64") or options.get_attr("TCA_NETEM_RATE")["rate"]
    counters = qdisc.get_attr("TCA_STATS2")
    return Held(
        rate_bps=8.0 * rate,
        delay_s=options.get_attr("TCA_NETEM_LATENCY64") / 1e9,
        limit_packets=options["limit"],
        sent_packets=counters.get_attr("TCA_STATS_BASIC")["packets"],
        dropped_packets=counters.get_attr("TCA_STATS_QUEUE")["drops"],
    )


@dataclass(frozen=True)
class Sent:
    """What an interface has sent since it was made, Ethernet headers included."""

    bytes: int
    packets: int


def sent(route: IPRoute, interface: str) -> Sent:
    """An interface's transmit counters."""
    (link,) = route.link("get", index=index_of(route, interface))
    counters = link.get_attr("IFLA_STATS64")
    return Sent(counters["tx_bytes"], counters["tx_packets"])
