"""Continuous batching, against queueing theory, the roofline, and what every scheduler must keep."""

import math
from collections import Counter
from itertools import pairwise
from statistics import fmean, stdev

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scenario.types.inference import Arrivals, Inference
from tests.serving.conftest import Written
from tests.serving.served_in_memory import serve
from traffic.serving.batching import ContinuousBatch, Sequence, Speed
from traffic.serving.requests import requests

# A token takes 1 ms of arithmetic; weights are read in 4 ms, a thousand tokens of context in 1 ms.
SPEED = Speed(flops=1e12, memory_Bps=1e12, token_flop=1e9, weight_bytes=4e9, kv_bytes=1e6)
# Arithmetic alone counts: what is served takes as long as it has tokens.
BUSY = Speed(flops=1e12, memory_Bps=math.inf, token_flop=1e9, weight_bytes=0, kv_bytes=0)

REQUESTS = st.lists(
    st.tuples(st.floats(0, 2), st.integers(1, 200), st.integers(1, 30)), min_size=1, max_size=30
).map(sorted)


def test_a_prompt_takes_its_arithmetic_and_a_token_the_reading_of_weights_and_context() -> None:
    tokens = serve(ContinuousBatch(SPEED, 8, 2048), [(0.0, 100, 3)])
    assert [token.at_s for token in tokens] == pytest.approx([0.1, 0.1041, 0.108201])


def test_a_short_prompt_cannot_be_faster_than_the_weights_are_read() -> None:
    assert SPEED.step_s(tokens=1, context=0) == pytest.approx(4e-3)
    assert SPEED.step_s(tokens=2048, context=0) == pytest.approx(2.048)


def test_a_long_prompt_is_cut_and_others_get_their_tokens_meanwhile() -> None:
    tokens = serve(ContinuousBatch(BUSY, 8, 100), [(0.0, 10, 50), (0.015, 1000, 1)])
    chat = [token.at_s for token in tokens if token.request == 0]
    longest = max(later - earlier for earlier, later in pairwise(chat))
    assert longest == pytest.approx(0.1)
    assert next(token.at_s for token in tokens if token.request == 1) > 1.0


def test_no_more_than_the_limit_is_worked_on() -> None:
    tokens = serve(ContinuousBatch(BUSY, 2, 100), [(0.0, 10, 5)] * 3)
    first = {token.request: token.at_s for token in tokens if token.number == 0}
    ends = sorted(token.at_s for token in tokens if token.number == 4)
    assert first[0] == first[1] == pytest.approx(0.020)
    assert first[2] > ends[0]


@given(REQUESTS, st.integers(1, 8), st.integers(8, 64))
def test_everybody_gets_every_token_once_and_in_order(
    arrivals: list[tuple[float, int, int]], most_requests: int, most_tokens: int
) -> None:
    tokens = serve(ContinuousBatch(SPEED, most_requests, most_tokens), arrivals)
    for request, (at_s, prompt, output) in enumerate(arrivals):
        own = [token for token in tokens if token.request == request]
        assert [token.number for token in own] == list(range(output))
        assert own[0].at_s >= at_s + prompt * 1e-3 - 1e-9
    firsts = [token.request for token in tokens if token.number == 0]
    assert Counter(firsts) == Counter(range(len(arrivals)))


@given(
    st.lists(st.integers(1, 300), min_size=1, max_size=20), st.integers(1, 8), st.integers(8, 64)
)
def test_no_step_has_more_tokens_than_allowed(
    prompts: list[int], most_requests: int, most_tokens: int
) -> None:
    counted = Speed(flops=1.0, memory_Bps=1.0, token_flop=1.0, weight_bytes=0, kv_bytes=0)
    batch = ContinuousBatch(counted, most_requests, most_tokens)
    for number, prompt in enumerate(prompts):
        batch.add(Sequence(number, prompt, 3))
    while len(batch):
        assert 1 <= batch.begin() <= most_tokens
        batch.end()


def _waits_s(workload: Inference, speed: Speed) -> list[float]:
    """How long each request waited before it was begun, served one at a time with a single token."""
    asked = requests(workload, clients=1, seed=7)
    tokens = serve(
        ContinuousBatch(speed, 1, 10**9), [(one.at_ns / 1e9, one.prompt, 1) for one in asked]
    )
    return [
        token.at_s - one.at_ns / 1e9 - speed.step_s(one.prompt, 0)
        for token, one in zip(tokens, asked, strict=True)
    ]


def _check_mean(waits: list[float], expected_s: float) -> None:
    """Within four standard errors, by batch means, as successive waits depend on each other."""
    size = len(waits) // 50
    means = [fmean(waits[start : start + size]) for start in range(0, 50 * size, size)]
    error_s = stdev(means) / math.sqrt(len(means))
    assert error_s < 0.04 * expected_s
    assert abs(fmean(waits) - expected_s) < 4 * error_s


@pytest.mark.parametrize("load", [0.3, 0.6, 0.8])
def test_equal_prompts_one_at_a_time_wait_as_an_m_d_1_queue_does(
    written: Written, load: float
) -> None:
    """Mean wait ρD/(2(1−ρ)) [Pollaczek 1930; Kleinrock, Queueing Systems I, 1975, section 5.6]."""
    workload = written(f"arrivals.rate={load / 0.1}/s", "requests=100000")
    _check_mean(_waits_s(workload, BUSY), load * 0.1 / (2 * (1 - load)))


def test_geometric_prompts_one_at_a_time_wait_as_an_m_g_1_queue_does(written: Written) -> None:
    """Mean wait λE[S²]/(2(1−ρ)); a geometric number of mean m has the second moment 2m²−m."""
    geometric = "prompt={mean: 100, distribution: geometric}"
    workload = written(geometric, "arrivals.rate=6/s", "requests=100000")
    _check_mean(_waits_s(workload, BUSY), 6 * (2 * 100**2 - 100) * 1e-6 / (2 * (1 - 0.6)))


def test_arrivals_in_bursts_wait_longer(written: Written) -> None:
    poisson = _waits_s(written("arrivals.rate=6/s", "requests=20000"), BUSY)
    bursts = _waits_s(written("arrivals={kind: gamma, rate: 6/s, cv: 3}", "requests=20000"), BUSY)
    assert sum(bursts) > 3 * sum(poisson)
    assert Arrivals("gamma", 6, 3.0) == written("arrivals={kind: gamma, rate: 6/s, cv: 3}").arrivals
