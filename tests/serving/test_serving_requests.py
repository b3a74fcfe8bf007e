"""Which requests come: as drawn, or as recorded."""

import math
from collections import Counter
from itertools import pairwise
from pathlib import Path
from statistics import fmean, stdev

import pytest

from scenario.loading import load_workload
from scenario.types.inference import Inference
from tests.serving.conftest import SERVED, Written
from traffic.serving.requests import Request, requests


def _gaps_s(asked: list[Request]) -> list[float]:
    return [(later.at_ns - earlier.at_ns) / 1e9 for earlier, later in pairwise(asked)]


def test_the_same_seed_brings_the_same_requests_and_another_seed_others(written: Written) -> None:
    workload = written()
    assert requests(workload, 3, seed=1) == requests(workload, 3, seed=1)
    assert requests(workload, 3, seed=1) != requests(workload, 3, seed=2)


@pytest.mark.parametrize(("process", "cv"), [("poisson", 1.0), ("gamma", 2.5)])
def test_gaps_have_the_mean_and_the_variation_that_were_asked_for(
    written: Written, process: str, cv: float
) -> None:
    extra = f", cv: {cv}" if process == "gamma" else ""
    asked = written(f"arrivals={{kind: {process}, rate: 20/s{extra}}}", "requests=100000")
    gaps_s = _gaps_s(requests(asked, 1, seed=3))
    assert fmean(gaps_s) == pytest.approx(0.05, abs=4 * 0.05 * cv / math.sqrt(len(gaps_s)))
    assert stdev(gaps_s) / fmean(gaps_s) == pytest.approx(cv, rel=0.05)


def test_even_arrivals_are_even(written: Written) -> None:
    gaps_s = _gaps_s(requests(written("arrivals={kind: even, rate: 20/s}"), 1, seed=1))
    assert set(gaps_s) == {0.05}


def test_clients_get_equal_shares_of_one_process(written: Written) -> None:
    asked = requests(written("requests=30000"), 3, seed=1)
    shares = Counter(request.client for request in asked)
    assert set(shares) == {0, 1, 2}
    spread = math.sqrt(30000 * (1 / 3) * (2 / 3))
    assert all(abs(count - 10000) < 4 * spread for count in shares.values())


def test_requests_end_after_the_duration_or_their_number_whichever_is_first(
    written: Written,
) -> None:
    assert len(requests(written("requests=7"), 1, seed=1)) == 7
    lasting = requests(written("requests=100000", "duration=2s"), 1, seed=1)
    assert lasting[-1].at_ns < 2e9
    assert 10 < len(lasting) < 80


@pytest.mark.parametrize("distribution", ["fixed", "geometric", "log-normal"])
def test_lengths_have_the_mean_that_was_asked_for(written: Written, distribution: str) -> None:
    drawn = written(f"output={{mean: 200, distribution: {distribution}, cv: 1}}", "requests=40000")
    lengths = [request.output for request in requests(drawn, 1, seed=5)]
    assert min(lengths) >= 1
    assert fmean(lengths) == pytest.approx(200, abs=4 * 200 / math.sqrt(40000) + 0.5)


def test_no_length_is_above_the_limit(written: Written) -> None:
    asked = requests(written("prompt={mean: 500, distribution: geometric, most: 600}"), 1, seed=1)
    assert max(request.prompt for request in asked) == 600


def _recorded(folder: Path, rows: str, arrivals: str) -> Inference:
    (folder / "trace.csv").write_text(rows, encoding="utf-8")
    head = SERVED.partition("prompt:")[0]
    file = folder / "recorded.yaml"
    file.write_text(f"{head}arrivals: {arrivals}\n", encoding="utf-8")
    workload = load_workload(file)
    assert isinstance(workload, Inference)
    return workload


AS_PUBLISHED = """\
TIMESTAMP,ContextTokens,GeneratedTokens
2023-11-16 18:15:46.5000000,374,44
2023-11-16 18:15:47.7500000,396,109
2023-11-16 18:15:47.0000000,879,55
"""


def test_a_trace_is_replayed_in_the_order_of_time_from_its_first_request(tmp_path: Path) -> None:
    workload = _recorded(tmp_path, AS_PUBLISHED, "{kind: trace, file: trace.csv}")
    asked = requests(workload, 1, seed=1)
    assert [(one.at_ns, one.prompt, one.output) for one in asked] == [
        (0, 374, 44),
        (500_000_000, 879, 55),
        (1_250_000_000, 396, 109),
    ]
    assert workload.files == (str(tmp_path / "trace.csv"), str(tmp_path / "recorded.yaml"))


def test_a_trace_of_seconds_may_be_replayed_faster(tmp_path: Path) -> None:
    rows = "request,timestamp,generatedtokens,contexttokens\n1,10,5,50\n2,12,6,60\n"
    workload = _recorded(tmp_path, rows, "{kind: trace, file: trace.csv, speed: 4}")
    asked = requests(workload, 1, seed=1)
    assert [(one.at_ns, one.prompt, one.output) for one in asked] == [
        (0, 50, 5),
        (500_000_000, 60, 6),
    ]
