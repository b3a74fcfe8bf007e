"""RoCE as a transport: framing, windows, the binding of libibverbs; and collectives over real queue pairs."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest

from analysis.form.benchmark import BenchmarkTable, read_benchmark
from analysis.form.summary import TrainingSummary, read_summary
from longhaul.planning import make_plan
from scenario.loading import load_topology, load_workload
from scenario.plan.types import WIDEST_WINDOW, Plan
from scenario.text.diagnostics import InvalidInput
from scenario.types.topology import Rdma, Topology, Training, Transport
from tests.run.conftest import ROOT, longhaul
from traffic.adapters import FEWEST_PACKETS, paths, roce_settings, slots
from traffic.framing import framing
from traffic.host import verbs
from traffic.host.program import Program, read, written
from traffic.host.transport import Path as Path_
from traffic.kind import place
from traffic.model.wires import Wires
from traffic.training.kind import prepare

FOUR = Path(__file__).with_name("four-hosts.yaml")
TWO = ROOT / "topologies" / "two-hosts.yaml"
ROCE = Transport("roce")
WIDE = "links.c1-c2.rate=3.2Tbit/s"


def adapted(path: Path, *overrides: str, congestion: str = "window") -> Plan:
    return make_plan(load_topology(path, (*overrides, f"rdma.congestion={congestion}")))


# --- pure ----------------------------------------------------------------------------------------


def test_a_full_packet_is_4096_bytes_and_58_of_headers() -> None:
    packets = framing(adapted(TWO), ROCE)
    assert (packets.payload_bytes, packets.frame_bytes) == (4096, 4154)
    assert packets.on_wire_bytes(4097) == 4097 + 2 * 58


def test_packets_are_as_large_as_the_topology_has_room_for() -> None:
    assert framing(adapted(TWO, "mtu=1500"), ROCE).payload_bytes == 1024


def test_a_window_is_twice_the_bandwidth_delay_product_of_its_own_path() -> None:
    wires = Wires(adapted(FOUR), ROCE)
    near, far = (paths(wires, wires.plan.hosts[0])[rank] for rank in (1, 2))
    packets = 1.6e9 * wires.rtt_s(0, 2) / 8 / 4154
    assert far.window == pytest.approx(2 * packets + FEWEST_PACKETS, abs=1)
    assert FEWEST_PACKETS < near.window < far.window


def test_a_host_faster_than_its_path_is_held_to_the_slowest_wire() -> None:
    wires = Wires(adapted(TWO), ROCE)
    assert paths(wires, wires.plan.hosts[0])[1].rate_Bps == 400e6 / 8  # of a NIC of 3.2 Gbit/s
    even = Wires(adapted(FOUR), ROCE)
    assert paths(even, even.plan.hosts[0])[2].rate_Bps == 0


@pytest.mark.parametrize("congestion", ["none", "dcqcn"])
def test_other_congestion_control_has_no_window_of_ours(congestion: str) -> None:
    wires = Wires(adapted(FOUR, congestion=congestion), ROCE)
    assert paths(wires, wires.plan.hosts[0]) == ()


def test_split_congestion_control_obeys_marks_inside_a_campus_and_keeps_to_windows_between() -> (
    None
):
    wires = Wires(adapted(FOUR, congestion="split"), ROCE)
    itself, near, far, _ = paths(wires, wires.plan.hosts[0])
    assert itself == Path_()
    assert (near.obeys, near.window) == (True, WIDEST_WINDOW)
    assert far == paths(Wires(adapted(FOUR), ROCE), wires.plan.hosts[0])[2]
    assert not far.obeys


def test_kept_bytes_have_slots_for_twice_the_longest_path() -> None:
    wires = Wires(adapted(FOUR), ROCE)
    assert 2**15 * slots(wires) >= 2 * 1.6e9 / 8 * wires.rtt_s(0, 2)


def test_a_program_over_roce_is_read_as_it_was_written(tmp_path: Path) -> None:
    workload = load_workload(ROOT / "traffic" / "workloads" / "training.yaml", ("transport=roce",))
    plan = adapted(TWO)
    placed = place(workload, plan, {host.name for host in plan.hosts})
    assert isinstance(placed.workload, Training)
    for assigned in prepare(placed.workload, placed.plan, seed=1).programs.values():
        program: Program = assigned.program
        (tmp_path / "program.json").write_text(written(program))
        assert read(tmp_path / "program.json") == program
        assert program.transport.kind == "roce"


def test_a_timeout_means_nothing_to_tcp() -> None:
    workload = ROOT / "traffic" / "workloads" / "training.yaml"
    with pytest.raises(InvalidInput, match="means nothing to tcp"):
        load_workload(workload, ("transport={kind: tcp, timeout: 18}",))


def test_the_language_says_transport_by_a_word_or_a_mapping() -> None:
    workload = ROOT / "traffic" / "workloads" / "training.yaml"
    assert load_workload(workload).transport == Transport("tcp")
    assert load_workload(workload, ("transport=roce",)).transport == ROCE
    asked = load_workload(workload, ("transport={kind: roce, timeout: 18}",)).transport
    assert asked == Transport("roce", 18)


@pytest.mark.parametrize(
    ("name", "overrides", "exponent"),
    [
        ("two-hosts", (), 14),
        ("two-hosts", ("links.c1-c2.distance=2000mi",), 15),
        ("roce-shallow", (), 14),
        ("roce-shallow", ("switches.shallow.buffer=20GB",), 16),
    ],
)
def test_a_timeout_is_67_ms_or_longer_where_light_or_full_buffers_take_longer(
    name: str, overrides: tuple[str, ...], exponent: int
) -> None:
    wires = Wires(adapted(ROOT / "topologies" / f"{name}.yaml", *overrides), ROCE)
    assert roce_settings(wires, ROCE, 1).timeout == exponent
    assert roce_settings(wires, Transport("roce", 18), 1).timeout == 18


def test_a_topology_gets_adapters_where_a_workload_asks_for_them() -> None:
    from longhaul.runs.life import with_adapters

    topology: Topology = load_topology(TWO)
    workload = load_workload(ROOT / "traffic" / "workloads" / "training.yaml", ("transport=roce",))
    assert topology.rdma is None
    assert with_adapters(topology, [workload]).rdma == Rdma(congestion="window")


def test_structures_are_as_the_header_has_them(tmp_path: Path) -> None:
    """Against the compiler, where libibverbs' header is installed."""
    if not Path("/usr/include/infiniband/verbs.h").exists():
        pytest.skip("no libibverbs-dev: ./setup.sh system")
    sizes = "".join(f'printf("{name} %zu\\n", sizeof(struct {name}));' for name in verbs.SIZES)
    offsets = "".join(
        f'printf("{name} %zu\\n", offsetof(struct ibv_context, ops.{name}));'
        for name in verbs.OFFSETS
    )
    source = tmp_path / "sizes.c"
    includes = "#include <stddef.h>\n#include <stdio.h>\n#include <infiniband/verbs.h>\n"
    source.write_text(f"{includes}int main(void) {{ {sizes}{offsets} }}\n")
    program = tmp_path / "sizes"
    subprocess.run(["gcc", "-o", program, source], check=True)
    said = subprocess.run([program], check=True, capture_output=True, text=True).stdout
    found = {name: int(size) for name, size in map(str.split, said.splitlines())}
    assert found == verbs.SIZES | verbs.OFFSETS


# --- over real queue pairs -----------------------------------------------------------------------


@pytest.fixture(scope="module")
def benched(tmp_path_factory: pytest.TempPathFactory, kernel: Path) -> Path:  # noqa: ARG001
    folder = tmp_path_factory.mktemp("roce") / "bench"
    done = longhaul(
        "bench", FOUR, "--transport", "roce", "--algorithm", "ring,halving_doubling", "--sizes",
        "1M:256M:x16", "--iters", "2", "--warmup", "1", "--check", "--out", folder, folder=folder,
    )  # fmt: skip
    assert done.status == 0, done.complaint
    return folder


def table(folder: Path) -> BenchmarkTable:
    return read_benchmark(folder)


def test_every_sum_over_roce_is_right(benched: Path) -> None:
    assert [row.wrong for row in table(benched).rows] == [0] * len(table(benched).rows)


def test_a_ring_over_roce_takes_as_long_as_alpha_and_beta_say(benched: Path) -> None:
    ring = [row for row in table(benched).rows if row.algorithm == "ring"]
    assert ring[-1].size_bytes > 250e6
    assert ring[-1].error == pytest.approx(0, abs=0.01)


def test_adapters_went_back_for_nothing_where_nothing_is_lost(benched: Path) -> None:
    counted = pl.read_parquet(benched / "adapters.parquet")
    assert counted["rank"].to_list() == [0, 1, 2, 3]
    assert counted["sent_packets"].min() > 1000
    for column in ("retransmissions", "naks_received", "not_ready_received", "duplicates"):
        assert counted[column].sum() == 0


def trained(folder: Path, *words: str) -> TrainingSummary:
    asked = ("transport=roce", "iterations=2", "warmup=1", "model.parameters=7e8")
    settings = [word for one in asked for word in ("--set-workload", one)]
    done = longhaul("run", FOUR, *settings, *words, "--out", folder, folder=folder)
    assert done.status == 0, done.complaint
    summary = read_summary(folder)
    assert isinstance(summary, TrainingSummary)
    return summary


@pytest.mark.slow
def test_the_same_seed_gives_the_same_digest_over_roce(tmp_path: Path, kernel: Path) -> None:  # noqa: ARG001
    once, again = (trained(tmp_path / name, "--cpu", cpu) for name, cpu in (("a", "0"), ("b", "1")))
    assert once.digest == again.digest
    assert once.prediction.error == pytest.approx(0, abs=0.01)
    assert [one.name for one in once.adapters] == ["training"]
    modelled = json.loads((tmp_path / "a" / "plan.json").read_text())["modelled"]
    assert any("Soft-RoCE" in text for text in modelled)


LOSSY = ("--set", "links.c1-c2.loss=5e-5", "--set", "scale.bytes=200")


@pytest.fixture(scope="module")
def lossy(tmp_path_factory: pytest.TempPathFactory, kernel: Path) -> Path:  # noqa: ARG001
    """A run in which packets are lost and sent again, with sums that are checked."""
    folder = tmp_path_factory.mktemp("lossy") / "run"
    trained(folder, *LOSSY, "--set-workload", "collective.verify=true")
    return folder


@pytest.mark.slow
def test_what_is_sent_again_is_what_was_sent(lossy: Path) -> None:
    summary = read_summary(lossy)
    assert isinstance(summary, TrainingSummary)
    assert summary.adapters[0].naks_received > 0
    assert summary.collective.wrong == 0


@pytest.mark.slow
def test_queue_pairs_are_counted_each(lossy: Path) -> None:
    """Only those over the long haul lose; what they count together the adapters count, too."""
    pairs = pl.read_parquet(lossy / "queue_pairs.parquet")
    adapters = pl.read_parquet(lossy / "adapters.parquet")
    ring = [(0, 1), (1, 2), (2, 3), (3, 0)]
    assert pairs.select("rank", "peer").rows() == ring
    assert pairs["sent_packets"].min() > 1000
    for column in ("retransmissions", "naks_received"):
        assert pairs[column].sum() == adapters[column].sum() > 0
    inside = pairs.filter(pl.col("rank").is_in([0, 2]))
    assert inside["naks_received"].sum() == 0
    # Nothing is lost there; what a receiver has no room for yet is sent again.
    waited = adapters.filter(pl.col("rank").is_in([0, 2]))["not_ready_received"]
    assert inside["retransmissions"].sum() <= waited.sum()


def left_out(folder: str, names: list[str]) -> set[str]:
    """Of a checkout, what is no part of it."""
    return {".git", ".venv", "runs"} & set(names) if Path(folder) == ROOT else {"__pycache__"}


@pytest.mark.slow
def test_losses_over_roce_are_the_same_in_another_checkout(lossy: Path, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    shutil.copytree(ROOT, elsewhere, ignore=left_out)
    again = json.loads((lossy / "manifest.json").read_text())["command"].split()
    words = [tmp_path / "run" if word == str(lossy) else word for word in again[1:]]
    command = [sys.executable, "-m", "longhaul", *map(str, words)]
    done = subprocess.run(command, cwd=elsewhere, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert read_summary(tmp_path / "run").digest == read_summary(lossy).digest


@pytest.mark.slow
def test_requests_and_background_load_go_over_queue_pairs_too(tmp_path: Path, kernel: Path) -> None:  # noqa: ARG001
    here = FOUR.parent
    files = ("--workload", here / "chat.yaml", "--workload", here / "backup.yaml")
    done = longhaul("run", FOUR, *files, "--out", tmp_path / "run", folder=tmp_path / "run")
    assert done.status == 0, done.complaint
    requests = pl.read_parquet(tmp_path / "run" / "requests.parquet")
    assert (requests.height, requests["output_tokens"].sum()) == (60, 240)
    load = pl.read_parquet(tmp_path / "run" / "background.parquet")
    sent, received = (load.filter(side=side)["bytes"].sum() for side in ("sent", "received"))
    assert sent == received > 0
    with pytest.raises(InvalidInput, match="means nothing with"):
        load_workload(here / "backup.yaml", ("protocol=tcp",))
