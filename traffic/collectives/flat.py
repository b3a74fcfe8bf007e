"""The algorithms that know nothing of campuses, by collective and name."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from traffic.collectives import bruck, halving, pairwise, ring, trees
from traffic.collectives.building import Builder
from traffic.schedule import Piece

Algorithm = Callable[[Builder, Sequence[int], Piece], None]
"""Adds the steps of a collective among some ranks, over a piece of their buffers, to a schedule."""

FLAT: dict[tuple[str, str], Algorithm] = {
    ("all_reduce", "ring"): ring.all_reduce,
    ("all_reduce", "tree"): trees.double_tree_all_reduce,
    ("all_reduce", "recursive_doubling"): halving.doubling_all_reduce,
    ("all_reduce", "halving_doubling"): halving.all_reduce,
    ("all_reduce", "binomial"): trees.all_reduce,
    ("all_reduce", "pairwise"): pairwise.all_reduce,
    ("all_reduce", "direct"): pairwise.direct_all_reduce,
    ("all_reduce", "parameter_server"): pairwise.parameter_server,
    ("reduce_scatter", "ring"): ring.reduce_scatter,
    ("reduce_scatter", "halving_doubling"): halving.reduce_scatter,
    ("reduce_scatter", "pairwise"): pairwise.reduce_scatter,
    ("reduce_scatter", "direct"): pairwise.direct_reduce_scatter,
    ("all_gather", "ring"): ring.all_gather,
    ("all_gather", "halving_doubling"): halving.all_gather,
    ("all_gather", "bruck"): bruck.all_gather,
    ("all_gather", "pairwise"): pairwise.all_gather,
    ("all_gather", "direct"): pairwise.direct_all_gather,
    ("broadcast", "ring"): ring.broadcast,
    ("broadcast", "binomial"): trees.broadcast,
    ("reduce", "ring"): ring.reduce_to_root,
    ("reduce", "binomial"): trees.reduce_to_root,
    ("all_to_all", "pairwise"): pairwise.all_to_all,
    ("all_to_all", "direct"): pairwise.direct_all_to_all,
    ("all_to_all", "bruck"): bruck.all_to_all,
    ("barrier", "dissemination"): bruck.barrier,
    ("send_recv", "direct"): pairwise.send_recv,
}
