"""A run as other tools read it: traces, tables, OpenMetrics, HdrHistogram logs."""

import base64
import csv as standard_csv
import io
import json
import re
import struct
import subprocess
import sys
import zlib
from collections import Counter
from itertools import pairwise
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis.export.hdr import encoded, write_log
from analysis.export.openmetrics import openmetrics
from analysis.export.perfetto import slowest_iterations, write_trace
from analysis.export.tabular import TABLES, cell, code, csv, harmless, markdown
from analysis.findings.latencies import durations_ns, latencies, slowest_entries, slowest_messages
from analysis.findings.stalls import collectives, iterations
from analysis.form.parts import NamedShare
from analysis.run import load_run
from longhaul.verbs import export
from tests.analysis.make_run import Link, Scenario, happened, make_run, trained, uniform

NAME = 'a"b\\c|<i>'


def trace(path: Path, **options: Any) -> dict[str, Any]:
    out = io.StringIO()
    write_trace(load_run(path), out, **options)
    data: dict[str, Any] = json.loads(out.getvalue())
    return data


def test_a_trace_has_what_its_format_asks_of_every_event(tmp_path: Path) -> None:
    made = uniform(4, happened=(happened("cut", 1.0, 1.5),))
    events = trace(make_run(tmp_path / "run", made))["traceEvents"]
    needed = {"X": {"ts", "dur", "pid", "tid", "name"}, "M": {"name", "pid", "args"},
              "s": {"id", "ts", "pid", "tid", "name"}, "f": {"id", "ts", "pid", "tid", "bp"},
              "C": {"name", "ts", "pid", "args"}, "i": {"name", "ts", "pid", "s"}}  # fmt: skip
    for event in events:
        assert needed[event["ph"]] <= event.keys(), event
        assert event.get("dur", 0) >= 0
    processes = [e["args"]["name"] for e in events if e["name"] == "process_name"]
    assert processes[0] == "rank 0 · home-00 (GB200, home)"
    assert processes[-1] == "events of the timeline"


def test_every_arrow_begins_and_ends_within_a_span_of_its_message(tmp_path: Path) -> None:
    events = trace(make_run(tmp_path / "run", uniform(3, slowdown={1: 1.5})))["traceEvents"]
    spans = Counter((e["pid"], e["tid"], e["ts"]) for e in events if e["ph"] == "X")
    arrows: dict[int, set[str]] = {}
    for event in events:
        if event["ph"] in {"s", "f"}:
            arrows.setdefault(event["id"], set()).add(event["ph"])
            place = (event["pid"], event["tid"], event["ts"])
            assert event["ph"] == "f" or place in spans
    assert len(arrows) == 3 * 3 * 4, "three iterations, three ranks, four messages each"
    assert set(map(frozenset, arrows.values())) == {frozenset("sf")}


def test_an_arrow_binds_to_its_own_message_though_the_next_begins_where_it_ends(
    tmp_path: Path,
) -> None:
    """A head binds to the span that begins at or before it and has not ended; in a ring messages follow at once."""
    events = trace(make_run(tmp_path / "run", uniform(3)))["traceEvents"]
    tails = {e["id"]: e["ts"] for e in events if e["ph"] == "s"}
    rows: dict[tuple[int, int], list[tuple[float, float]]] = {}
    for event in events:
        if event["ph"] == "X" and event["cat"] == "message":
            times = (event["ts"], event["ts"] + event["dur"])
            rows.setdefault((event["pid"], event["tid"]), []).append(times)
    touching = 0
    for event in events:
        if event["ph"] == "f":
            row = rows[event["pid"], event["tid"]]
            (bound,) = [begin for begin, end in row if begin <= event["ts"] < end]
            assert bound == tails[event["id"]]
            touching += any(abs(begin - event["ts"]) < 0.0011 for begin, _ in row)
    assert touching, "where no message follows at once this tries nothing"


def test_a_trace_has_iterations_waits_the_critical_path_and_the_networks_counters(
    tmp_path: Path,
) -> None:
    path = make_run(
        tmp_path / "run", Scenario(iterations=4, dropped=(("memphis", "whitehaven", 1.5, 21),))
    )
    run = load_run(path)
    events = trace(path)["traceEvents"]
    spans = [e for e in events if e["ph"] == "X"]

    def lasting(category: str, name: str = "") -> float:
        chosen = [e for e in spans if e["cat"] == category and e["name"].startswith(name)]
        return sum(e["dur"] for e in chosen) * 1e-6

    whole_s = iterations(run)["duration_ns"].sum() * 1e-9
    assert lasting("iteration") == pytest.approx(whole_s)
    assert lasting("critical path") == pytest.approx(whole_s)
    waited_s = collectives(run.events)["sync_wait_ns"].sum() * 1e-9
    assert lasting("stall", "sync wait") == pytest.approx(waited_s)
    counters = [e for e in events if e["ph"] == "C"]
    lost = [e["args"]["dropped"] for e in counters if e["name"] == "memphis→whitehaven lost"]
    assert (lost[0], lost[-1]) == (0, 21)
    assert {e["name"].split()[1] for e in counters} == {"utilisation", "queue", "lost"}


def test_probes_are_counters_and_a_lost_one_is_a_mark(tmp_path: Path) -> None:
    folder = make_run(tmp_path / "run", Scenario(iterations=2))
    rows = {
        "workload": ["probes"] * 3,
        "link": ["memphis-whitehaven"] * 3,
        "direction": ["forward", "forward", "backward"],
        "sent_ns": [1000, 2000, 3000],
        "received_ns": [80_000, None, 85_000],
    }
    pl.DataFrame(rows).write_parquet(folder / "probes.parquet")
    found = [one for one in trace(folder)["traceEvents"] if "one way" in one["name"]]
    assert [(one["name"], one["ph"], one["ts"]) for one in found] == [
        ("memphis-whitehaven backward one way", "C", 3.0),
        ("memphis-whitehaven forward one way", "C", 1.0),
        ("memphis-whitehaven forward one way: a probe was lost", "i", 2.0),
    ]
    assert [one["args"]["us"] for one in found[:2]] == [82.0, 79.0]


def test_spans_of_one_row_follow_or_hold_each_other(tmp_path: Path) -> None:
    events = trace(make_run(tmp_path / "run", Scenario(iterations=4)))["traceEvents"]
    rows: dict[tuple[int, int], list[tuple[float, float]]] = {}
    for event in events:
        if event["ph"] == "X":
            rows.setdefault((event["pid"], event["tid"]), []).append((event["ts"], event["dur"]))
    for spans in rows.values():
        spans.sort(key=lambda one: (one[0], -one[1]))
        for (begin, lasts), (following, more) in pairwise(spans):
            assert begin + lasts <= following + 1e-3 or following + more <= begin + lasts + 1e-3


def test_where_messages_are_too_many_those_of_the_slowest_iterations_are_kept(
    tmp_path: Path,
) -> None:
    made = uniform(3, iterations=9, held_up={(0, 5): 1.0, (1, 7): 2.0})
    run = load_run(make_run(tmp_path / "run", made))
    assert slowest_iterations(run, limit=1) == [7]
    assert slowest_iterations(run, limit=24) == [5, 7]
    assert len(slowest_iterations(run, limit=10**6)) == 8


def test_tables_are_csv_that_reads_back(tmp_path: Path) -> None:
    path = make_run(tmp_path / "run", uniform(3))
    summary = trained(path)
    for name in TABLES:
        rows = list(standard_csv.DictReader(io.StringIO(csv(load_run(path), summary, name))))
        assert rows or name == "links", name
    ranks = list(standard_csv.DictReader(io.StringIO(csv(load_run(path), summary, "ranks"))))
    assert [row["rank"] for row in ranks] == ["0", "1", "2"]
    assert float(ranks[0]["compute_s"]) == pytest.approx(0.42)


def test_the_tables_of_the_verb_are_those_there_are() -> None:
    assert set(export.TABLES) == set(TABLES)


def test_markdown_keeps_its_columns_whatever_names_hold(tmp_path: Path) -> None:
    made = Scenario(name=NAME, hosts={NAME: ("GB200",) * 2}, links=(), iterations=3)
    path = make_run(tmp_path / "run", made)
    lines = markdown(load_run(path), trained(path), "ranks").splitlines()
    rows = [line for line in lines if line.startswith("| ")]
    cells = {len(re.split(r"(?<!\\)\|", line.replace("\\\\", ""))) for line in rows}
    assert len(cells) == 1
    assert "<i>" not in "\n".join(lines)


def test_openmetrics_is_well_formed_and_escapes_names(tmp_path: Path) -> None:
    made = Scenario(name=NAME, hosts={NAME: ("GB200",) * 2}, links=(), iterations=3)
    text = openmetrics(trained(make_run(tmp_path / "run", made)))
    assert text.endswith("# EOF\n")
    sample = re.compile(r'longhaul_\w+\{(\w+="(?:[^"\\\n]|\\["\\n])*",?)*\} -?[0-9.e+-]+')
    for line in text.splitlines():
        assert line.startswith("# ") or sample.fullmatch(line), line
    types = re.findall(r"# TYPE (\S+) ", text)
    assert len(types) == len(set(types))
    assert 'campus="a\\"b\\\\c|<i>"' in text


def test_quantiles_that_the_samples_do_not_support_are_not_exported(tmp_path: Path) -> None:
    text = openmetrics(trained(make_run(tmp_path / "run", uniform(2, iterations=6))))
    assert 'longhaul_iteration_seconds{run="uniform",seed="42",quantile="0.5"}' in text
    assert 'quantile="0.99"' not in text


def decoded(text: str) -> tuple[int, dict[int, int]]:
    """Significant digits, and counts by the lowest value of each slot: read after the format's description."""
    packed = base64.b64decode(text)
    cookie, length = struct.unpack(">ii", packed[:8])
    assert cookie == 0x1C849314
    assert length == len(packed) - 8
    payload = zlib.decompress(packed[8:])
    cookie, length, _, digits, *_ = struct.unpack(">iiiiqqd", payload[:40])
    assert cookie == 0x1C849313
    body = payload[40:]
    assert length == len(body)
    slot, at, counts = 0, 0, {}
    while at < len(body):
        value = shift = 0
        while True:
            byte = body[at]
            at += 1
            value |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                break
        count = (value >> 1) ^ -(value & 1)
        if count < 0:
            slot -= count
            continue
        if count:
            bucket = max((slot >> 10) - 1, 0)
            counts[(slot - (bucket << 10)) << bucket] = count
        slot += 1
    return digits, counts


@given(st.lists(st.integers(0, 3_600_000_000_000), min_size=1, max_size=40))
def test_a_histogram_counts_every_value_within_a_thousandth(values: list[int]) -> None:
    digits, counts = decoded(encoded(values))
    assert digits == 3
    assert sum(counts.values()) == len(values)
    found = sorted(low for low, count in counts.items() for _ in range(count))
    for low, value in zip(found, sorted(values), strict=True):
        assert low <= value <= max(low * 1.001, low + 1)


def test_a_histogram_is_as_hdrhistograms_own_library_writes_it() -> None:
    # HdrHistogram_py 0.10.3: HdrHistogram(1, 3600000000000, 3), values 1, 1000, 78800 and 2684464594.
    expected = "HISTFAAAACx4nJNpmSzMwMDAwwABzFCaEch0M9ixgMH+A1SA6TQ/0+lkpvsfGJkAmrkIOA=="
    values = [1, 1000, 78800, 2684464594]
    assert decoded(encoded(values))[1] == decoded(expected)[1]


def test_a_log_has_a_tagged_line_for_each_kind_of_duration(tmp_path: Path) -> None:
    links = (Link("a", "b", 1e-4, 5e6), Link("b", "a", 1e-4, 5e6))
    hosts: dict[str, tuple[str, ...]] = {"a": ("GB200",), "b": ("GB200",)}
    run = load_run(make_run(tmp_path / "run", Scenario(hosts=hosts, links=links, iterations=4)))
    text = write_log(durations_ns(run), 3.0)
    tags = re.findall(r"^Tag=([^,]*),0\.000,3\.000,", text, re.MULTILINE)
    assert tags == ["iteration", "collective_1", "a_→_b", "b_→_a"]


def test_the_slowest_messages_tell_their_link_rank_and_event(tmp_path: Path) -> None:
    hosts: dict[str, tuple[str, ...]] = dict.fromkeys("abc", ("GB200",) * 3)
    links = tuple(Link(x, y, 1e-4, 20e6) for x, y in ("ab", "bc", "ac"))
    plain: dict[str, Any] = {"hosts": hosts, "links": links, "jitter": 0.0, "iterations": 9}
    quiet = load_run(make_run(tmp_path / "quiet", Scenario(**plain)))
    at = float(quiet.events.filter(quiet.events["iteration"] == 3)["end_ns"].to_numpy().max()) / 1e9
    late = {(2, i): 0.2 for i in range(4, 9)}
    cut = happened("cut", at + 0.42, None, links=["a-b"])
    run = load_run(make_run(tmp_path / "loud", Scenario(**plain, held_up=late, happened=(cut,))))
    found = slowest_messages(run)
    assert found.count == round(found.of * 0.01)
    # Five messages were held up; the rest of the 1 % are as long as any other.
    assert found.by_link[0].name == "a → b"
    assert found.by_rank[0].name == "2 · a-02"
    assert found.by_rank[0].share >= 5 / found.count
    assert found.by_event[0].name == "cut"
    assert found.by_event[0].share >= 5 / found.count


def test_the_last_to_enter_the_slowest_collectives_is_named(tmp_path: Path) -> None:
    run = load_run(make_run(tmp_path / "run", uniform(4, slowdown={2: 1.5})))
    assert slowest_entries(run) == [NamedShare("2 · home-02", 1.0)]


def test_tails_go_up_to_p999_and_mark_what_the_count_does_not_support(tmp_path: Path) -> None:
    found = {one.what: one for one in latencies(load_run(make_run(tmp_path / "run", uniform(3))))}
    assert set(found) == {"iteration", "collective 1", "home → home"}
    assert found["iteration"].notes["p999_s"] == "n<1000"


@pytest.mark.parametrize("form", list(export.FORMATS))
def test_the_verb_writes_every_format(tmp_path: Path, form: str) -> None:
    path = make_run(tmp_path / "run", uniform(3))
    trained(path)
    out = tmp_path / "out"
    command: list[str | Path] = [sys.executable, "-m", "longhaul", "export", path, "--format", form]
    done = subprocess.run([*command, "--out", out], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert out.read_text()
    piped = subprocess.run(command, capture_output=True, text=True, check=True)
    assert piped.stdout == out.read_text()


def test_what_is_no_run_is_told_plainly(tmp_path: Path) -> None:
    command: list[str | Path] = [
        sys.executable,
        "-m",
        "longhaul",
        "export",
        tmp_path,
        "--format",
        "csv",
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "not the folder of a finished run" in done.stderr


HOSTILE = "=HYPERLINK(1)", "@sum(a)", "+cmd|' /C calc'!A0", "-x", "\t=1", "-5", "+3.2", "c1-h100-1"


def test_a_spreadsheet_computes_nothing_of_a_name() -> None:
    table = harmless(pl.DataFrame({"=name": list(HOSTILE), "n": range(len(HOSTILE))}))
    assert table.columns == ["'=name", "n"]
    assert table["'=name"].to_list() == [f"'{one}" for one in HOSTILE[:5]] + list(HOSTILE[5:])


def test_markdown_shows_what_is_written() -> None:
    assert cell("![x](http://e/) <img> *b* `c` a|b\n| d") == (
        r"!\[x\](http://e/) &lt;img> \*b\* \`c\` a\|b \| d"
    )
    assert code("run `x`\n y") == "`run 'x' y`"
