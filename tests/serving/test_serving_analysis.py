"""How well requests were served, on a run small enough to reckon by hand."""

import io
import json
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from rich.console import Console

from analysis.findings.serving import digest, load_served, summarise
from analysis.findings.summary import write_summary
from analysis.report.page import write_report
from analysis.terminal.training import print_summary
from tests.analysis.browser import CHROMIUM, Browser
from tests.analysis.make_run import Link, planned_link
from traffic.serving.logs import REQUESTS, TOKENS

MS = 1_000_000

# Three requests after a warm-up of 1 s, in ms: one at campus c1 on an H100, two from c2, of which one
# read on a GB200, whose context takes 6 ms to the H100 that answers. The first of all comes during the warm-up.
ROWS = [
    # number, client, rank, arrival, there, begun, read, first made, first back, last made, last back
    (0, "c1-prb", 0, 900, 901, 901, 950, 950, 951, 950, 951),
    (1, "c1-prb", 0, 1000, 1001, 1001, 1041, 1041, 1042, 1061, 1062),
    (2, "c2-prb", 0, 2000, 2010, 2030, 2070, 2070, 2080, 2090, 2110),
    (3, "c2-prb", 1, 3000, 3010, 3010, 3014, 3020, 3030, 3020, 3030),
]


def _requests() -> pl.DataFrame:
    rows = [
        ("chat", number, client, rank, 0, 100, 1 if made == done else 3, arrival, arrival,
         there, begun, read, made, back, done, last)
        for number, client, rank, arrival, there, begun, read, made, back, done, last in ROWS
    ]  # fmt: skip
    table = pl.DataFrame(rows, schema=list(REQUESTS), orient="row")
    times = [name for name in REQUESTS if name.endswith("_ns")]
    return table.with_columns(pl.col(times) * MS).cast(REQUESTS)  # type: ignore[arg-type]


def _tokens() -> pl.DataFrame:
    """Requests 1 and 2 have three tokens each, evenly spaced but for what the network did to one."""
    rows = [("chat", 0, 0, 950, 951), ("chat", 3, 0, 3020, 3030)]
    rows += [("chat", 1, n, 1041 + 10 * n, 1042 + 10 * n) for n in range(3)]
    rows += [("chat", 2, 0, 2070, 2080), ("chat", 2, 1, 2080, 2090), ("chat", 2, 2, 2090, 2110)]
    table = pl.DataFrame(sorted(rows), schema=list(TOKENS), orient="row")
    return table.with_columns(pl.col("produced_ns", "got_ns") * MS).cast(TOKENS)  # type: ignore[arg-type]


def written_run(folder: Path, **about: Any) -> Path:
    def hosts(*named: tuple[int, str, str]) -> list[dict[str, Any]]:
        return [
            {
                "rank": rank,
                "name": name,
                "campus": name[:2],
                "leaf": "c1-s",
                "accelerator": accelerator,
            }
            for rank, name, accelerator in named
        ]

    service = {
        "name": "chat", "kind": "inference", "ranks": [0, 1], "warmup_s": 1.0, "requests": 4,
        "objectives": {"first_token_s": 0.050, "token_s": 0.012}, "routing": "nearest",
        "prediction": {"prompt_tokens": 1000, "first_token": []},
    }  # fmt: skip
    campus = {
        "name": "c1", "site": "", "kind": "single", "border": "c1-s",
        "switches": [{"name": "c1-s", "role": "border"}], "fabric_links": [],
        "hosts": hosts((0, "c1-h-1", "H100"), (1, "c1-g-1", "GB200")),
    }  # fmt: skip
    plan = {
        "name": "two", "description": "", "mtu_bytes": 9000, "ways": [], "wires": [],
        "campuses": [campus],
        "probes": hosts((-1, "c1-prb", ""), (-1, "c2-prb", "")),
        "workloads": [service | about], "modelled": ["a <b>model</b>"], "scale_bytes": 1000.0,
        "links": [],
    }  # fmt: skip
    manifest = {
        "longhaul": "0", "name": "two <i>", "command": "longhaul run", "seed": 1, "time": "virtual",
        "machine": "uml", "kernel": "7.0", "inputs": {},
    }  # fmt: skip
    check = {
        "what": "c1-c2 RTT", "asked": 0.02, "measured": 0.02, "error": 0.0, "unit": "s",
        "limit": 0.01, "ok": True,
    }  # fmt: skip
    happened = {
        "name": "cut", "kind": "link-down", "says": "c1-c2 <down>", "begin_ns": 5, "end_ns": None,
        "targets": {"links": ["c1-c2"], "hosts": []},
    }  # fmt: skip
    files = {"plan": plan, "manifest": manifest, "fidelity": [check], "timeline": [happened]}
    for name, data in files.items():
        (folder / f"{name}.json").write_text(json.dumps(data), encoding="utf-8")
    _requests().write_parquet(folder / "requests.parquet")
    _tokens().write_parquet(folder / "tokens.parquet")
    return folder


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return written_run(tmp_path)


def test_first_token_gaps_and_whole_answer_count_from_the_arrival(folder: Path) -> None:
    found = summarise(load_served(folder)[0])
    assert found.requests == 3
    assert found.first_token.count == 3
    assert found.first_token.p50_s == pytest.approx(0.042)
    assert found.first_token.max_s == pytest.approx(0.080)
    assert found.inter_token
    assert found.inter_token_made
    assert found.inter_token.count == 4
    assert found.inter_token.max_s == pytest.approx(0.020)
    assert found.inter_token_made.max_s == pytest.approx(0.010)
    assert found.end_to_end.max_s == pytest.approx(0.110)


def test_the_first_token_is_network_line_and_prefill(folder: Path) -> None:
    found = summarise(load_served(folder)[0])
    assert found.parts.network == pytest.approx((0.002 + 0.020 + 0.020) / 3)
    assert found.parts.queue == pytest.approx(0.020 / 3)
    assert found.parts.prefill == pytest.approx((0.040 + 0.040 + 0.004) / 3)
    assert found.parts.handover == pytest.approx(0.006 / 3)
    assert found.network_share == pytest.approx((42 + 6) / (42 + 80 + 30))


def test_goodput_is_of_those_that_keep_both_objectives(folder: Path) -> None:
    """Request 2 misses the first token's; of the others one has no gaps, one keeps 10 ms a token."""
    found = summarise(load_served(folder)[0]).goodput
    assert found.share == pytest.approx(2 / 3)
    assert found.requests_per_s == pytest.approx(2 / 2.0)


def test_groups_are_by_where_users_are_and_by_what_serves_them(folder: Path) -> None:
    found = summarise(load_served(folder)[0])
    assert [(one.client_campus, one.requests) for one in found.by_client] == [
        ("c1", 1),
        ("c2", 2),
    ]
    served_by = {one.accelerator: one for one in found.by_accelerator}
    assert served_by["GB200"].first_token.p50_s == pytest.approx(0.030)
    assert served_by["GB200"].inter_token is None
    gaps = served_by["H100"].inter_token
    assert gaps
    assert gaps.count == 4


def test_another_nanosecond_is_another_digest(folder: Path) -> None:
    before = digest(folder)
    assert digest(folder) == before
    later = _tokens().with_columns(pl.col("got_ns") + pl.col("token").cast(pl.Int64))
    later.write_parquet(folder / "tokens.parquet")
    assert digest(folder) != before


def test_summary_report_and_terminal_tell_the_same(folder: Path) -> None:
    summary = write_summary(folder)
    assert (
        "3 requests of chat got their first token after 42 ms (p50; p99 80 ms)" in summary.headline
    )
    page = write_report(folder).read_text(encoding="utf-8")
    assert "<b>model" not in page
    assert "c1-c2 &lt;down&gt;" in page
    assert "42 ms" in page
    console = Console(width=80, record=True, file=io.StringIO())
    print_summary(folder, console)
    text = console.export_text()
    assert "served by GB200" in text
    tables = [line for line in text.splitlines() if not line.startswith("report ")]
    assert max(map(len, tables)) <= 80


def test_a_page_of_requests_is_not_green_where_too_few_packets_fill_a_link(folder: Path) -> None:
    write_summary(folder)
    assert "every fidelity check passed" in write_report(folder).read_text(encoding="utf-8")
    plan = json.loads((folder / "plan.json").read_text())
    plan["links"] = [planned_link(Link("c1", "c1", 80e-6, 5e6)) | {"packets_per_bdp": 0.87}]
    (folder / "plan.json").write_text(json.dumps(plan))
    page = write_report(folder).read_text(encoding="utf-8")
    assert "every fidelity check passed" not in page
    assert "but 0.87 packets fill c1-c1" in page


@pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed")
def test_a_phone_shows_what_the_first_token_waits_for(folder: Path, tmp_path: Path) -> None:
    """All of each bar, without scrolling sideways."""
    write_summary(folder)
    bars = "[...document.querySelectorAll('#serving .bars i')].map((one) => one.getBoundingClientRect().right)"
    with Browser(tmp_path / "browser", write_report(folder), 390, 844) as browser:
        assert 100 < max(browser.run(bars)) < 390


def test_a_run_without_requests_has_no_services(tmp_path: Path) -> None:
    assert load_served(tmp_path) == []
