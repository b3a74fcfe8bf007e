"""When an event of the timeline happens, and for how long: as written, checked, to a `Timing`."""

from __future__ import annotations

from scenario.text.tree import Problems, Steps
from scenario.text.units import DURATION, write
from scenario.topology.timeline import LinkFlap, Timed
from scenario.types.topology import Timing

_STARTS = ("at", "every", "mtbf")


def timing(steps: Steps, event: Timed, problems: Problems) -> Timing:
    """When the event at `steps` happens. What makes no sense in it is added to `problems`."""
    _check_start(steps, event, problems)
    _check_length(steps, event, problems)
    mean_s = event.lasts or event.mttr or 0.0
    times, pause_s = _outages(event, mean_s)
    whole_s = times * mean_s + (times - 1) * pause_s
    if event.every and whole_s >= event.every:
        _complain_overlap(steps, event, whole_s, problems)
    return Timing(
        first_s=_first_s(event),
        every_s=event.every,
        mtbf_s=event.mtbf,
        lasts_s=event.lasts,
        mttr_s=event.mttr,
        times=times,
        pause_s=pause_s,
    )


def _first_s(event: Timed) -> float:
    """When it is first, or from when on chance decides."""
    if event.at is not None:
        return event.at
    return event.start if event.start is not None else event.every or 0.0


def _outages(event: Timed, mean_s: float) -> tuple[int, float]:
    """How many outages one occurrence has, and how far apart."""
    if not isinstance(event, LinkFlap):
        return 1, 0.0
    return event.times, event.pause if event.pause is not None else mean_s


def _check_start(steps: Steps, event: Timed, problems: Problems) -> None:
    said = [key for key in _STARTS if getattr(event, key) is not None]
    if not said:
        message = "no `at`, no `every`, and no `mtbf`"
        problems.add(steps, message, "when it happens, such as at: 3s")
    for second in said[1:]:
        message = f"both `{said[0]}` and `{second}`"
        problems.add_key((*steps, second), message, "one of the two says when it happens")
    if event.start is not None and event.at is not None:
        expected = "it with `every` or `mtbf`; `at` alone says when something happens once"
        problems.add_key((*steps, "from"), "`from` beside `at`", expected)


def _check_length(steps: Steps, event: Timed, problems: Problems) -> None:
    if event.lasts is not None and event.mttr is not None:
        expected = "one of the two says how long it lasts"
        problems.add_key((*steps, "mttr"), "both `for` and `mttr`", expected)
    if event.lasts is not None or event.mttr is not None:
        return
    again = [key for key in ("every", "mtbf") if getattr(event, key) is not None]
    if isinstance(event, LinkFlap):
        problems.add(steps, "a flap that never ends", "how long each is, such as for: 20ms")
    elif again:
        expected = "how long each lasts, such as for: 300ms, or mttr: 300ms"
        problems.add_key((*steps, again[0]), "it happens again, yet never ends", expected)


def _complain_overlap(steps: Steps, event: Timed, whole_s: float, problems: Problems) -> None:
    mean = " on average" if event.mttr else ""
    message = f"each lasts {write(round(whole_s, 9), DURATION)}{mean}, and the next is due before"
    if isinstance(event, LinkFlap):
        message += " (`times` downs with pauses between)"
    expected = f"less than `every`, {write(event.every or 0.0, DURATION)}"
    problems.add((*steps, "mttr" if event.mttr else "for"), message, expected)
