"""What a link is asked to do to packets, seen by an unmodified `ping` in the fabric."""

import re
from pathlib import Path

import pytest

from scenario.plan.losses import by_chance
from tests.run.conftest import ROOT, longhaul

PINGS, SHARE = 400, 0.25
IMPAIRED = f"""
longhaul: 1
name: impaired
mtu: 1500
defaults:
  campuses:
    fabric: {{kind: single, host-delay: 1us, link-delay: 1us, border-rate: 1Gbit/s}}
    hosts: [{{count: 1, accelerator: H100, nic: 1Gbit/s}}]
campuses: {{c1: {{}}, c2: {{}}}}
links:
  c1-c2: {{between: [c1, c2], delay: 1ms, rate: 100Mbit/s, forward: {{duplicate: {SHARE:.0%}}}}}
"""


@pytest.fixture(scope="module")
def pinged(tmp_path_factory: pytest.TempPathFactory, kernel: Path) -> str:  # noqa: ARG001
    """What `ping` says at the far end of a link that doubles packets one way."""
    file = tmp_path_factory.mktemp("impaired") / "impaired.yaml"
    file.write_text(IMPAIRED)
    ping = ("ping", "-q", "-c", str(PINGS), "-i", "0.1", "10.2.1.1")
    done = longhaul("exec", file, "--hosts", "c1-*", "--", *ping, cwd=ROOT)
    assert done.status == 0, done.complaint
    return done.out


@pytest.mark.slow
def test_as_many_echoes_come_twice_as_were_asked_for(pinged: str) -> None:
    found = re.search(r"(\d+) packets transmitted, (\d+) received, \+(\d+) duplicates", pinged)
    assert found, pinged
    sent, received, twice = map(int, found.groups())
    assert sent == received == PINGS
    fewest, most = by_chance(PINGS * SHARE, 0.0, 1e-4)
    assert fewest <= twice <= most
