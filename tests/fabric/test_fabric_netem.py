"""What the kernel is told: delays to the nanosecond, rates beyond 32 bits, loss in bursts, seeds."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from longhaul.emulation.netlink import Held, _NetemOptions, link_seed, netem_options
from scenario.plan.types import Shape
from scenario.types.impairments import IMPAIRMENTS

FULL = 2**32 - 1


def options(seed: int = 1, **shape: Any) -> dict[str, Any]:
    """The options of a shape, attributes by name."""
    base = {"rate_bps": 1e9, "delay_s": 1e-3, "limit_packets": 1000}
    told = netem_options(Shape(**(base | shape)), seed)
    names = [name for name, _ in told["attrs"]]
    assert len(set(names)) == len(names)
    return told | dict(told["attrs"])


@given(st.integers(0, 10**10))
def test_a_delay_is_told_to_the_nanosecond(delay_ns: int) -> None:
    told = options(delay_s=delay_ns / 1e9)
    assert told["TCA_NETEM_LATENCY64"] == delay_ns
    assert told["delay"] == 0  # the older field counts microsecond ticks, and would be added


def test_a_jitter_is_told_to_the_nanosecond() -> None:
    assert options(jitter_s=12_345e-9)["TCA_NETEM_JITTER64"] == 12_345


@given(st.integers(8, 10**13))
def test_a_rate_is_told_in_whole_bytes_per_second_whatever_its_size(rate_bps: int) -> None:
    told = options(rate_bps=float(rate_bps))
    Bps = told.get("TCA_NETEM_RATE64", told["TCA_NETEM_RATE"]["rate"])  # noqa: N806
    assert abs(8 * Bps - rate_bps) <= 4
    assert 0 < told["TCA_NETEM_RATE"]["rate"] <= FULL


def test_400_gigabits_go_beyond_32_bits_and_10_do_not() -> None:
    assert options(rate_bps=400e9)["TCA_NETEM_RATE64"] == 50_000_000_000
    assert options(rate_bps=400e9)["TCA_NETEM_RATE"]["rate"] == FULL
    assert "TCA_NETEM_RATE64" not in options(rate_bps=10e9)
    assert options(rate_bps=10e9)["TCA_NETEM_RATE"]["rate"] == 1_250_000_000


def test_independent_loss_is_a_share_of_32_bits() -> None:
    told = options(loss=0.01)
    assert told["loss"] == round(0.01 * FULL)
    assert "TCA_NETEM_LOSS" not in told


@given(st.floats(1e-6, 0.5), st.floats(0.01, 0.99))
def test_loss_in_bursts_has_the_share_and_the_correlation_asked_for(
    loss: float, correlation: float
) -> None:
    told = options(loss=loss, loss_correlation=correlation)
    assert told["loss"] == 0  # else packets would be lost twice over
    ((kind, chain),) = told["TCA_NETEM_LOSS"]["attrs"]
    assert kind == "NETEM_LOSS_GE"
    assert (chain["h"], chain["k1"]) == (0, 0)  # all is lost in the bad state, nothing in the good
    p, r = chain["p"] / FULL, chain["r"] / FULL
    rounding = 1 / FULL / (p + r)
    assert p / (p + r) == pytest.approx(loss, abs=rounding)
    assert 1 - p - r == pytest.approx(correlation, abs=2 / FULL)


def test_duplicates_are_a_share_of_32_bits() -> None:
    assert options(duplicate=0.25)["duplicate"] == round(FULL / 4)


def test_corruption_and_reordering_are_told_only_where_asked() -> None:
    told = options(corruption=0.25, reorder=0.5)
    assert told["TCA_NETEM_CORRUPT"]["prob_corrupt"] == round(FULL / 4)
    assert told["TCA_NETEM_REORDER"]["prob_reorder"] == round(FULL / 2)
    assert told["gap"] == 1
    plain = options()
    assert not {"TCA_NETEM_CORRUPT", "TCA_NETEM_REORDER"} & plain.keys()
    assert plain["gap"] == plain["loss"] == plain["duplicate"] == 0


def test_a_queue_limit_is_told() -> None:
    assert options(limit_packets=12_345)["limit"] == 12_345


def test_every_attribute_told_has_the_kernels_number() -> None:
    """include/uapi/linux/pkt_sched.h counts them so."""
    kernels = {
        "TCA_NETEM_REORDER": 3, "TCA_NETEM_CORRUPT": 4, "TCA_NETEM_LOSS": 5, "TCA_NETEM_RATE": 6,
        "TCA_NETEM_RATE64": 8, "TCA_NETEM_LATENCY64": 10, "TCA_NETEM_JITTER64": 11,
        "TCA_NETEM_PRNG_SEED": 14,
    }  # fmt: skip
    told = options(
        rate_bps=400e9, loss=0.1, loss_correlation=0.5, corruption=0.1, reorder=0.1, jitter_s=1e-6
    )
    names = [name for name, _ in _NetemOptions.nla_map]
    assert {name: names.index(name) for name, _ in told["attrs"]} == kernels


@pytest.mark.parametrize("name", IMPAIRMENTS)
def test_what_is_read_back_tells_every_impairment_apart(name: str) -> None:
    loss = 0.1 if name == "loss_correlation" else 0.0
    plain = Shape(1e9, 1e-3, 100, loss=loss)
    impaired = replace(plain, **{name: 0.25})  # type: ignore[arg-type]
    assert Held.of(plain) != Held.of(impaired) == Held.said(netem_options(impaired, seed=7))


def test_seeds_differ_by_interface_and_by_run_and_fill_64_bits() -> None:
    seeds = [link_seed(run, name) for run in range(50) for name in ("c1-b-eth1", "c2-b-eth1")]
    assert len(set(seeds)) == 100
    assert all(0 <= seed < 2**64 for seed in seeds)
    assert max(seeds) > 2**63
    assert link_seed(1, "c1-b-eth1") == link_seed(1, "c1-b-eth1")
    assert options(seed=2**64 - 1)["TCA_NETEM_PRNG_SEED"] == 2**64 - 1
