"""Events that change what a link does to packets: `degrade`, and transponders that step down."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from scenario.text.tree import Steps
from scenario.text.units import DURATION, RATE, write
from scenario.topology.impaired import FIELDS, said
from scenario.topology.scene import Scene, listed
from scenario.topology.timeline import Degrade, RateStep, Ways
from scenario.types.topology import Change, Direction, LongHaul

_NOTHING = "an event that changes nothing"


def degrade(scene: Scene, steps: Steps, event: Degrade) -> tuple[str, tuple[Change, ...]]:
    """The event at `steps` in words, and what it changes. Complains where that makes no sense."""
    links = scene.links_like(event.link)
    asked = said(event)
    ways = [way for link in links for way in _ways(link, event.direction)]
    _check(scene, steps, asked, ways)
    direction = "" if event.direction == "both" else f" {event.direction}"
    where = listed("link", [link.name for link in links], event.link)
    says = f"{where}{direction}: {', '.join(_said(event))}"
    return says, tuple(_change(link.name, event.direction, asked) for link in links)


def rate_step(scene: Scene, steps: Steps, event: RateStep) -> tuple[str, tuple[Change, ...]]:
    """The event at `steps` in words, and what it changes. Complains of a whole rate."""
    if event.share == 1:
        scene.problems.add((*steps, "share"), _NOTHING, "a share below 100%")
    links = scene.links_like(event.link)
    where = listed("link", [link.name for link in links], event.link)
    changes = tuple(Change(link.name, *_slower(link, event.share)) for link in links)
    return f"{where} at {event.share * 100:.3g} % of the rate", changes


def _slower(link: LongHaul, share: float) -> Iterator[Mapping[str, float]]:
    return ({"rate_bps": way.rate_bps * share} for way in (link.forward, link.backward))


def _check(
    scene: Scene, steps: Steps, asked: Mapping[str, float], ways: Sequence[Direction]
) -> None:
    """Complain of nothing changed, losses in bursts without losses, and more rate than there is."""
    if not asked:
        keys = ", ".join(key.replace("_", "-") for key in FIELDS)
        scene.problems.add(steps, _NOTHING, f"at least one of {keys}")
    elif all(getattr(way, field) == asked[field] for way in ways for field in asked):
        scene.problems.add(steps, _NOTHING, "something else than the link does anyway")
    elif "loss_correlation" in asked and not any(asked.get("loss", way.loss) for way in ways):
        message = "bursts of losses where nothing is lost"
        scene.problems.add((*steps, "loss-correlation"), message, "`loss` beside it")
    least_bps = min((way.rate_bps for way in ways), default=0.0)
    if asked.get("rate_bps", 0.0) > least_bps:
        message = "more than the link itself has"
        scene.problems.add((*steps, "rate"), message, f"at most {write(least_bps, RATE)}")


def _change(link: str, direction: Ways, fields: Mapping[str, float]) -> Change:
    forward = fields if direction in ("both", "forward") else {}
    return Change(link, forward, fields if direction in ("both", "backward") else {})


def _ways(link: LongHaul, direction: Ways) -> tuple[Direction, ...]:
    chosen = {"forward": (link.forward,), "backward": (link.backward,)}
    return chosen.get(direction, (link.forward, link.backward))


def _said(event: Degrade) -> Iterator[str]:
    """What a degraded link does, in words."""
    quantities = {"rate": RATE, "delay": DURATION, "jitter": DURATION}
    for key in FIELDS:
        value = getattr(event, key)
        if value is not None:
            quantity = quantities.get(key)
            amount = write(value, quantity) if quantity else f"{value * 100:.3g} %"
            yield f"{key.replace('_', '-')} {amount}"
