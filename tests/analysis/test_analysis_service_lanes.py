"""When replicas had requests, as lanes of a page: by requests placed by hand."""

from pathlib import Path

import polars as pl

from analysis.pictures.service_lanes import _busy, service_timeline
from analysis.run import load_run
from tests.analysis.make_run import make_run, uniform

# Host 0 has two requests and then a third meanwhile; the last one is read by host 1 and answered by host 0.
REQUESTS = pl.DataFrame(
    {
        "rank": [0, 0, 0, 1],
        "answerer": [0, 0, 0, 0],
        "arrival_ns": [0, 0, 10_000, 90_000],
        "received_ns": [1_000, 2_000, 20_000, 100_000],
        "read_ns": [3_000, 4_000, 21_000, 110_000],
        "finished_ns": [30_000, 40_000, 50_000, 130_000],
        "last_ns": [31_000, 41_000, 51_000, 131_000],
    },
    schema_overrides={"rank": pl.Int32, "answerer": pl.Int32},
)


def test_a_replica_has_a_request_until_its_part_of_it_is_done() -> None:
    found = [row for row in _busy(REQUESTS).iter_rows() if row[3] - row[2] > 2_000]
    assert found == [
        (0, 0, 4_000, 20_000),
        (0, 1, 21_000, 30_000),
        (0, 0, 30_000, 40_000),
        (0, 0, 40_000, 50_000),
        (0, 0, 110_000, 130_000),
        (1, 0, 100_000, 110_000),
    ]


def test_the_axis_is_from_the_first_arrival_to_the_last_token(tmp_path: Path) -> None:
    run = load_run(make_run(tmp_path / "run", uniform(3)))
    found = service_timeline(REQUESTS, run)
    assert (found.begin_ns, found.end_ns) == (0, 131_000)
    assert [lane["rank"] for lane in found.lanes] == [0, 1]
    assert found.packed[1] == (100, 10, 0)
