"""Parameters of a student's own: the same each time, different from others', fair; nobody's without the secret."""

from __future__ import annotations

import re
from itertools import product
from math import inf
from pathlib import Path

import pytest

from longhaul.api.plans import plan
from longhaul.labs import draws
from longhaul.labs.catalogue import Lab, lab, labs
from longhaul.labs.exercises import allreduce, glass, lossless
from longhaul.labs.exercises.crossover import compared, crossing_bytes
from longhaul.labs.marking import fair, read_variants
from scenario.errors import WrongInput
from traffic.benchmark import cases

SECRET = b"a secret of one course"
LABS = [pytest.param(one, id=one.folder.name) for one in labs().values()]


def own(one: Lab, who: str, key: bytes = SECRET) -> draws.Drawn:
    return draws.drawn(one, key, who, fair(one))


@pytest.mark.parametrize("one", LABS)
def test_a_student_always_gets_the_same_and_it_is_fair(one: Lab) -> None:
    first = own(one, "ada")
    assert own(one, "ada") == first
    assert fair(one)(first)
    assert all(value in one.sheet.parameters[name].values() for name, value in first.items())


def test_students_and_courses_differ() -> None:
    one = lab("1")
    several = [tuple(own(one, f"student-{number}").items()) for number in range(40)]
    assert len(set(several)) > 35
    assert own(one, "ada") != own(one, "ada", b"the secret of another course")


def test_further_draws_are_not_the_students_own() -> None:
    one = lab("1")
    further = draws.others(one, SECRET, "ada", fair(one), 5)
    assert len(further) == 5
    assert own(one, "ada") not in further


def test_a_draw_that_is_not_fair_is_left_out() -> None:
    def only_fibre(drawn: draws.Drawn) -> bool:
        return drawn["medium"] == "fibre"

    found = [draws.drawn(lab("1"), SECRET, f"student-{n}", only_fibre) for n in range(20)]
    assert {one["medium"] for one in found} == {"fibre"}
    with pytest.raises(draws.Unfair):
        draws.drawn(lab("1"), SECRET, "ada", lambda _: False)


@pytest.mark.parametrize("who", ["", "../ada", "a b", "=1+1", "x" * 65])
def test_an_id_that_is_none_is_refused(who: str) -> None:
    with pytest.raises(WrongInput, match="student"):
        draws.student(who)


def test_a_short_secret_is_refused(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("guess me")
    with pytest.raises(WrongInput, match="16"):
        draws.secret(tmp_path / "secret")


def test_variants_must_name_what_the_lab_draws(tmp_path: Path) -> None:
    file = tmp_path / "variants.yaml"
    file.write_text("lab-1:\n  - {distance_km: 2222, medium: fibre, rate_Gbps: 400}\n")
    assert read_variants(file) == {1: ({"distance_km": 2222, "medium": "fibre", "rate_Gbps": 400},)}
    file.write_text("lab-1:\n  - {distance_km: 2222}\n")
    with pytest.raises(WrongInput, match="medium"):
        read_variants(file)
    file.write_text("lab-99: []\n")
    with pytest.raises(WrongInput, match="no lab"):
        read_variants(file)


def test_crossing_borders_as_little_as_can_be_is_faster_than_the_ring_for_every_draw() -> None:
    """Lab 4 at its least distance: 2(C−1) messages of S/C, one after another, and all of it inside at a NIC's rate,
    against the model's ring, which runs to a thousandth as the model says."""
    sheet = lab("4").sheet.parameters
    km = float(min(sheet["distance_km"].values()))
    for drawn in sheet["campuses"].values():
        sizes = allreduce.campuses({"campuses": str(drawn)})
        crossings = 2 * (len(sizes) - 1)
        inside_s = 2 * (max(sizes) - 1) * allreduce.SIZE * 8 / 3.2e12
        across_s = km * 4.897e-6 + allreduce.SIZE / len(sizes) * 8 / 400e9
        place = allreduce.fabric({"campuses": drawn, "distance_km": km})
        wanted = compared(("ring",), (allreduce.SIZE,))
        (ring,) = cases(wanted, plan(place))
        assert crossings * across_s + inside_s < 0.95 * ring.predicted_s, drawn


@pytest.mark.parametrize("who", [f"student-{number}" for number in range(300)])
def test_what_is_lost_hangs_on_no_moment_of_the_switches(who: str) -> None:
    """Lab 8: the counts by its formulas are the same whether a switch sees to it at once or in six milliseconds,
    and whether datagrams wait behind training or not."""
    mine = own(lab("8"), who)
    interval, cut = float(mine["interval_ms"]), float(mine["cut_ms"])
    delay = float(mine["distance_km"]) * 4.897e-3
    sent = [number * interval for number in range(100)]

    def lost(after: float, until: float) -> int:
        return sum(after < one < until for one in sent)

    repaired, back = cut + float(mine["repair_ms"]), cut + 400 + float(mine["hold_down_ms"])
    moments = [(wait, noticed) for wait in (-1.0, 0.0, 2.0) for noticed in (-1.0, 0.0, 5.0, 7.0)]
    assert len({lost(cut - delay - wait, cut + noticed) for wait, noticed in moments}) == 1
    assert len({lost(cut - delay - wait, repaired + noticed) for wait, noticed in moments}) == 1
    assert len({min(one for one in sent if one > back + noticed) for _, noticed in moments}) == 1


@pytest.mark.parametrize(
    ("losing", "stepping", "gained"),
    [(2.0, 1.0, 0.5), (1.0, 2.0, -1.0), (inf, 1.0, 1.0), (1.0, inf, -1.0), (inf, inf, 0.0)],
)
def test_a_ring_that_never_ends_loses_to_one_that_does(
    losing: float, stepping: float, gained: float
) -> None:
    assert glass.gain(losing, stepping) == gained


def test_lab_3_has_every_crossing_between_the_sizes_that_it_measures() -> None:
    one = lab("3")
    text = (one.folder / "README.md").read_text(encoding="utf-8")
    sizes = re.search(r"--sizes (\d+)M:(\d+)M:", text)
    assert sizes
    least, most = (int(size) << 20 for size in sizes.groups())
    every = product(*(spec.values() for spec in one.sheet.parameters.values()))
    for mine in (dict(zip(one.sheet.parameters, values, strict=True)) for values in every):
        alpha_s, rate_bps = 2e-6 * float(mine["host_delay_us"]), 1e9 * float(mine["rate_Gbps"])
        if fair(one)(mine):
            assert 2 * least < crossing_bytes(int(mine["hosts"]), alpha_s, rate_bps) < most / 1.4


@pytest.mark.parametrize("who", [f"student-{number}" for number in range(100)])
def test_an_incast_fits_with_its_threshold_and_not_with_twice_of_it(who: str) -> None:
    """Lab 11, by what the queue grows to: n thresholds, and (n−1)·r for a round trip at least (the flows of which a
    notification is late are left out)."""
    mine = own(lab("11"), who)
    senders, bytes_per_s = int(mine["senders"]), float(mine["incast_Gbps"]) * 1e9 / 8
    room = float(mine["buffer_MB"]) * 1e6 * 8 / 9
    threshold = lossless.threshold_bytes(mine)
    at_least = (senders - 1) * bytes_per_s * lossless.ROUND_TRIP_S
    assert senders * threshold + at_least < room < senders * 2 * threshold + at_least
    assert threshold > 10 * lossless.FRAME
