"""Expressions come to what Python's own would, of these operators alone, and never call anything."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scenario.expressions import MOST_CHARACTERS, NoExpression, Scalar, parse

VALUES: dict[str, Scalar | None] = {
    "links.c1-c2.distance": 1609.344,
    "algorithm": "ring",
    "waste": 0.3,
    "absent": None,
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
        ("true and 1 < 2", True),
        ("a < 1Gbit/s", True),
    ],
)
def test_an_expression_holds_or_not(text: str, holds: bool) -> None:
    assert parse(text, VALUES).holds(VALUES) is holds


@pytest.mark.parametrize(
    ("text", "at", "message"),
    [
        ("links.c1-c3.distance < 1mi", 0, "no such name"),
        ("waste > ", 8, "a value is missing"),
        ("waste > 3 lightyears", 10, "ended"),
        ("waste > 3parsec", 8, "no such unit"),
        ("(waste > 1", 0, "never closed"),
        ("waste & 1", 6, "a character"),
        ("waste == 'ring", 9, "a character"),
        ("__import__('os')", 10, "ended"),
        ("(" * 60 + "a" + ")" * 60, 51, "nested deeper"),
        ("not " * 60 + "true", 204, "nested deeper"),
        ("a" * (MOST_CHARACTERS + 1), 0, "too long"),
        ("", 0, "a value is missing"),
    ],
)
def test_what_is_no_expression_is_told_with_its_place(text: str, at: int, message: str) -> None:
    with pytest.raises(NoExpression, match=message) as caught:
        parse(text, VALUES)
    assert caught.value.at == at


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("absent > 1", "has no value"),
        ("algorithm > 1", "a text compared with a number"),
        ("a / (a - 2) > 1", "division by zero"),
        ("algorithm + 1 > 1", "no arithmetic"),
        ("a + 1", "neither true nor false"),
    ],
)
def test_what_cannot_be_worked_out_is_told(text: str, message: str) -> None:
    with pytest.raises(NoExpression, match=message):
        parse(text, VALUES).holds(VALUES)


NUMBERS = st.integers(0, 99).map(str)
SUMS = st.recursive(
    NUMBERS, lambda inner: st.tuples(inner, st.sampled_from(["+", "-", "*"]), inner).map(
        lambda three: f"({three[0]} {three[1]} {three[2]})"
    ), max_leaves=20,
)  # fmt: skip


@given(SUMS, st.sampled_from(["<", "<=", ">", ">=", "==", "!="]), SUMS)
def test_arithmetic_is_python_s(left: str, sign: str, right: str) -> None:
    found = parse(f"{left} {sign} {right}").holds({})
    assert found is eval(f"{left} {sign} {right}")  # of digits and signs alone
