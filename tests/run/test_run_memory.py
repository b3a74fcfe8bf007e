"""What a run says whose guest's memory is full."""

from __future__ import annotations

from longhaul.inside.killed import message


def test_a_hosts_own_process_is_called_its_agent() -> None:
    assert message("c1-h100-1", "c1-h100-1").startswith("c1-h100-1: its agent was killed")
    long = message("a-campus-accelerator-17", "a-campus-accele")
    assert long.startswith("a-campus-accelerator-17: its agent was killed")
    fabric = message("the fabric", "ovs-vswitchd")
    assert fabric.startswith("the fabric: ovs-vswitchd was killed, as the guest's memory is full")
