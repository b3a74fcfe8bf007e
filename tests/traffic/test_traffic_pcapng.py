"""Captures are files as others read them."""

import io
import struct

from hypothesis import given
from hypothesis import strategies as st
from scapy.utils import RawPcapNgReader

from traffic.host import pcapng

ENDS = [("c1-b-eth1", "c1-b, from c2-b", 4e8), ("c2-b-eth1", "c2-b, from c1-b", 2e9)]
FRAMES = st.lists(
    st.tuples(
        st.integers(0, 1),
        st.integers(0, 2**63),
        st.binary(min_size=14, max_size=200),
        st.integers(0, 9000),
    ),
    max_size=8,
)


@given(FRAMES)
def test_another_reader_finds_the_frames_with_their_interfaces_and_times(
    frames: list[tuple[int, int, bytes, int]],
) -> None:
    blocks = [pcapng.file_head("longhaul", ENDS, 300)]
    blocks += [pcapng.packet(n, at, data, len(data) + cut) for n, at, data, cut in frames]
    blocks += [pcapng.statistics(number, 1, "the end") for number in (0, 1)]
    found = list(RawPcapNgReader(io.BytesIO(b"".join(blocks))))
    assert len(found) == len(frames)
    for (number, at, data, cut), (seen, meta) in zip(frames, found, strict=True):
        assert seen == data
        assert meta.wirelen == len(data) + cut
        assert meta.tshigh << 32 | meta.tslow == at
        assert meta.tsresol == 1_000_000_000
        assert meta.ifname == ENDS[number][0].encode()


@given(FRAMES)
def test_every_block_says_its_length_at_both_ends_and_is_aligned(
    frames: list[tuple[int, int, bytes, int]],
) -> None:
    text = pcapng.file_head("x", ENDS, 300)
    text += b"".join(pcapng.packet(n, at, data, len(data)) for n, at, data, _ in frames)
    kinds = []
    while text:
        kind, length = struct.unpack_from("<II", text)
        assert length % 4 == 0
        assert struct.unpack_from("<I", text, length - 4) == (length,)
        kinds.append(kind)
        text = text[length:]
    assert kinds == [0x0A0D0D0A, 1, 1] + [6] * len(frames)
