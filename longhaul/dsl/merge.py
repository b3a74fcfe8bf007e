"""Combining trees: what is written later, or nearer to the item, wins.

Mappings merge key by key, at any depth; lists and single values are replaced whole. A mapping whose
`kind` differs from the one it would inherit from replaces it too: they have little in common.
"""

from __future__ import annotations

from .tree import Entry, Mapping, Node, Scalar, at


def merge(base: Node | None, over: Node) -> Node:
    """`over` with whatever it leaves unsaid taken from `base`."""
    if not isinstance(base, Mapping) or not isinstance(over, Mapping) or _other_kind(base, over):
        return over
    return merge_mappings(base, over)


def merge_mappings(base: Mapping, over: Mapping) -> Mapping:
    """As `merge`, for two mappings. Keys keep the order in which they were first written."""
    entries = dict(base.entries)
    for key, entry in over.entries.items():
        below = entries.get(key)
        entries[key] = Entry(entry.place, merge(below.node if below else None, entry.node))
    return Mapping(over.place, entries)


def with_entry(mapping: Mapping, key: str, entry: Entry) -> Mapping:
    """The mapping with one entry put in or replaced."""
    return Mapping(mapping.place, mapping.entries | {key: entry})


def _other_kind(base: Mapping, over: Mapping) -> bool:
    kinds = [at(node, "kind") for node in (base, over)]
    texts = [kind.text for kind in kinds if isinstance(kind, Scalar)]
    return len(texts) == 2 and texts[0] != texts[1]
