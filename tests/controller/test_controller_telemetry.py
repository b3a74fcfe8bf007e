"""What `telemetry.parquet` says of a run agrees with itself, and with what the run sent."""

from pathlib import Path

import polars as pl
import pytest

from longhaul.telemetry import busiest
from tests.controller.networks import ROOT, longhaul

INTERVAL_NS = 10_000_000


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory, kernel: Path) -> Path:  # noqa: ARG001
    folder = tmp_path_factory.mktemp("telemetry") / "run"
    words = (
        "run",
        ROOT / "bench" / "triangle.yaml",
        "--workload",
        ROOT / "tests/run/verified.yaml",
    )
    status, _, complaint = longhaul(*words, "--out", folder)
    assert status == 0, complaint
    return folder


@pytest.fixture(scope="module")
def samples(run: Path) -> pl.DataFrame:
    return pl.read_parquet(run / "telemetry.parquet")


def test_samples_are_evenly_spaced_from_the_start_to_the_end(
    run: Path, samples: pl.DataFrame
) -> None:
    *even, last = samples["t_ns"].unique().sort().to_list()
    assert even == [number * INTERVAL_NS for number in range(len(even))]
    ended = pl.read_parquet(run / "events.parquet")["end_ns"].max()
    assert ended <= last <= ended + INTERVAL_NS


def test_counters_begin_at_zero_and_never_fall(samples: pl.DataFrame) -> None:
    for (_,), port in samples.sort("t_ns").group_by("interface", maintain_order=True):
        for name in ("tx_bytes", "tx_packets", "rx_bytes", "rx_packets", "drops"):
            assert port[name][0] == 0
            assert port[name].diff().drop_nulls().min() >= 0


def test_what_one_end_of_a_lossless_span_has_sent_the_other_has_received(
    samples: pl.DataFrame,
) -> None:
    last = samples.filter(pl.col("t_ns") == samples["t_ns"].max(), pl.col("kind") == "long-haul")
    ends = last.partition_by("link")
    assert len(ends) == 3
    for one in ends:
        assert one["drops"].to_list() == [0, 0]
        assert one["tx_packets"].to_list() == one["rx_packets"].to_list()[::-1]
        assert min(one["tx_bytes"]) > 0


def test_a_ring_sends_two_thirds_of_its_bytes_twice_over_each_span(
    run: Path, samples: pl.DataFrame
) -> None:
    collective = pl.read_parquet(run / "events.parquet").filter(pl.col("kind") == "collective")
    size, times = collective["bytes"][0], collective.filter(pl.col("rank") == 0).height
    payload = 2 * 2 / 3 * size * times
    sent = samples.filter(pl.col("interface") == "c1-b-eth3")["tx_bytes"].max()
    # Frames are 14 + 52 bytes longer than the 8948 that they carry; acknowledgements come on top.
    assert payload * 9014 / 8948 <= sent <= payload * 1.05


def test_utilisation_is_what_was_sent_over_what_could_be(samples: pl.DataFrame) -> None:
    port = samples.filter(pl.col("interface") == "c1-b-eth3").sort("t_ns")
    expected = 8 * port["tx_bytes"].diff() / (port["t_ns"].diff() / 1e9) / port["rate_bps"]
    assert port["utilisation"].to_list() == pytest.approx(expected.to_list())
    assert 0 < port["utilisation"].max() <= 1.01


def test_the_busiest_ports_come_first(run: Path) -> None:
    found = busiest(run)["mean_utilisation"].to_list()
    assert found == sorted(found, reverse=True)
    assert found[0] > 0
