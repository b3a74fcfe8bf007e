"""Expressions come to what Python's own would, of these operators alone, and never call anything."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scenario.expressions.kinds import TEXT, TRUTH, among
from scenario.expressions.reading import MOST_CHARACTERS, parse
from scenario.expressions.terms import NoExpression, Term, Values

KINDS = {
    "links.c1-c2.distance": "m",
    "algorithm": TEXT,
    "faithful": TRUTH,
    "waste": "",
    "parameters": "",
    "payload": "B",
    "goodput": "B/s",
    "cost": "USD",
    "absent": "s",
    "ranks[*].wait_s": "s",
    "none[*].wait_s": "s",
    "a": "",
}
VALUES: Values = {
    "links.c1-c2.distance": 1609.344,
    "algorithm": "ring",
    "faithful": True,
    "waste": 0.3,
    "parameters": 7e9,
    "payload": 7.0,
    "goodput": 50e9,
    "cost": 3.0,
    "absent": None,
    "ranks[*].wait_s": [0.1, 2.0],
    "none[*].wait_s": [],
    "a": 2.0,
}


@pytest.mark.parametrize(
    ("text", "holds"),
    [
        ("links.c1-c2.distance <= 1mi", True),
        ("links.c1-c2.distance < 1mi", False),
        ("waste > 25% and algorithm == 'ring'", True),
        ('waste > 25% and not algorithm == "ring"', False),
        ("a * 3 - 1 == 5 or false", True),
        ("a - 1 - 1 == 0", True),
        ("-a + 2 == 0", True),
        ("(a + 1) * 2 == 6", True),
        ("12 / a / 3 == 2", True),
        ("12/a == 6", True),
        ("true and 1 < 2", True),
        ("faithful and not faithful == 0", True),
        ("(a > 1) == true", True),
        ("parameters == 7B", True),  # beside a count 7e9, beside a size 7 bytes
        ("payload == 7B", True),
        ("parameters == 2 * 3.5B", True),
        ("goodput == 400Gbit/s and goodput == 50GB/s", True),
        ("cost > 2", True),
        ("ranks[*].wait_s > 1s", True),
        ("ranks[*].wait_s > 3s", False),
        ("not ranks[*].wait_s > 1s", False),  # true of none, not: untrue of one
        ("2 * ranks[*].wait_s + 1s > 4.5s", True),
        ("absent > 1s", None),
        ("none[*].wait_s > 1s", None),
        ("absent > 1s or a == 2", True),
        ("absent > 1s and a == 3", False),
        ("absent > 1s and a == 2", None),
        ("not absent > 1s", None),
        ("a / (a - 2) > 1", None),
    ],
)
def test_an_expression_holds_or_not_or_cannot_be_told(text: str, holds: bool | None) -> None:
    assert parse(text, among(KINDS)).holds(VALUES) is holds


@pytest.mark.parametrize(
    ("text", "at", "message"),
    [
        ("links.c1-c3.distance < 1mi", 0, "no such name"),
        ("a > 1 and  b > 2", 11, "no such name: b"),
        ("waste > ", 8, "a value is missing"),
        ("waste > 3 lightyears", 10, "ended"),
        ("waste > 3parsec", 8, "no number with a unit: 3parsec"),
        ("(waste > 1", 0, "never closed"),
        ("waste & 1", 6, "a character"),
        ("waste == 'ring", 9, "a character"),
        ("__import__('os')", 10, "ended"),
        ("(" * 60 + "a" + ")" * 60, 51, "nested deeper"),
        ("not " * 60 + "true", 204, "nested deeper"),
        ("a" * (MOST_CHARACTERS + 1), 0, "too long"),
        ("+".join("1" * 200), 300, "too long"),
        ("", 0, "a value is missing"),
        ("algorithm > 1", 10, "a text compared with a number"),
        ("algorithm > 'ring'", 10, "texts have no order"),
        ("algorithm + 1 > 1", 0, "no arithmetic"),
        ("a + 1", 2, "neither true nor false"),
        ("a and true", 0, "neither true nor false"),
        ("1", 0, "neither true nor false"),
        ("absent > 3mi", 7, "a duration compared with a distance"),
        ("links.c1-c2.distance > waste", 21, "a distance compared with a number"),
        ("absent + 1mi > 3", 7, "a duration and a distance"),
        ("cost > 3s", 5, "USD compared with a duration"),
        ("ranks[*].wait_s > none[*].wait_s", 18, r"a second \[\*\]"),
    ],
)
def test_what_is_no_expression_is_told_with_its_place(text: str, at: int, message: str) -> None:
    with pytest.raises(NoExpression, match=message) as caught:
        parse(text, among(KINDS))
    assert caught.value.at == at


NUMBERS = st.integers(0, 99).map(str)
SUMS = st.recursive(
    NUMBERS, lambda inner: st.tuples(inner, st.sampled_from(["+", "-", "*"]), inner).map(
        lambda three: f"({three[0]} {three[1]} {three[2]})"
    ), max_leaves=20,
)  # fmt: skip


@given(SUMS, st.sampled_from(["<", "<=", ">", ">=", "==", "!="]), SUMS)
def test_arithmetic_is_python_s(left: str, sign: str, right: str) -> None:
    found = parse(f"{left} {sign} {right}", among({})).holds({})
    assert found is eval(f"{left} {sign} {right}")  # of digits and signs alone


WORDS = st.lists(
    st.sampled_from([*KINDS, *"<>=!+-*/()'", "==", ">=", "and", "or", "not", "true", "3", "3mi", "40%", "'x'"]),
    max_size=40,
).map(" ".join)  # fmt: skip


@given(WORDS | st.text(max_size=60))
def test_any_words_are_an_expression_or_told(text: str) -> None:
    """And where they are one, it is true, false, or cannot be told, without an exception."""
    found = read(text)
    if isinstance(found, NoExpression):
        assert 0 <= found.at <= len(text)
    else:
        assert found.holds(VALUES) in (True, False, None)
        assert found.holds({}) in (True, False, None)


def read(text: str) -> Term | NoExpression:
    """The expression, or why it is none."""
    try:
        return parse(text, among(KINDS))
    except NoExpression as error:
        return error


def test_a_deep_expression_takes_no_longer_than_it_is() -> None:
    text = "true"
    for _ in range(45):
        text = f"({text}) == true"
    assert parse(text, among({})).holds({}) is True
