"""What an item does not say, its group says; else its kind; else `defaults`.

    campus   the campus > its `template` > its `generation` > defaults.campuses
    hosts    the host (`exceptions`) > its group > kinds.hosts by accelerator > defaults.hosts
    link     the link > kinds.links by its `kind` > its `generation` > defaults.links

All of it is done on the tree, so that values keep the places where they were written.
"""

from __future__ import annotations

from collections.abc import Callable

from scenario.text.diagnostics import InvalidInput, complain
from scenario.text.merge import layered, merge, with_entry
from scenario.text.tree import Entry, Listing, Mapping, Node, Scalar, at, entries, size

SECTIONS = ("defaults", "kinds", "templates", "generations")
MOST_VALUES = 200_000
"""In a document once all that is inherited is written out: ten times what one file may hold."""


def inherit(root: Mapping) -> Mapping:
    """The document with every campus, host group and link written out in full. Raises InvalidInput where
    that is too much."""
    root = _each(root, "campuses", lambda campus: _campus(root, campus))
    root = _each(root, "links", lambda link: _link(root, link))
    _check_size(root)
    return root


def _check_size(root: Mapping) -> None:
    """Parts that many inherit are shared in the tree, and multiply when they are read."""
    sizes: dict[int, int] = {}
    if size(root, sizes) <= MOST_VALUES:
        return
    entry, name, largest = max(
        (
            (entry, f"{section}.{name}", size(entry.node, sizes))
            for section in ("campuses", "links")
            for name, entry in entries(at(root, section)).items()
        ),
        key=lambda one: one[2],
    )
    message = f"{size(root, sizes):,} values, with all that templates, kinds and defaults add"
    found = f"{largest:,} of them in {name}"
    expected = f"at most {MOST_VALUES:,}"
    raise InvalidInput([complain(entry.place, message, path=name, found=found, expected=expected)])


def _campus(root: Mapping, campus: Mapping) -> Node:
    inherited = at(root, "defaults", "campuses")
    template = _named(root, ("templates",), merge(inherited, campus), "template")
    made = _made(root, "campuses", layered(inherited, template, campus))
    full = layered(inherited, made, template, campus)
    groups = at(full, "hosts")
    if not isinstance(full, Mapping) or not isinstance(groups, Listing):
        return full
    items = tuple(_kin(root, "hosts", "accelerator", group) for group in groups.items)
    place = full.entries["hosts"].place
    return with_entry(full, "hosts", Entry(place, Listing(groups.place, items)))


def _kin(root: Mapping, section: str, by: str, item: Node) -> Node:
    """`item` over its kind, which its key `by` names, over the defaults."""
    if not isinstance(item, Mapping):
        return item
    inherited = at(root, "defaults", section)
    kind = _named(root, ("kinds", section), merge(inherited, item), by)
    return layered(inherited, kind, item)


def _link(root: Mapping, link: Mapping) -> Node:
    inherited = at(root, "defaults", "links")
    kind = _named(root, ("kinds", "links"), merge(inherited, link), "kind")
    made = _made(root, "links", layered(inherited, kind, link))
    return layered(inherited, made, kind, link)


def _made(root: Mapping, section: str, item: Node) -> Node | None:
    """What equipment of the item's `generation` is like, or None."""
    year = at(item, "generation")
    return at(root, "generations", year.text, section) if isinstance(year, Scalar) else None


def _named(root: Mapping, section: tuple[str, ...], item: Node, by: str) -> Node | None:
    """The entry of a section that `item` names in its key `by`, or None."""
    name = at(item, by)
    return at(root, *section, name.text) if isinstance(name, Scalar) else None


def _each(root: Mapping, section: str, full: Callable[[Mapping], Node]) -> Mapping:
    """The document with `full` applied to every mapping of a section."""
    items = at(root, section)
    if not isinstance(items, Mapping):
        return root
    entries = {
        key: Entry(entry.place, full(entry.node)) if isinstance(entry.node, Mapping) else entry
        for key, entry in items.entries.items()
    }
    place = root.entries[section].place
    return with_entry(root, section, Entry(place, Mapping(items.place, entries)))
