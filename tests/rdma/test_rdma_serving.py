"""Requests over RoCE: contexts cross as the formula says, and what adapters counted is told as of training."""

from pathlib import Path

import polars as pl
import pytest

from analysis.findings.serving import load_served
from analysis.form.summary import read_summary
from analysis.run import read_plan
from tests.run.conftest import HERE, longhaul

TWO_AT_C1 = ("--set", "campuses.c1.hosts=[{count: 2, accelerator: T1}]")
OVER_ROCE = ("--set-workload", "transport=roce", "--set-workload", "clients=[c1-t1-1]")
REQUESTS, TOKENS, CONTEXT_PACKETS = 12, 5, 5
"""20 MB of context, a thousandth of that in the fabric, in packets of 4096 bytes."""
ACKNOWLEDGED_S = 8 * 90 / 400e6
"""The context's acknowledgement leaves the answerer before the first token does, by the same adapter."""
XOFF_BYTES = 20e6
PAUSING = (
    f"switches={{lossless: {{buffer: 1GB, pfc: {{xoff: {XOFF_BYTES:.0f}B}}}}}}",
    "campuses.c1.switch=lossless", "campuses.c2.switch=lossless", "rdma.congestion=none",
)  # fmt: skip
LARGE = ("model.kv-bytes=200kB", "arrivals.rate=10/s", "requests=4")


@pytest.fixture(scope="module")
def handed(tmp_path_factory: pytest.TempPathFactory, kernel: Path) -> tuple[Path, str]:  # noqa: ARG001
    """Prompts are read at c2 and answered at c1, over a river ten miles wide."""
    out = tmp_path_factory.mktemp("handed") / "run"
    words = (HERE / "river.yaml", "--workload", HERE / "handed.yaml", *TWO_AT_C1, *OVER_ROCE)
    done = longhaul("run", *words, "--out", out)
    assert done.status == 0, done.out + done.complaint
    return out, done.out


@pytest.mark.slow
def test_contexts_and_first_tokens_take_what_the_formula_says(handed: tuple[Path, str]) -> None:
    folder, _ = handed
    (about,) = read_plan(folder)["workloads"]
    expected = about["prediction"]["first_token"][0]
    (served,) = load_served(folder)
    assert served.requests.height == REQUESTS
    ends = pl.read_parquet(folder / "requests.parquet")
    handover_s = (ends["produced_ns"] - ends["read_ns"]) / 1e9
    first_s = (ends["first_ns"] - ends["arrival_ns"]) / 1e9
    assert handover_s.to_list() == pytest.approx([expected["handover_s"]] * REQUESTS, abs=30e-9)
    for one in first_s:
        assert 0 <= one - expected["seconds"] < ACKNOWLEDGED_S


@pytest.mark.slow
def test_adapters_and_queue_pairs_are_counted_and_told(handed: tuple[Path, str]) -> None:
    folder, said = handed
    pairs = pl.read_parquet(folder / "queue_pairs.parquet")
    sent = {
        (rank, peer): packets
        for rank, peer, packets in pairs.select("rank", "peer", "sent_packets").iter_rows()
    }
    client, answerer, readers = 0, 1, (2, 3)
    assert sent[client, answerer] == REQUESTS
    assert [sent[client, reader] for reader in readers] == [REQUESTS / 2] * 2
    assert [sent[reader, answerer] for reader in readers] == [REQUESTS / 2 * CONTEXT_PACKETS] * 2
    assert sent[answerer, client] == REQUESTS * TOKENS
    assert sum(sent.values()) == REQUESTS * (1 + 1 + CONTEXT_PACKETS + TOKENS), "the rest is silent"
    adapters = pl.read_parquet(folder / "adapters.parquet")
    assert adapters["sent_packets"].sum() > sum(sent.values()), "acknowledgements besides"
    (told,) = read_summary(folder).adapters
    assert told.name == "handed"
    assert told.sent_packets == adapters["sent_packets"].sum()
    assert (told.timeouts, told.naks_received) == (0, 0)
    assert "RDMA adapters (all hosts)" in said
    assert "RDMA adapters" in (folder / "report.html").read_text(encoding="utf-8")


@pytest.mark.slow
def test_contexts_are_held_back_at_the_adapter_and_cross_as_fast(
    kernel: Path,  # noqa: ARG001
    tmp_path: Path,
) -> None:
    words = (HERE / "river.yaml", "--workload", HERE / "handed.yaml", *TWO_AT_C1, *OVER_ROCE)
    settings = (*(f"--set={text}" for text in PAUSING), *(f"--set-workload={x}" for x in LARGE))
    done = longhaul("run", *words, *settings, "--out", tmp_path / "run")
    assert done.status == 0, done.out + done.complaint
    folder = tmp_path / "run"
    (about,) = read_plan(folder)["workloads"]
    alone_s = about["prediction"]["first_token"][0]["handover_s"]
    ends = pl.read_parquet(folder / "requests.parquet")
    handover_s = (ends["produced_ns"] - ends["read_ns"]) / 1e9
    assert handover_s.to_list() == pytest.approx([alone_s] * 4, rel=1e-3), "the link is kept busy"
    found = read_summary(folder)
    (told,) = found.adapters
    assert (told.naks_received, told.timeouts) == (0, 0)
    nic_Bps, link_Bps, frames = 400e9 / 8, 100e9 / 8, 49 * 4154e3
    most_s = 2 * (frames / link_Bps - frames / nic_Bps)  # two contexts each, less what is sent
    last_s = 2 * (XOFF_BYTES + 2 * 4154e3) / link_Bps  # what waits at the leaf when all has left
    held = {one.node: one.paused_s for one in found.pauses}
    assert held.keys() == {"c2-t1-1", "c2-t1-2"}
    for paused_s in held.values():
        assert most_s - last_s < paused_s < most_s
    for said in (done.out, (folder / "report.html").read_text(encoding="utf-8")):
        assert "Ports that pauses held up longest" in said
