"""The accelerators that come with longhaul (accelerators.yaml), put under those of a document."""

from __future__ import annotations

from functools import cache
from importlib import resources

from scenario.text.merge import merge, with_entry
from scenario.text.reading import read_text
from scenario.text.tree import Entry, Mapping, Node, at
from scenario.topology.models import AcceleratorModel
from scenario.types.topology import Accelerator


@cache
def catalogue() -> Mapping:
    """The catalogue's document."""
    name = "accelerators.yaml"
    return read_text(resources.files(__package__).joinpath(name).read_text("utf-8"), name)


def with_catalogue(root: Mapping) -> Mapping:
    """The document with the catalogue under `accelerators`; what it says itself comes first."""
    own: Node | None = at(root, "accelerators")
    if own is not None and not isinstance(own, Mapping):
        return root
    entry = root.entries.get("accelerators")
    place = entry.place if entry else root.place
    merged = merge(catalogue(), own) if own is not None else catalogue()
    return with_entry(root, "accelerators", Entry(place, merged))


def accelerator(name: str, written: AcceleratorModel) -> Accelerator:
    """The accelerator in SI units."""
    return Accelerator(name, written.peak, written.mfu, written.hbm, written.nic)
