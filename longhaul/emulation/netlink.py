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
import socket
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from pyroute2 import IPBatch, IPRoute
from pyroute2.netlink import nla
from pyroute2.netlink.rtnl.tcmsg import plugins, sched_netem

from longhaul.emulation import port
from scenario.plan.rules import GATEWAY, GATEWAY_MAC
from scenario.plan.types import Shape
from scenario.types.impairments import gilbert_elliott

_CLONE_NEWNET = 0x40000000
_PERMANENT = 0x80  # NUD_PERMANENT
_SCOPE_LINK = 253
LOOPBACK = 1
_HANDLE = 0x10000
_NLMSG_ERROR = 2
_BUNDLE = 64
_ANSWER_BYTES = 65536
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
        attrs.append(["TCA_NETEM_LOSS", {"attrs": [["NETEM_LOSS_GE", _bursts(shape)]]}])
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
        "duplicate": _share(shape.duplicate),
        "jitter": 0,
        "attrs": attrs,
    }


def _rate(rate_Bps: int) -> dict[str, int]:
    return {"rate": rate_Bps, "packet_overhead": 0, "cell_size": 0, "cell_overhead": 0}


def _bursts(shape: Shape) -> dict[str, int]:
    """All is lost in the bad state (h), nothing in the good one (k1)."""
    p, r = gilbert_elliott(shape.loss, shape.loss_correlation)
    return {"p": _share(p), "r": _share(r), "h": 0, "k1": 0}


def _share(probability: float) -> int:
    """A probability as netem holds it: a 32-bit fraction."""
    return round(probability * _UINT32)


def link_seed(seed: int | str, interface: str) -> int:
    """netem's own seed for one interface: 64 bits of the run's seed and the name."""
    return int.from_bytes(hashlib.sha256(f"{seed}/{interface}".encode()).digest()[:8], "little")


@dataclass(frozen=True)
class Interface:
    """One end of a veth pair. Its index is chosen, so that nobody need look it up; `pid` is of a
    process in the namespace where it lives (None: our own)."""

    name: str
    index: int
    mac: str | None = None
    pid: int | None = None


class NetlinkBatch:
    """Requests for one network namespace, compiled by pyroute2 and sent together."""

    def __init__(self) -> None:
        self._compiler = IPBatch()

    def pair(self, a: Interface, b: Interface, mtu_bytes: int) -> None:
        """A veth pair, up, each end where it belongs; `b` in our own namespace.

        One segment per packet: netem loses and delays what it is handed, a 64 KB bundle as a whole.
        """
        attributes = [
            [f"IFLA_{key.upper()}", value] for key, value in _attributes(b, mtu_bytes).items()
        ]
        peer = {"index": b.index, "flags": 0, "change": 0, "attrs": attributes}
        own = _attributes(a, mtu_bytes) | {"index": a.index, "state": "up"}
        self._compiler.link("add", kind="veth", VETH_INFO_PEER=peer, **own)
        self.up(b.index)

    def address(self, index: int, ip: str) -> None:
        """A host's address, a /32; all else is reached through the gateway that leaves answer for."""
        link = self._compiler
        link.link("set", index=LOOPBACK, state="up")
        link.addr("add", index=index, address=ip, prefixlen=32)
        link.neigh("add", dst=GATEWAY, lladdr=GATEWAY_MAC, ifindex=index, state=_PERMANENT)
        link.route("add", dst=GATEWAY, oif=index, scope=_SCOPE_LINK, prefsrc=ip)
        link.route("add", dst="default", gateway=GATEWAY, oif=index, prefsrc=ip)

    def bridged_address(self, index: int, ip: str) -> None:
        """A host's address where all share one subnet, and ask for each other by ARP."""
        self._compiler.link("set", index=LOOPBACK, state="up")
        self._compiler.addr("add", index=index, address=ip, prefixlen=8)

    def shape(self, interface: str, index: int, wanted: Shape, seed: int | str) -> None:
        """`wanted` on what an interface sends, replacing what was there; its chance starts anew."""
        own = link_seed(seed, interface)
        kind = "port" if wanted.port else "netem"
        self._compiler.tc("replace", index=index, kind=kind, handle=_HANDLE, shape=wanted, seed=own)

    def up(self, index: int) -> None:
        """Set an interface up."""
        self._compiler.link("set", index=index, state="up")

    def down(self, index: int) -> None:
        """Set an interface down: its peer loses its carrier, and both lose what they were sending."""
        self._compiler.link("set", index=index, state="down")

    def send(self, pid: int | None = None) -> None:
        """Have the kernel do all of it in a process's namespace. Raises OSError at the first refusal."""
        batch = bytes(self._compiler.batch)
        self._compiler.reset()
        with entered(pid):
            sock = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, socket.NETLINK_ROUTE)
        with sock:
            for messages in _bundles(batch):
                sock.send(b"".join(messages))
                for _ in messages:
                    _check(sock.recv(_ANSWER_BYTES))


def _attributes(interface: Interface, mtu_bytes: int) -> dict[str, Any]:
    found: dict[str, Any] = {"ifname": interface.name, "mtu": mtu_bytes, "gso_max_segs": 1}
    if interface.mac:
        found["address"] = interface.mac
    if interface.pid is not None:
        found["net_ns_pid"] = interface.pid
    return found


def _bundles(batch: bytes) -> Iterator[list[bytes]]:
    """The messages of a batch, as many at a time as their answers fit into a socket's buffer."""
    messages = []
    while batch:
        (length,) = struct.unpack_from("=I", batch)
        messages.append(batch[:length])
        batch = batch[-(-length // 4) * 4 :]
    yield from (messages[i : i + _BUNDLE] for i in range(0, len(messages), _BUNDLE))


def _check(answer: bytes) -> None:
    """Raise OSError unless the kernel's answer is that all is well."""
    _length, kind, _flags, _sequence, _pid, error = struct.unpack_from("=IHHIIi", answer)
    if kind == _NLMSG_ERROR and error:
        raise OSError(-error, f"netlink: {os.strerror(-error)}")


@contextlib.contextmanager
def entered(pid: int | None) -> Iterator[None]:
    """Be in the network namespace of a process (None: stay) for as long as it takes."""
    if pid is None:
        yield
        return
    home = os.open("/proc/self/ns/net", os.O_RDONLY)
    try:
        with Path(f"/proc/{pid}/ns/net").open(encoding="utf-8") as there:
            _setns(there.fileno())
        yield
    finally:
        _setns(home)
        os.close(home)


def _setns(namespace: int) -> None:
    if _libc.setns(namespace, _CLONE_NEWNET):
        raise OSError(ctypes.get_errno(), "setns: " + os.strerror(ctypes.get_errno()))


def index_of(route: IPRoute, interface: str) -> int:
    """An interface's index. Raises LookupError."""
    found = route.link_lookup(ifname=interface)
    if not found:
        raise LookupError(f"no interface {interface}")
    return cast(int, found[0])


@dataclass(frozen=True)
class Held:
    """What a netem or a port says that it holds. Chances are 32-bit fractions, `bursts` the two of its chain."""

    rate_Bps: int
    delay_ns: int
    limit_packets: int
    jitter_ns: int = 0
    loss: int = 0
    bursts: tuple[int, int] = (0, 0)
    corruption: int = 0
    reorder: int = 0
    duplicate: int = 0

    @classmethod
    def of(cls, wanted: Shape) -> Held:
        """What it must hold to do what `wanted` says."""
        if wanted.port:
            return cls.of_port({"attrs": port.attributes(wanted, seed=0)})
        return cls.said(netem_options(wanted, seed=0))

    @classmethod
    def said(cls, options: Any) -> Held:
        """From TCA_OPTIONS, ours or the kernel's."""
        told = dict(options["attrs"])
        chain = dict(told["TCA_NETEM_LOSS"]["attrs"]) if "TCA_NETEM_LOSS" in told else {}
        bursts = chain.get("NETEM_LOSS_GE", {"p": 0, "r": 0})
        return cls(
            rate_Bps=told.get("TCA_NETEM_RATE64") or told["TCA_NETEM_RATE"]["rate"],
            delay_ns=told["TCA_NETEM_LATENCY64"],
            limit_packets=options["limit"],
            jitter_ns=told["TCA_NETEM_JITTER64"],
            loss=options["loss"],
            bursts=(bursts["p"], bursts["r"]),
            corruption=told.get("TCA_NETEM_CORRUPT", {"prob_corrupt": 0})["prob_corrupt"],
            reorder=told.get("TCA_NETEM_REORDER", {"prob_reorder": 0})["prob_reorder"],
            duplicate=options["duplicate"],
        )

    @classmethod
    def of_port(cls, options: Any) -> Held:
        """The same of a port, whose queue is bounded otherwise."""
        told = dict(options["attrs"])
        return cls(
            rate_Bps=told["TCA_PORT_RATE64"],
            delay_ns=told["TCA_PORT_DELAY64"],
            limit_packets=0,
            bursts=port.bursts(told),
        )


def held() -> dict[int, Held]:
    """What shapes each interface in our namespace that has a netem or a port, by index."""
    with IPRoute() as route:
        return {
            qdisc["index"]: _HELD[kind](qdisc.get_attr("TCA_OPTIONS"))
            for qdisc in route.get_qdiscs()
            if (kind := qdisc.get_attr("TCA_KIND")) in _HELD
        }


_HELD = {"netem": Held.said, "port": Held.of_port}


@dataclass(frozen=True)
class Sent:
    """What an interface has sent since it was made, Ethernet headers included."""

    bytes: int
    packets: int


def sent(interface: str) -> Sent:
    """An interface's transmit counters."""
    with IPRoute() as route:
        (link,) = route.link("get", index=index_of(route, interface))
    counters = link.get_attr("IFLA_STATS64")
    return Sent(counters["tx_bytes"], counters["tx_packets"])
