"""Written values to a `Spread`: units read, values between two ends and of distributions made.

In: the model of one thing varied, and its place. Out: the spread, or complaints.
"""

from __future__ import annotations

import json
import re
from typing import Any

from scenario.study.language import VariedModel
from scenario.text.digits import powers
from scenario.text.tree import Problems, Steps
from scenario.text.units import NUMBER, QUANTITIES, UnitError, read
from scenario.types.study import Choices, Normal, Spread, Stretch, Unit, Value

_PARTS = re.compile(rf"\s*({NUMBER})\s*(\S*)\s*")
_KINDS = ("values", "range", "normal")


def spread(written: VariedModel, problems: Problems, steps: Steps) -> Spread | None:
    """What it is varied over; None after a complaint."""
    said = [kind for kind in _KINDS if getattr(written, kind) is not None]
    if len(said) != 1:
        message = "varied over nothing" if not said else f"both {' and '.join(said)}"
        problems.add(steps, message, "a list of values, `range` or `normal`")
        return None
    for key, kind in (("names", "values"), ("spacing", "range")):
        if key in written.model_fields_set and said != [kind]:
            problems.add_key((*steps, key), f"`{key}` goes with `{kind}`", f"`{kind}`")
    if said == ["values"]:
        return _choices(written, problems, steps)
    numbers = _numbers(getattr(written, said[0]), problems, (*steps, said[0]))
    if numbers is None:
        return None
    if said == ["normal"]:
        return _normal(written, *numbers, problems, (*steps, "normal"))
    return _between(written, *numbers, problems, (*steps, "range"))


def value(written: Any, like: Spread) -> Value:
    """A single written value of the same kind as those of a spread."""
    known = _measured(written)
    text = spelled(written)
    if isinstance(like, Choices):
        found = [one for one in like.values if one.text == text]
        if found:
            return found[0]
    if known and like.measured:
        return Value(text, text, known[0])
    return Value(text, _named(written), -1.0)


def spelled(written: Any) -> str:
    """A value as `--set` takes it: texts as they are, the rest as JSON, which YAML contains."""
    return written if isinstance(written, str) else json.dumps(written)


def _choices(written: VariedModel, problems: Problems, steps: Steps) -> Choices | None:
    listed = written.values or []
    if written.names and len(written.names) != len(listed):
        problems.add((*steps, "names"), f"{len(written.names)} names of {len(listed)} values")
        return None
    texts = [spelled(one) for one in listed]
    for index, text in enumerate(texts):
        if text in texts[:index]:
            problems.add((*steps, "values", index), "the same value again")
            return None
    labels = written.names or [_named(one) for one in listed]
    known = [_measured(one) for one in listed]
    units = {one[1].quantity for one in known if one}
    if not written.names and all(known) and len(units) == 1:
        numbers = [one[0] for one in known if one]
        made = [Value(*three) for three in zip(texts, labels, numbers, strict=True)]
        return Choices(tuple(made), measured=True, quantity=units.pop())
    places = [float(index) for index in range(len(listed))]
    return Choices(tuple(Value(*three) for three in zip(texts, labels, places, strict=True)))


def _named(written: Any) -> str:
    """What to call a value: of a mapping, all of it in a line; 7e9 and not 7000000000.0."""
    text = powers(written) if isinstance(written, float) else spelled(written).replace('"', "")
    return text if len(text) <= 40 else text[:39] + "…"


def _numbers(
    listed: list[Any], problems: Problems, steps: Steps
) -> tuple[tuple[float, Unit], tuple[float, Unit]] | None:
    """Two quantities of one kind."""
    found = [_measured(one) for one in listed]
    for index, one in enumerate(found):
        if one is None:
            problems.add((*steps, index), "not a quantity", "a number with its unit, such as 10mi")
    first, second = found
    if first is None or second is None:
        return None
    if first[1].quantity != second[1].quantity:
        expected = f"a {first[1].quantity or 'bare number'}, as the first is"
        problems.add((*steps, 1), "quantities of two kinds", expected)
        return None
    return first, second


def _measured(written: Any) -> tuple[float, Unit] | None:
    """A quantity in SI with the unit that it is written in; None where it is none."""
    if isinstance(written, bool) or not isinstance(written, (int, float, str)):
        return None
    if not isinstance(written, str):
        return float(written), Unit(whole=isinstance(written, int))
    parts = _PARTS.fullmatch(written)
    if parts is None:
        return None
    for quantity in QUANTITIES.values():
        try:
            found = read(written, quantity)
        except UnitError:
            continue
        if not parts[2]:
            return float(written), Unit()
        return found, Unit(parts[2], float(quantity.units[parts[2]]), quantity.name)
    return None


def _between(
    written: VariedModel,
    low: tuple[float, Unit],
    high: tuple[float, Unit],
    problems: Problems,
    steps: Steps,
) -> Stretch | None:
    logarithmic = written.spacing == "logarithmic"
    if not low[0] < high[0]:
        problems.add((*steps, 1), "a range that does not go up", "more than the first")
        return None
    if logarithmic and low[0] <= 0:
        problems.add((*steps, 0), "no logarithm of this", "more than 0")
        return None
    whole = low[1].whole and high[1].whole and not logarithmic
    unit = low[1] if low[1].si or not low[0] else high[1]
    made = Unit(unit.name, unit.si, unit.quantity, whole)
    return Stretch(low[0], high[0], made, written.steps, logarithmic)


def _normal(
    written: VariedModel,
    mean: tuple[float, Unit],
    deviation: tuple[float, Unit],
    problems: Problems,
    steps: Steps,
) -> Normal | None:
    if deviation[0] <= 0:
        problems.add((*steps, 1), "no standard deviation", "more than 0")
        return None
    unit = mean[1]
    return Normal(mean[0], deviation[0], Unit(unit.name, unit.si, unit.quantity), written.steps)
