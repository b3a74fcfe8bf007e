"""What `telemetry.parquet` and `flows.parquet` say of a run agrees with themselves, with each other, and with
what the run sent."""

import json
from pathlib import Path

import polars as pl
import pytest

from longhaul.emulation.openvswitch import Flow, read_flow
from longhaul.runs import flows
from longhaul.runs.telemetry import busiest
from tests.controller.networks import longhaul
from tests.fabric.planned import ROOT

INTERVAL_NS = 10_000_000


def run_into(folder: Path, *words: str) -> Path:
    files = (ROOT / "bench" / "triangle.yaml", "--workload", ROOT / "tests/run/verified.yaml")
    status, _, complaint = longhaul("run", *files, *words, "--out", folder)
    assert status == 0, complaint
    return folder


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory, kernel: Path) -> Path:  # noqa: ARG001
    return run_into(tmp_path_factory.mktemp("telemetry") / "run")


@pytest.fixture(scope="module")
def rules(run: Path) -> pl.DataFrame:
    return pl.read_parquet(run / "flows.parquet")


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


def carried(rules: pl.DataFrame, node: str, destination: str) -> tuple[int, int]:
    """Packets and bytes."""
    unlabelled = rules.filter(pl.col("label").is_null(), node=node, destination=destination)
    (row,) = unlabelled.rows(named=True)
    return row["packets"], row["bytes"]


def test_what_rules_send_to_a_campus_its_own_rules_receive(rules: pl.DataFrame) -> None:
    from_c1, from_c3 = (carried(rules, border, "10.2.0.0/16") for border in ("c1-b", "c3-b"))
    together = (from_c1[0] + from_c3[0], from_c1[1] + from_c3[1])
    assert carried(rules, "c2-b", "10.2.1.0/24") == together
    assert carried(rules, "c2-l1", "10.2.1.1") == together
    assert min(together) > 0


def test_a_rule_counts_what_its_port_sends_and_no_probe_of_before(
    rules: pl.DataFrame, samples: pl.DataFrame
) -> None:
    port = samples.filter(pl.col("interface") == "c1-b-eth3")
    packets, size = carried(rules, "c1-b", "10.2.0.0/16")
    # Connections are opened before the samples begin, and closed after they end.
    assert 0 <= packets - port["tx_packets"].max() <= 10
    assert 0 <= size - port["tx_bytes"].max() <= 10 * 80


def test_rules_that_nobody_used_count_nothing(rules: pl.DataFrame) -> None:
    protection = rules.filter(pl.col("label").is_not_null())
    assert protection.height > 0
    assert protection["packets"].sum() == protection["bytes"].sum() == 0


def test_the_busiest_rules_come_first_and_inspect_shows_them(run: Path) -> None:
    found = flows.busiest(run)
    assert found["bytes"].to_list() == sorted(found["bytes"], reverse=True)
    status, said, complaint = longhaul("inspect", run, "--format", "json")
    assert status == 0, complaint
    assert json.loads(said)["rules"] == found.to_dicts()
    assert "Busiest rules" in longhaul("inspect", run)[1]


@pytest.mark.parametrize(
    ("line", "flow"),
    [
        (
            " cookie=0x6c6f6e6700000001, duration=1.2s, table=0, n_packets=7, n_bytes=700, "
            "priority=216,ip,dl_dst=0a:ff:00:00:00:01,nw_dst=10.2.0.0/16,nw_tos=184 actions=group:1",
            Flow(0x6C6F6E6700000001, 216,
                 "ip,dl_dst=0a:ff:00:00:00:01,nw_dst=10.2.0.0/16,nw_tos=184", "group:1", 7, 700),
        ),
        (
            " cookie=0x0, duration=1.2s, table=0, n_packets=0, n_bytes=0, idle_timeout=9, "
            "send_flow_rem in_port=1 actions=output:2,output:3",
            Flow(0, 32768, "in_port=1", "output:2,output:3", 0, 0),
        ),
        (
            " cookie=0x0, duration=1.2s, table=0, n_packets=3, n_bytes=9, actions=NORMAL",
            Flow(0, 32768, "", "NORMAL", 3, 9),
        ),
        (
            " cookie=0x0, duration=1.2s, table=0, n_packets=3, n_bytes=9, priority=0 actions=NORMAL",
            Flow(0, 0, "", "NORMAL", 3, 9),
        ),
    ],
    ids=["ours", "flags", "default", "everything"],
)  # fmt: skip
def test_a_line_of_ovs_ofctl_is_read(line: str, flow: Flow) -> None:
    assert read_flow(line) == flow


@pytest.mark.slow
def test_the_northbound_api_changes_nothing_of_a_run(run: Path, tmp_path: Path) -> None:
    again = run_into(tmp_path / "again", "--rest")
    for name in ("events.parquet", "telemetry.parquet", "flows.parquet"):
        assert (again / name).read_bytes() == (run / name).read_bytes(), name
    assert "northbound" in (again / "logs" / "controller.log").read_text()


def test_the_busiest_ports_come_first(run: Path) -> None:
    found = busiest(run)["mean_utilisation"].to_list()
    assert found == sorted(found, reverse=True)
    assert found[0] > 0
