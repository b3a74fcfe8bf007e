"""The accelerators, switches and generations of equipment that come with longhaul (accelerators.yaml, switches.yaml,
generations.yaml), put under those of a document."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from importlib import resources

from scenario.text.merge import merge, with_entry
from scenario.text.reading import read_text
from scenario.text.shape import check
from scenario.text.tree import Entry, Mapping, Node, at
from scenario.topology.models import AcceleratorModel
from scenario.types.achieved import FLOP_PER_PARAMETER, USUAL_PARAMETERS, Achieved
from scenario.types.topology import Accelerator

SECTIONS = ("accelerators", "switches")


@cache
def catalogue(section: str = "accelerators") -> Mapping:
    """One of the catalogue's documents."""
    name = f"{section}.yaml"
    return read_text(resources.files(__package__).joinpath(name).read_text("utf-8"), name)


def with_generations(root: Mapping) -> Mapping:
    """The document with the catalogue's generations under its own: before anything is inherited from them."""
    return _with_section(root, "generations")


def with_catalogue(root: Mapping) -> Mapping:
    """The document with the catalogue under its sections; what it says itself comes first."""
    for section in SECTIONS:
        root = _with_section(root, section)
    return root


def _with_section(root: Mapping, section: str) -> Mapping:
    own: Node | None = at(root, section)
    if own is not None and not isinstance(own, Mapping):
        return root
    entry = root.entries.get(section)
    place = entry.place if entry else root.place
    merged = merge(catalogue(section), own) if own is not None else catalogue(section)
    return with_entry(root, section, Entry(place, merged))


def catalogued(name: str) -> Accelerator:
    """An accelerator of the catalogue by name. Raises KeyError."""
    entry = catalogue().entries[name].node
    assert isinstance(entry, Mapping)
    return accelerator(name, check(entry, AcceleratorModel))


def accelerator(name: str, written: AcceleratorModel) -> Accelerator:
    """The accelerator in SI units."""
    return Accelerator(
        name=name,
        peak_flops=written.peak,
        achieved=tuple(_achieved(written)),
        hbm_Bps=written.hbm,
        nic_bps=written.nic,
        memory_bytes=written.memory,
        tdp_w=written.tdp,
        nvlink_domain=written.nvlink_domain,
    )


def _achieved(written: AcceleratorModel) -> Iterator[Achieved]:
    """By hand, or as measured."""
    if written.mfu is not None:
        yield Achieved("bf16", USUAL_PARAMETERS, written.mfu * written.peak)
        if written.peak_fp8:
            yield Achieved("fp8", USUAL_PARAMETERS, written.mfu * written.peak_fp8)
        return
    for point in written.measured:
        flops = FLOP_PER_PARAMETER * point.parameters * point.tokens
        yield Achieved(point.precision, point.parameters, flops)
