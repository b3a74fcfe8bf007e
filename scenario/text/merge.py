"""Combining trees: what is written later, or nearer to the item, wins.

Mappings merge key by key, at any depth; lists and single values are replaced whole. `null`, written
out, takes back what would be inherited. A fabric of another kind replaces the one it would inherit
from: they have too little in common.
"""

from __future__ import annotations

from functools import reduce

from scenario.text.tree import Entry, Mapping, Node, Scalar, at


def merge(base: Node | None, over: Node) -> Node:
    """`over` with whatever it leaves unsaid taken from `base`."""
    if isinstance(base, Mapping) and isinstance(over, Mapping):
        return merge_mappings(base, over)
    return over


def layered(*layers: Node | None) -> Node:
    """Each layer over those before it; the last one is there, others may be None."""
    *below, top = (layer for layer in layers if layer is not None)
    return merge(reduce(merge, below[1:], below[0]) if below else None, top)


def merge_mappings(base: Mapping, over: Mapping) -> Mapping:
    """As `merge`, for two mappings. Keys keep the order in which they were first written."""
    entries = dict(base.entries)
    for key, entry in over.entries.items():
        below = entries.get(key)
        if below is not None and _takes_back(entry.node):
            del entries[key]
        elif below is None or (key == "fabric" and _other_kind(below.node, entry.node)):
            entries[key] = entry
        else:
            entries[key] = Entry(entry.place, merge(below.node, entry.node))
    return Mapping(over.place, entries)


def with_entry(mapping: Mapping, key: str, entry: Entry) -> Mapping:
    """The mapping with one entry put in or replaced."""
    return Mapping(mapping.place, mapping.entries | {key: entry})


def without(mapping: Mapping, *keys: str) -> Mapping:
    """The mapping without some of its entries."""
    kept = {key: entry for key, entry in mapping.entries.items() if key not in keys}
    return Mapping(mapping.place, kept)


def only(mapping: Mapping, *keys: str) -> Mapping:
    """The mapping with no entries but these."""
    return without(mapping, *(key for key in mapping.entries if key not in keys))


def _takes_back(node: Node) -> bool:
    """An empty value is more often forgotten than meant, so only a written null counts."""
    return isinstance(node, Scalar) and node.value is None and node.text != ""


def _other_kind(base: Node, over: Node) -> bool:
    kinds = [at(node, "kind") for node in (base, over)]
    texts = [kind.text for kind in kinds if isinstance(kind, Scalar)]
    return len(texts) == 2 and texts[0] != texts[1]
