"""From a written timeline to events: when, how long, and all that each does."""

from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scenario import reference
from scenario.loading import load_topology
from scenario.text.diagnostics import InvalidInput
from scenario.types.topology import Change, Event, Timing, Topology

Load = Callable[..., Topology]

TWO = """
campuses:
  c1: {hosts: [{count: 2, accelerator: H100}, {count: 1, accelerator: H200}]}
  c2: {hosts: [{count: 1, accelerator: H100}]}
links:
  near: {between: [c1, c2], distance: 10mi, rate: 400G}
  wide: {between: [c1, c2], distance: 20mi, rate: 1T, backward: {rate: 2T}}
  old: {between: [c2, c1], distance: 5km, rate: 1T, condition: damp, margin: 0.3dB, age: 10y%s}
"""


def _events(load: Load, *written: str, old: str = "") -> tuple[Event, ...]:
    listed = "".join(f"\n  - {{{event}}}" for event in written)
    return load(f"{TWO % old}timeline:{listed}\n").timeline


def _event(load: Load, written: str) -> Event:
    (event,) = _events(load, written)
    return event


@pytest.mark.parametrize(
    ("written", "timing"),
    [
        ("at: 2s", Timing(2.0)),
        ("at: 2s, for: 300ms", Timing(2.0, lasts_s=0.3)),
        ("at: 0s, mttr: 1min", Timing(0.0, mttr_s=60.0)),
        ("every: 5s, for: 1s", Timing(5.0, every_s=5.0, lasts_s=1.0)),
        ("every: 5s, from: 0s, for: 1s", Timing(0.0, every_s=5.0, lasts_s=1.0)),
        ("mtbf: 1h, mttr: 2s", Timing(0.0, mtbf_s=3600.0, mttr_s=2.0)),
        ("mtbf: 1h, from: 9s, for: 2s", Timing(9.0, mtbf_s=3600.0, lasts_s=2.0)),
    ],
)
def test_when_and_how_long_is_as_written(load: Load, written: str, timing: Timing) -> None:
    assert _event(load, f"event: controller-crash, {written}").timing == timing


@pytest.mark.parametrize(
    ("written", "pause_s"), [("pause: 30ms", 0.03), ("times: 3", 0.02), ("times: 3, name: x", 0.02)]
)
def test_a_flap_pauses_as_long_as_it_is_down_unless_it_says_otherwise(
    load: Load, written: str, pause_s: float
) -> None:
    event = _event(load, f"event: link-flap, link: near, at: 1s, for: 20ms, {written}")
    assert event.timing == Timing(1.0, lasts_s=0.02, times=3, pause_s=pause_s)
    assert event.links_down == ("near",)


def test_a_pattern_takes_all_links_that_match_at_once(load: Load) -> None:
    assert _event(load, 'event: link-down, link: "*", at: 1s').links_down == ("near", "wide", "old")
    assert (
        _event(load, 'event: link-down, link: "[nw]*", at: 1s').says == "links near and wide down"
    )


def test_a_degraded_link_changes_what_is_given_in_the_direction_given(load: Load) -> None:
    both = _event(load, "event: degrade, link: near, at: 1s, loss: 1%, delay: 1ms, rate: 100G")
    fields = {"rate_bps": 100e9, "delay_s": 1e-3, "loss": 0.01}
    assert both.changes == (Change("near", fields, fields),)
    assert both.says == "link near: rate 100Gbit/s, delay 1ms, loss 1 %"
    one = _event(load, "event: degrade, link: near, at: 1s, loss: 1%, direction: backward")
    assert one.changes == (Change("near", {}, {"loss": 0.01}),)


def test_a_rate_step_leaves_each_direction_its_share(load: Load) -> None:
    (change,) = _event(load, "event: rate-step, link: wide, at: 1s, share: 25%").changes
    assert (change.forward, change.backward) == ({"rate_bps": 250e9}, {"rate_bps": 500e9})


def test_a_power_loss_takes_all_hosts_and_all_links_of_the_campus(load: Load) -> None:
    event = _event(load, "event: power-loss, campus: c1, at: 1s, for: 1s")
    assert event.hosts_down == ("c1-h100-1", "c1-h100-2", "c1-h200-1")
    assert event.links_down == ("near", "wide", "old")


@pytest.mark.parametrize(
    ("which", "hosts"),
    [
        ("campus: c1", ("c1-h100-1", "c1-h100-2", "c1-h200-1")),
        ('hosts: "*-1"', ("c1-h100-1", "c1-h200-1", "c2-h100-1")),
        ("hosts: c1-h200-1", ("c1-h200-1",)),
    ],
)
def test_hosts_are_named_by_pattern_or_campus(
    load: Load, which: str, hosts: tuple[str, ...]
) -> None:
    slow = _event(load, f"event: throttle, {which}, at: 1s, for: 1s, slowdown: 1.6")
    assert (slow.slowed, slow.slowdown, slow.hosts_down) == (hosts, 1.6, ())
    assert _event(load, f"event: crash, {which}, at: 1s").hosts_down == hosts


def test_a_controller_crash_takes_nothing_else(load: Load) -> None:
    event = _event(load, "event: controller-crash, at: 1s")
    said = Event("controller-crash-1", "controller-crash", "controller down", Timing(1.0))
    assert event == replace(said, controller_down=True)


def test_events_are_named_by_kind_and_number_unless_they_say_otherwise(load: Load) -> None:
    cut = "event: link-down, link: near, at: 1s"
    events = _events(load, cut, "event: controller-crash, at: 1s", cut + ", name: digger", cut)
    names = ["link-down-1", "controller-crash-1", "digger", "link-down-3"]
    assert [event.name for event in events] == names


# --- drift -----------------------------------------------------------------------------------------


def test_a_drift_ends_at_its_age_and_stays_there(load: Load) -> None:
    events = _events(load, "event: drift, link: old, at: 1s, for: 4s, to-age: 30y, steps: 4")
    assert [event.timing.first_s for event in events] == [2, 3, 4, 5]
    assert [event.timing.lasts_s for event in events] == [1, 1, 1, None]
    old = load(TWO % "", ["links.old.age=30y"]).links[2]
    assert events[-1].changes[0].forward["loss"] == old.forward.loss
    losses = [event.changes[0].forward["loss"] for event in events]
    assert losses == sorted(losses)
    assert events[1].says == "link old: 20 years old"


def test_a_drift_has_no_step_before_anything_changes(load: Load) -> None:
    drift = "\n  - {event: drift, link: old, at: 0s, for: 10s, to-age: 45y, steps: 40}"
    body = f"{TWO % ', aging: step'}timeline:{drift}\n"
    events = load(body, ["links.old.distance=60km", "links.old.margin=2dB"]).timeline
    rates = [event.changes[0].forward["rate_bps"] for event in events]
    assert len(events) < 40
    assert set(rates) <= {0.75e12, 0.5e12, 0.25e12}
    assert all("loss" not in event.changes[0].forward for event in events)


def test_a_drift_leaves_a_direction_alone_whose_loss_is_given(load: Load) -> None:
    drift = "event: drift, link: old, at: 0s, for: 10s, to-age: 30y, steps: 1"
    (event,) = _events(load, drift, old=", forward: {loss: 1%}")
    assert event.changes[0].forward == {}
    assert event.changes[0].backward["loss"] > 1e-4


# --- flaps, inheritance, overrides -----------------------------------------------------------------


def test_a_link_that_flaps_is_an_event_by_chance(load: Load) -> None:
    (event,) = load(TWO % ", flaps: {mtbf: 1h, mttr: 2s}").timeline
    assert event == Event(
        "flaps-old", "link-flap", "link old down", Timing(mtbf_s=3600.0, mttr_s=2.0), ("old",)
    )


def test_flaps_are_inherited_and_taken_back(load: Load) -> None:
    every = "defaults.links.flaps={mtbf: 1h, mttr: 2s}"
    names = [event.name for event in load(TWO % "", [every]).timeline]
    assert names == ["flaps-near", "flaps-wide", "flaps-old"]
    fewer = load(TWO % "", [every, "links.wide.flaps=null", "links.old.flaps.mttr=3s"]).timeline
    assert [(event.name, event.timing.mttr_s) for event in fewer] == [
        ("flaps-near", 2.0),
        ("flaps-old", 3.0),
    ]


def test_an_override_reaches_into_the_timeline_by_number(load: Load) -> None:
    body = TWO % "" + "timeline:\n  - {event: link-down, link: near, at: 1s}\n"
    for path in ("timeline.0.at=3s", "timeline[0].at=3s"):
        assert load(body, [path]).timeline[0].timing.first_s == 3
    assert load(body, ["timeline=[]"]).timeline == ()
    with pytest.raises(InvalidInput, match="this list has entries 0 to 0"):
        load(body, ["timeline[1].at=3s"])


def test_the_timeline_of_the_reference_is_a_timeline(load: Load) -> None:
    written = reference.TIMELINE.format(when="").split("```yaml\n")[1].split("```")[0]
    links = "".join(
        f"\n  {name}: {{between: [{ends}], distance: 10mi, rate: 1T, {rest}}}"
        for name, ends, rest in (
            ("c1-c2", "c1, c2", "condition: damp, margin: 1dB"),
            ("c1-c3", "c1, c3", "age: 1y"),
        )
    )
    campuses = "".join(f"\n  c{n}: {{hosts: [{{count: 1, accelerator: H100}}]}}" for n in (1, 2, 3))
    timeline = load(f"campuses:{campuses}\nlinks:{links}\n{written}").timeline
    assert len({event.kind for event in timeline}) == 9


MOMENTS = st.sampled_from(["1ms", "20ms", "1s", "3s", "1min"])


@given(st.dictionaries(st.sampled_from(["at", "every", "mtbf", "from", "for", "mttr"]), MOMENTS))
def test_every_timing_is_refused_or_ends_before_it_comes_again(
    tmp_path_factory: pytest.TempPathFactory, keys: dict[str, str]
) -> None:
    file = tmp_path_factory.getbasetemp() / "timing.yaml"
    written = "".join(f", {key}: {value}" for key, value in keys.items())
    body = f"{TWO % ''}timeline: [{{event: crash, campus: c1{written}}}]"
    file.write_text(f"longhaul: 1\nname: test\n{body}\n", encoding="utf-8")
    try:
        (event,) = load_topology(file).timeline
    except InvalidInput:
        return
    when = event.timing
    assert len(keys.keys() & {"at", "every", "mtbf"}) == 1
    assert (when.every_s or when.mtbf_s) is None or (when.lasts_s or when.mttr_s)
    assert when.every_s is None or (when.lasts_s or when.mttr_s or 0) < when.every_s
