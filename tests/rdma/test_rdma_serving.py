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


@pytest.fixture(scope="module")
def handed(tmp_path_factory: pytest.TempPathFactory, kernel: Path) -> tuple[Path, str]:  # noqa: ARG001
    """Prompts are read at c2 and answered at c1, over a river ten miles wide."""
    out = tmp_path_factory.mktemp("handed") / "run"
    words = (HERE / "river.yaml", "--workload", HERE / "handed.yaml", *TWO_AT_C1, *OVER_ROCE)
    done = longhaul("run", *words, "--out", out)
    assert done.status == 0, done.out + done.complaint
    return out, done.out


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
