"""What each collective must leave in every rank's buffer, whatever the algorithm.

In place: an all-reduce has input and output in bytes [0, S); rank i's chunk of a reduce-scatter's output or
an all-gather's input is the i-th of n chunks of them. Send-recv and all-to-all have their outputs
behind their inputs. A barrier leaves nothing.
"""

from __future__ import annotations

from collections.abc import Callable

from traffic.collectives.blocks import Blocks, counts
from traffic.collectives.options import Options
from traffic.schedule import Piece, Result

Results = tuple[tuple[Result, ...], ...]
"""By rank."""


def results(op: str, ranks: int, size_bytes: int, options: Options) -> Results:
    """The results of a collective over `size_bytes` per rank."""
    return RESULTS[op](ranks, Piece(0, size_bytes), options)


def _all_reduce(ranks: int, piece: Piece, _options: Options) -> Results:
    return ((_sum(piece, ranks),),) * ranks


def _reduce_scatter(ranks: int, piece: Piece, _options: Options) -> Results:
    return tuple((_sum(chunk, ranks),) for chunk in piece.cut(ranks))


def _all_gather(ranks: int, piece: Piece, _options: Options) -> Results:
    chunks = piece.cut(ranks)
    return (tuple(_from(chunk, rank, chunk) for rank, chunk in enumerate(chunks)),) * ranks


def _broadcast(ranks: int, piece: Piece, options: Options) -> Results:
    return ((_from(piece, options.root, piece),),) * ranks


def _reduce(ranks: int, piece: Piece, options: Options) -> Results:
    return tuple((_sum(piece, ranks),) if rank == options.root else () for rank in range(ranks))


def _all_to_all(ranks: int, piece: Piece, options: Options) -> Results:
    blocks = Blocks(counts(ranks, piece.size, options))
    return tuple(
        tuple(
            _from(blocks.output(source, sink), source, blocks.input(source, sink))
            for source in range(ranks)
            if source != sink
        )
        for sink in range(ranks)
    )


def _barrier(ranks: int, _piece: Piece, _options: Options) -> Results:
    return ((),) * ranks


def _send_recv(ranks: int, piece: Piece, _options: Options) -> Results:
    if ranks == 1:
        return ((),)
    behind = Piece(piece.end, piece.size)
    return tuple((_from(behind, (rank - 1) % ranks, piece),) for rank in range(ranks))


def _sum(piece: Piece, ranks: int) -> Result:
    return Result(piece.offset, piece.size, piece.offset, tuple(range(ranks)))


def _from(piece: Piece, rank: int, source: Piece) -> Result:
    return Result(piece.offset, piece.size, source.offset, (rank,))


RESULTS: dict[str, Callable[[int, Piece, Options], Results]] = {
    "all_reduce": _all_reduce,
    "reduce_scatter": _reduce_scatter,
    "all_gather": _all_gather,
    "broadcast": _broadcast,
    "reduce": _reduce,
    "all_to_all": _all_to_all,
    "barrier": _barrier,
    "send_recv": _send_recv,
}
