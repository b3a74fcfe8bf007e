"""The queueing discipline of `longhaul/machine/patches/60-port.patch`, as pyroute2 and we say and read it.

In: a shape with a port. Out: netlink attributes; what the kernel says that a port holds. (What it has counted:
`counters.py`.)
"""

from __future__ import annotations

import struct
from typing import Any

from pyroute2.netlink import nla
from pyroute2.netlink.rtnl.tcmsg import plugins

from scenario.plan.losses import torn_share
from scenario.plan.types import Shape
from scenario.types.impairments import gilbert_elliott

_UINT32 = 2**32 - 1
_LOSS, _POOL, _ECN, _PFC = (struct.Struct(form) for form in ("=II", "=IIQ", "=III", "=IIII"))


class _Options(nla):  # type: ignore[misc]
    """TCA_OPTIONS. [include/uapi/linux/sch_port.h of the patch]"""

    nla_map = (
        ("TCA_PORT_UNSPEC", "none"),
        ("TCA_PORT_PAD", "none"),
        ("TCA_PORT_RATE64", "uint64"),
        ("TCA_PORT_DELAY64", "uint64"),
        ("TCA_PORT_LIMIT", "uint32"),
        ("TCA_PORT_SEED", "uint64"),
        ("TCA_PORT_LOSS", "cdata"),
        ("TCA_PORT_POOL", "cdata"),
        ("TCA_PORT_ECN", "cdata"),
        ("TCA_PORT_PFC", "cdata"),
        ("TCA_PORT_TORN", "uint32"),
    )


class _Plugin:
    """What pyroute2's `tc(kind="port")` looks up; it takes a Shape and a seed."""

    parent = 0xFFFFFFFF
    options = _Options

    @staticmethod
    def get_parameters(call: dict[str, Any]) -> dict[str, Any]:
        return {"attrs": attributes(call["shape"], call["seed"])}


plugins["port"] = _Plugin


def attributes(shape: Shape, seed: int) -> list[list[Any]]:
    """The attributes of a port that does what `shape` says, drawing from `seed`."""
    port = shape.port
    assert port
    found: list[list[Any]] = [
        ["TCA_PORT_RATE64", round(shape.rate_bps / 8)],
        ["TCA_PORT_DELAY64", round(shape.delay_s * 1e9)],
        ["TCA_PORT_SEED", seed],
    ]
    if shape.loss:
        found.append(["TCA_PORT_LOSS", _loss(shape)])
        found.append(["TCA_PORT_TORN", round(torn_share(shape) * _UINT32)])
    if port.limit_bytes:
        found.append(["TCA_PORT_LIMIT", port.limit_bytes])
    if port.pool:
        pool = _POOL.pack(port.pool, round(256 * port.alpha), port.pool_bytes)
        found.append(["TCA_PORT_POOL", pool])
    if port.mark_max_bytes:
        most = round(port.mark_probability * _UINT32)
        ecn = _ECN.pack(port.mark_min_bytes, port.mark_max_bytes, most)
        found.append(["TCA_PORT_ECN", ecn])
    if port.lossless:
        pfc = _PFC.pack(port.lossless, port.xoff_bytes, port.xon_bytes, port.headroom_bytes)
        found.append(["TCA_PORT_PFC", pfc])
    return found


def _loss(shape: Shape) -> bytes:
    """As netem's bursts; with no correlation the losses are independent."""
    chances = gilbert_elliott(shape.loss, shape.loss_correlation)
    return _LOSS.pack(*(round(chance * _UINT32) for chance in chances))


def bursts(told: dict[str, Any]) -> tuple[int, int]:
    """The two chances of the loss that some attributes ask for, as 32-bit fractions."""
    held = told.get("TCA_PORT_LOSS", bytes(_LOSS.size))
    to_bad, to_good = _LOSS.unpack(bytes(held))
    return (to_bad, to_good) if to_bad else (0, 0)
