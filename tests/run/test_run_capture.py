"""Packets are captured in the real fabric: the frames that came, when they came, and nobody notices."""

import json
from pathlib import Path
from typing import Any

import pytest
from scapy.layers.inet import IP, TCP
from scapy.utils import RawPcapNgReader

from scenario.plan.types import Plan, from_json

from .conftest import HERE, Done, Runs, longhaul

SECOND = 1_000_000_000


@pytest.fixture(scope="module")
def done(runs: Runs) -> Done:
    """Over links that lose packets: all of them captured, whole frames."""
    return runs("links", "verified", "--capture", "*", "--capture-bytes", "9100", name="captured")


def plan_of(done: Done) -> Plan:
    return from_json(json.loads((done.folder / "plan.json").read_text()))


def frames(done: Done, link: str) -> list[tuple[bytes, str, int]]:
    """Frame, interface that received it, nanoseconds of the epoch."""
    with RawPcapNgReader(str(done.folder / "captures" / f"{link}.pcapng")) as reader:
        return [(d, m.ifname.decode(), m.tshigh << 32 | m.tslow) for d, m in reader]


def index(done: Done) -> dict[str, dict[str, Any]]:
    listed = json.loads((done.folder / "captures" / "captures.json").read_text())
    return {one["link"]: one for one in listed}


@pytest.mark.slow
def test_a_run_that_is_captured_is_the_same_run(done: Done, runs: Runs) -> None:
    alone = runs("links", "verified")
    assert done.summary["digest"] == alone.summary["digest"]
    assert done.summary == alone.summary


@pytest.mark.slow
def test_every_link_has_a_file_with_every_frame_that_passed(done: Done) -> None:
    plan = plan_of(done)
    assert set(index(done)) == {link.name for link in plan.wires}
    for name, told in index(done).items():
        assert told["dropped"] == 0
        assert len(frames(done, name)) == told["frames"]


@pytest.mark.slow
def test_both_directions_are_told_apart_by_the_interface_that_receives(done: Done) -> None:
    plan = plan_of(done)
    (link,) = (link for link in plan.wires if link.name == "c1-c2")
    towards = {link.a.interface: "10.1.1.1", link.b.interface: "10.2.1.1"}
    seen = dict.fromkeys(towards, 0)
    for frame, interface, _ in frames(done, "c1-c2"):
        seen[interface] += 1
        if IP(frame[14:]).src in towards.values() and IP(frame[14:]).dst in towards.values():
            assert IP(frame[14:]).dst == towards[interface]
    assert all(seen.values())


@pytest.mark.slow
def test_a_frame_is_stamped_when_it_arrives(done: Done) -> None:
    """On its way out of c2 a frame reaches the border, and c3 after the long haul's delay."""
    (link,) = (link for link in plan_of(done).wires if link.name == "c2-c3")
    delay_ns = round(link.a.shape.delay_s * SECOND)
    before = {flow(f): t for f, i, t in frames(done, "c2-l1-c2-b") if i.startswith("c2-b-")}
    over = []
    for frame, interface, arrived_ns in frames(done, "c2-c3"):
        if interface == link.b.interface:
            sent_ns = 8 * SECOND * len(frame) / link.a.shape.rate_bps
            if flow(frame) in before:  # not one that came from c1
                over.append(arrived_ns - before[flow(frame)] - delay_ns - sent_ns)
    assert -1 <= min(over) <= 1  # one that meets no queue takes the delay, and its time on the wire


def flow(frame: bytes) -> tuple[Any, ...]:
    """What tells a TCP segment from all others."""
    ip = IP(frame[14:])
    return ip.src, ip.dst, ip.id, ip[TCP].sport, ip[TCP].seq, len(frame)


@pytest.mark.slow
def test_lost_packets_are_missing_where_they_would_have_arrived(done: Done) -> None:
    sent = {flow(f) for f, i, _ in frames(done, "c1-l1-c1-b") if i.startswith("c1-b-")}
    arrived = {flow(f) for name in ("c1-c2", "c1-c3") for f, _, _ in frames(done, name)}
    lost = [key for key in sent if key not in arrived]
    assert 0.003 < len(lost) / len(sent) < 0.05  # 1 % one way to c2, 2 % to c3


@pytest.mark.slow
def test_long_frames_are_cut_but_their_length_is_told(kernel: Path, tmp_path: Path) -> None:  # noqa: ARG001
    folder = tmp_path / "run"
    seen = longhaul(
        "run", HERE / "links.yaml", "--workload", HERE / "verified.yaml",
        "--capture", "c1-h100-1", "--capture-bytes", "60", "--out", folder, folder=folder,
    )  # fmt: skip
    assert seen.status == 0, seen.complaint
    with RawPcapNgReader(str(folder / "captures" / "c1-h100-1.pcapng")) as reader:
        sizes = [(len(frame), meta.wirelen) for frame, meta in reader]
    assert max(captured for captured, _ in sizes) == 60
    assert max(length for _, length in sizes) == 9014


def test_a_link_that_is_not_there_is_named_before_anything_starts() -> None:
    seen = longhaul("run", HERE / "links.yaml", "--capture", "c1-c4,c2-*")
    assert seen.status == 2
    assert "--capture:1:1: error: no link has such a name" in seen.complaint
    assert "c1-c2" in seen.complaint
    assert "c2-*" not in seen.complaint


@pytest.mark.parametrize("text", ["13", "9231", "many", "-1"])
def test_an_impossible_part_of_a_frame_is_refused(text: str) -> None:
    seen = longhaul("run", HERE / "links.yaml", "--capture", "c1-c2", "--capture-bytes", text)
    assert seen.status == 2
    assert "not a whole number from 14 to 9230" in seen.complaint
