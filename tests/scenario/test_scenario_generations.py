"""`generation:` of a link or campus: what equipment of a year brings, and who has the last word."""

from pathlib import Path

import pytest

from scenario.factors import factors, load_without
from scenario.text.tree import at, texts
from scenario.topology.catalogue import catalogue
from tests.scenario.conftest import Load

YEARS = texts(at(catalogue("generations")))
TWO = """
campuses:
  c1: {fabric: {kind: leaf-spine, leaves: 2, spines: 2}, hosts: [{count: 4, accelerator: H100}], %s}
  c2: {hosts: [{count: 1, accelerator: H100}]}
links:
  c1-c2: {between: [c1, c2], distance: 10mi, rate: 1.6T, %s}
"""


def test_a_link_of_2016_is_sixteen_members_with_shallow_buffers_that_notice_late(
    load: Load,
) -> None:
    (link,) = load(TWO % ("site: a", "generation: 2016")).links
    assert (link.members, link.noticed_s, link.forward.queue_bytes) == (16, 0.9, 500e3)
    assert link.forward.rate_bps == 1.6e12  # of all together


def test_what_the_link_its_kind_or_the_topology_says_goes_before_the_catalogue(load: Load) -> None:
    (own,) = load(TWO % ("site: a", "generation: 2016, member: 400G")).links
    assert (own.members, own.noticed_s) == (4, 0.9)
    body = (
        TWO % ("site: a", "generation: 2016, kind: old")
        + "kinds: {links: {old: {noticed-after: 2s}}}"
    )
    (kind,) = load(body).links
    assert (kind.members, kind.noticed_s) == (16, 2.0)
    (year,) = load(
        TWO % ("site: a", "generation: 2016"), ["generations.2016.links.member=200Gbit/s"]
    ).links
    assert (year.members, year.noticed_s) == (8, 0.9)
    (default,) = load(
        TWO % ("site: a", "generation: 2016") + "defaults: {links: {noticed-after: 5s}}"
    ).links
    assert default.noticed_s == 0.9  # nearer to the item than what holds for all


def test_a_campus_of_2016_has_thin_uplinks_and_a_thin_border(load: Load) -> None:
    old, new = (
        load(TWO % (text, "age: 0y")).campuses[0] for text in ("generation: 2016", "site: a")
    )
    thinner = [
        b.rate_bps / a.rate_bps for a, b in zip(old.fabric_links, new.fabric_links, strict=True)
    ]
    assert thinner == pytest.approx([3.0] * 4 + [2.0] * 2)
    said = load(TWO % ("generation: 2016, border-oversubscription: 1", "age: 0y")).campuses[0]
    assert said.fabric_links[-1].rate_bps == new.fabric_links[-1].rate_bps


@pytest.mark.parametrize("year", YEARS)
def test_every_year_of_the_catalogue_can_be_had_and_names_its_source(load: Load, year: str) -> None:
    rate = "rate: 80G, " if year == "2012" else ""
    body = (TWO % (f"generation: {year}", f"generation: {year}")).replace(
        "rate: 1.6T, ", rate or "rate: 1.6T, "
    )
    topology = load(body)
    assert topology.links[0].members > 1
    assert at(catalogue("generations"), year, "source") is not None


def test_a_year_of_ones_own_is_as_good_as_the_catalogues(load: Load) -> None:
    body = (
        TWO % ("site: a", "generation: 1998")
        + 'generations: {"1998": {links: {member: 100G, technology: 10g}}}'
    )
    assert load(body).links[0].members == 16


def test_without_the_factor_generation_only_what_it_brought_is_gone(tmp_path: Path) -> None:
    file = tmp_path / "a.yaml"
    text = "longhaul: 1\nname: test\n" + TWO
    file.write_text(text % ("generation: 2016", "generation: 2016, noticed-after: 1s"))
    without = load_without(file, (), ("generation",))
    assert (without.links[0].members, without.links[0].noticed_s) == (1, 1.0)
    assert without.links[0].forward.queue_bytes is None
    assert factors(load_without(file, (), ()))["generation"].usual
    assert not factors(without)["generation"].usual
