"""Units: what people write is what is meant, and what is not meant is refused."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scenario.text import units
from scenario.text.units import Quantity, UnitError

ALL = [value for value in vars(units).values() if isinstance(value, Quantity)]

EXAMPLES = [
    ("400Gbit/s", units.RATE, 400e9),
    ("400G", units.RATE, 400e9),
    ("1.6 Tbit/s", units.RATE, 1.6e12),
    ("100Mbps", units.RATE, 100e6),
    ("10mi", units.DISTANCE, 16093.44),
    ("16.1 km", units.DISTANCE, 16100.0),
    ("78.8us", units.DURATION, 78.8e-6),
    ("78.8µs", units.DURATION, 78.8e-6),
    ("25MiB", units.SIZE, 25 * 2**20),
    ("16GB", units.SIZE, 16e9),
    ("20y", units.AGE, 20 * 365.25 * 86400),
    ("0.1%", units.SHARE, 1e-3),
    ("1e-5", units.SHARE, 1e-5),
    ("30ppm", units.SHARE, 3e-5),
    ("7e9", units.COUNT, 7e9),
    ("7B", units.COUNT, 7e9),
    ("4Mi", units.COUNT, 4 * 2**20),
    (7, units.COUNT, 7.0),
    ("989TFLOP/s", units.FLOPS, 989e12),
    ("450GB/s", units.BANDWIDTH, 450e9),
    ("-2dB", units.DECIBEL, -2.0),
]


@pytest.mark.parametrize(("written", "quantity", "value"), EXAMPLES)
def test_what_people_write_is_read_exactly(
    written: object, quantity: Quantity, value: float
) -> None:
    assert units.read(written, quantity) == value


@pytest.mark.parametrize("quantity", [q for q in ALL if not q.bare], ids=lambda q: q.name)
@pytest.mark.parametrize("written", [0, 10, 2.5, "10"])
def test_a_bare_number_is_refused_and_the_units_are_named(
    written: object, quantity: Quantity
) -> None:
    with pytest.raises(UnitError) as caught:
        units.read(written, quantity)
    assert all(unit in caught.value.expected for unit in quantity.units)
    assert f"{written}{next(iter(quantity.units))}" in caught.value.hint


@pytest.mark.parametrize("written", [None, True, [], "", " ", "x", "1e", "--1km", "1km km", "٣km"])
def test_what_is_no_quantity_is_refused(written: object) -> None:
    with pytest.raises(UnitError):
        units.read(written, units.DISTANCE)


def test_another_case_of_a_unit_is_refused_with_the_right_one_as_a_hint() -> None:
    with pytest.raises(UnitError) as caught:
        units.read("5KM", units.DISTANCE)
    assert caught.value.hint == "did you mean 5km?"


@pytest.mark.parametrize("quantity", [q for q in ALL if q != units.AGE], ids=lambda q: q.name)
@given(value=st.floats(min_value=-1e18, max_value=1e18, allow_nan=False))
def test_writing_and_reading_gives_the_same_number(quantity: Quantity, value: float) -> None:
    value = 0.0 if abs(value) < 1e-12 else value
    assert units.read(units.write(value, quantity), quantity) == value


@pytest.mark.parametrize("quantity", ALL, ids=lambda quantity: quantity.name)
@given(written=st.text(max_size=40))
def test_any_text_is_a_number_or_a_unit_error(quantity: Quantity, written: str) -> None:
    with contextlib.suppress(UnitError):
        assert isinstance(units.read(written, quantity), float)
