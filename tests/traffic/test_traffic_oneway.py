"""A probe's datagram is what scapy dissects, and reordering is what RFC 4737 counts."""

import polars as pl
from hypothesis import given
from hypothesis import strategies as st
from scapy.layers.inet import IP, UDP

from analysis.findings.oneway import reordered
from traffic.oneway.form import FRAME_BYTES, MARK, STAMP, STAMP_AT
from traffic.oneway.packet import OneWay, datagram


@given(st.integers(0, 65535), st.integers(0, 2**32 - 1), st.integers(0, 2**64 - 1))
def test_number_and_time_written_into_the_bytes_are_those_that_scapy_reads(
    way: int, sequence: int, sent_ns: int
) -> None:
    made = bytearray(datagram("10.1.255.250", "10.2.255.250", way))
    STAMP.pack_into(made, STAMP_AT, sequence, sent_ns)
    read = IP(bytes(made))
    probe = read[OneWay]
    assert (read.src, read.dst) == ("10.1.255.250", "10.2.255.250")
    assert (probe.mark, probe.way) == (MARK, way)
    assert (probe.sequence, probe.sent_ns) == (sequence, sent_ns)
    assert len(made) + 14 == FRAME_BYTES


def test_a_datagram_has_no_udp_checksum_as_its_stamp_is_written_later() -> None:
    assert IP(datagram("10.1.255.250", "10.2.255.250", 0))[UDP].chksum == 0


def test_a_probe_that_comes_after_a_later_one_is_reordered() -> None:
    came = pl.DataFrame({"sequence": [0, 1, 2, 3, 4], "received_ns": [10, 40, 20, 30, 50]})
    assert reordered(came) == 1  # 1 came after 2 and 3


@given(st.lists(st.integers(0, 50), unique=True))
def test_the_count_is_that_of_the_definition(order: list[int]) -> None:
    came = pl.DataFrame(
        {"sequence": order, "received_ns": range(len(order))},
        schema={"sequence": pl.Int64, "received_ns": pl.Int64},
    )
    late = sum(any(other > one for other in order[:at]) for at, one in enumerate(order))
    assert reordered(came) == late
