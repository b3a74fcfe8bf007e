"""Groups as Open vSwitch reads the messages that make them."""

from __future__ import annotations

import shutil
import subprocess
from typing import Any

import pytest
from os_ken.ofproto.ofproto_protocol import ProtocolDesc

from controller import messages
from scenario.plan.rules import Bucket, Group

HASH = "selection_method=hash,selection_method_param=7,fields(ip_src,ip_dst,nw_proto,tcp_src,tcp_dst,udp_src,udp_dst)"
SWITCH = ProtocolDesc(version=6)
SELECT = Group("s1", 1, "select", (Bucket(3, 3), Bucket(4, 4, weight=2)))
FAILOVER = Group("s1", 2, "fast-failover", (Bucket(3, 3), Bucket(4, 4, "0e:4c:01:02:80:00")))


@pytest.mark.skipif(not shutil.which("ovs-ofctl"), reason="Open vSwitch is not installed")
@pytest.mark.parametrize(
    ("group", "read"),
    [
        (
            SELECT,
            f"group_id=1,type=select,{HASH},bucket=bucket_id:0,watch_port:3,actions=output:3,"
            "bucket=bucket_id:1,watch_port:4,actions=output:4,bucket=bucket_id:2,watch_port:4,actions=output:4",
        ),
        (
            FAILOVER,
            "group_id=2,type=ff,bucket=bucket_id:0,watch_port:3,actions=output:3,bucket=bucket_id:1,watch_port:4,"
            "actions=set_field:0->in_port,set_field:0e:4c:01:02:80:00->eth_dst,output:4",
        ),
    ],
    ids=["select", "fast-failover"],
)
def test_open_vswitch_reads_a_group_as_it_is_meant(group: Group, read: str) -> None:
    assert as_read(messages.group(SWITCH, group, key=7)) == f"ADD {read}"


@pytest.mark.skipif(not shutil.which("ovs-ofctl"), reason="Open vSwitch is not installed")
def test_open_vswitch_reads_that_a_group_is_to_go() -> None:
    assert as_read(messages.no_group(SWITCH, 7)) == "DEL group_id=7,type=select"


def as_read(message: Any) -> str:
    """A message of a group, as `ovs-ofctl` prints it."""
    message.set_xid(1)
    message.serialize()
    printed = subprocess.run(
        ["ovs-ofctl", "ofp-print", message.buf.hex()], capture_output=True, text=True, check=True
    )
    assert not printed.stderr
    return printed.stdout.splitlines()[1].strip()
