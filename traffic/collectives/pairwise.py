"""Everybody with everybody: in n−1 rounds, one partner at a time (pairwise), or all at once (direct)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from traffic.collectives.blocks import Blocks
from traffic.collectives.building import Builder, Message, copy, reduce
from traffic.schedule import Piece

Rounds = Iterator[list[Message]]


def all_to_all(build: Builder, members: Sequence[int], piece: Piece) -> None:
    """One partner at a time: (n−1)α + (n−1)/n·Sβ. [Thakur 2005]"""
    _one_by_one(build, members, _exchanges(build, members, piece))


def direct_all_to_all(build: Builder, members: Sequence[int], piece: Piece) -> None:
    """All blocks at once: α + (n−1)/n·Sβ. [NCCL: grouped send/recv]"""
    _at_once(build, _exchanges(build, members, piece))


def reduce_scatter(build: Builder, members: Sequence[int], piece: Piece) -> None:
    """One partner at a time: (n−1)α + (n−1)/n·Sβ. [Thakur 2005]"""
    _one_by_one(build, members, _contributions(members, piece))


def direct_reduce_scatter(build: Builder, members: Sequence[int], piece: Piece) -> None:
    """Every chunk straight to its owner, all at once: α + (n−1)/n·Sβ."""
    _at_once(build, _contributions(members, piece))


def all_gather(build: Builder, members: Sequence[int], piece: Piece) -> None:
    """One partner at a time: (n−1)α + (n−1)/n·Sβ. [Thakur 2005]"""
    _one_by_one(build, members, _chunks(members, piece))


def direct_all_gather(build: Builder, members: Sequence[int], piece: Piece) -> None:
    """The own chunk to everybody, all at once: α + (n−1)/n·Sβ."""
    _at_once(build, _chunks(members, piece))


def all_reduce(build: Builder, members: Sequence[int], piece: Piece) -> None:
    """Reduce-scatter and all-gather, one partner at a time: 2(n−1)α + 2(n−1)/n·Sβ."""
    reduce_scatter(build, members, piece)
    all_gather(build, members, piece)


def direct_all_reduce(build: Builder, members: Sequence[int], piece: Piece) -> None:
    """Reduce-scatter and all-gather, all at once: 2α + 2(n−1)/n·Sβ."""
    direct_reduce_scatter(build, members, piece)
    direct_all_gather(build, members, piece)


def send_recv(build: Builder, members: Sequence[int], piece: Piece) -> None:
    """Everybody sends all its input to the next rank, which has it behind its own: α + Sβ.
    [nccl-tests: sendrecv]"""
    count = len(members)
    if count > 1:
        build.step(
            copy(rank, members[(place + 1) % count], piece, piece.end)
            for place, rank in enumerate(members)
        )


def parameter_server(build: Builder, members: Sequence[int], piece: Piece) -> None:
    """Each of k servers sums its share for everybody and sends it back: 2α + 2(n−1)/k·Sβ at a server.
    [Li et al. 2014]"""
    first, count = build.options.root, len(members)
    shares = piece.cut(build.options.servers)
    pushes = [
        (members[(first + server + far) % count], members[(first + server) % count], share)
        for far in range(1, count)
        for server, share in enumerate(shares)
    ]
    build.step(reduce(worker, server, share) for worker, server, share in pushes)
    build.step(copy(server, worker, share) for worker, server, share in pushes)


def _exchanges(build: Builder, members: Sequence[int], piece: Piece) -> Rounds:
    blocks = Blocks.of(build, members, piece)
    for pairs in _rounds(len(members)):
        yield [
            copy(members[a], members[b], blocks.input(a, b), blocks.output(a, b).offset)
            for a, b in pairs
        ]


def _contributions(members: Sequence[int], piece: Piece) -> Rounds:
    chunks = piece.cut(len(members))
    for pairs in _rounds(len(members)):
        yield [reduce(members[a], members[b], chunks[b]) for a, b in pairs]


def _chunks(members: Sequence[int], piece: Piece) -> Rounds:
    chunks = piece.cut(len(members))
    for pairs in _rounds(len(members)):
        yield [copy(members[a], members[b], chunks[a]) for a, b in pairs]


def _rounds(count: int) -> Iterator[list[tuple[int, int]]]:
    """(source, sink) places: in round d everybody sends to the d-th rank further on."""
    for far in range(1, count):
        yield [(place, (place + far) % count) for place in range(count)]


def _one_by_one(build: Builder, members: Sequence[int], rounds: Rounds) -> None:
    for messages in rounds:
        build.step(messages)
        build.fence(members)


def _at_once(build: Builder, rounds: Rounds) -> None:
    for messages in rounds:
        build.step(messages)
