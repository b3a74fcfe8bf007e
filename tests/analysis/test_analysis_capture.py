"""Packet captures: streams made packet by packet, with what happened to them known."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from scapy.layers.inet import IP, TCP
from scapy.layers.l2 import Ether
from scapy.packet import Raw
from scapy.utils import PcapNgWriter, wrpcap

from analysis.errors import RunError
from analysis.findings.capture import WRAP, Key, one_way_s, streams

THERE = Key("10.1.0.1", 40000, "10.2.0.1", 29500)


def segment(at_s: float, sequence: int, length: int, key: Key = THERE, ack: int = 1) -> Any:
    """A segment of so many bytes of payload."""
    ip = IP(src=key.src, dst=key.dst)
    tcp = TCP(
        sport=key.src_port, dport=key.dst_port, seq=sequence % WRAP, ack=ack % WRAP, flags="A"
    )
    packet = Ether(src="0a:00:00:00:00:01", dst="0a:00:00:00:00:02") / ip / tcp / Raw(b"x" * length)
    packet.time = at_s
    return packet


def acknowledgement(at_s: float, number: int) -> Any:
    return segment(at_s, 1, 0, THERE.back, number)


def transfer(base: int) -> list[Any]:
    """Three segments; the second is lost after the place of capture and sent again."""
    return [
        segment(1.000, base, 1000),
        segment(1.001, base + 1000, 1000),
        segment(1.002, base + 2000, 1000),
        acknowledgement(1.010, base + 1000),
        acknowledgement(1.012, base + 1000),
        segment(1.100, base + 1000, 1000),
        acknowledgement(1.110, base + 3000),
    ]


@pytest.mark.parametrize("base", [7, WRAP - 1500], ids=["plain", "wrapping"])
def test_retransmissions_flight_and_round_trips_are_found(tmp_path: Path, base: int) -> None:
    wrpcap(str(tmp_path / "a.pcap"), transfer(base))
    found = streams(tmp_path / "a.pcap")[THERE]
    assert (found.packets, found.payload_bytes) == (4, 4000)
    assert (found.retransmitted, found.retransmitted_bytes) == (1, 1000)
    assert found.most_in_flight == 3000
    # The third segment is acknowledged 108 ms after it, held up by the second, which does not count.
    assert found.rtts_s == pytest.approx([0.010, 0.108], abs=1e-6)


def test_one_way_delay_is_from_one_capture_to_the_other(tmp_path: Path) -> None:
    wrpcap(str(tmp_path / "a.pcap"), [segment(1.0, 5, 100), segment(1.1, 105, 100)])
    late = [segment(1.004, 5, 100), segment(1.108, 105, 100)]
    wrpcap(str(tmp_path / "b.pcap"), late)
    here, there = streams(tmp_path / "a.pcap"), streams(tmp_path / "b.pcap")
    assert one_way_s(here[THERE], there[THERE]) == pytest.approx([0.004, 0.008], abs=1e-6)


def test_pcapng_is_read_too(tmp_path: Path) -> None:
    with PcapNgWriter(str(tmp_path / "a.pcapng")) as writer:
        for packet in transfer(7):
            writer.write(packet)
    assert streams(tmp_path / "a.pcapng")[THERE].retransmitted == 1


def test_a_capture_of_headers_only_counts_the_payload_all_the_same(tmp_path: Path) -> None:
    whole = segment(1.0, 5, 1000)
    cut = Ether(bytes(whole)[:66])
    cut.time, cut.wirelen = whole.time, len(whole)
    wrpcap(str(tmp_path / "a.pcap"), [cut])
    assert streams(tmp_path / "a.pcap")[THERE].payload_bytes == 1000


def test_what_is_no_capture_is_told(tmp_path: Path) -> None:
    (tmp_path / "a.pcap").write_text("no capture at all, but text")
    with pytest.raises(RunError, match="not readable as a packet capture"):
        streams(tmp_path / "a.pcap")


def test_the_module_prints_the_streams(tmp_path: Path) -> None:
    wrpcap(str(tmp_path / "a.pcap"), transfer(7))
    command: list[str | Path] = [sys.executable, "-m", "analysis", "capture", tmp_path / "a.pcap"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert "1 of 4" in done.stdout
    told = subprocess.run(
        [*command[:-1], tmp_path / "none"], capture_output=True, text=True, check=False
    )
    assert told.returncode == 2
    assert "Traceback" not in told.stderr
