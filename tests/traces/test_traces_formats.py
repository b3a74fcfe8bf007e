"""Each format: what is in a small file is what comes out, to the byte and the nanosecond."""

import json
from pathlib import Path

import pytest

from scenario.text.diagnostics import InvalidInput
from traffic.traces.account import account, compute_s, events, kinds, measured
from traffic.traces.assembling import Imported, assemble
from traffic.traces.form import Compute, Node, TracedCollective, TracedTransfer
from traffic.traces.reading import read, read_all
from traffic.traces.storing import load, save

from .making import Kineto, chakra_file, chakra_node, et_comm, et_file

COMP, SEND, RECV, COLL, METADATA = 4, 5, 6, 7, 1
ALL_REDUCE, ALL_GATHER, BARRIER = 0, 2, 9


def imported(*files: Path, ranks: int | None = None, step: int | None = None) -> Imported:
    return assemble(read_all(files, step), ranks)


def works(found: Imported, rank: int = 0) -> list[object]:
    return [node.work for node in found.trace.ranks[rank]]


# -- Chakra


def test_chakra_computes_and_communicates_in_the_order_of_data_deps(tmp_path: Path) -> None:
    nodes = [
        chakra_node(1, COMP, micros=7),
        chakra_node(2, COMP, after=[1], micros=3),
        chakra_node(3, COLL, after=[2], comm_type=ALL_REDUCE, comm_size=4096, is_cpu_op=False),
        chakra_node(4, COMP, after=[3], micros=5),
    ]
    found = imported(chakra_file(tmp_path / "job.0.et", nodes), ranks=4)
    assert works(found) == [Compute(10_000), TracedCollective("all_reduce", 4096, 0), Compute(5000)]
    assert [node.after for node in found.trace.ranks[3]] == [(), (0,), (1,)]
    assert found.trace.groups == ((0, 1, 2, 3),)


def test_chakra_sizes_are_a_ranks_input_so_a_gather_is_as_large_as_its_group(
    tmp_path: Path,
) -> None:
    node = chakra_node(1, COLL, comm_type=ALL_GATHER, comm_size=100)
    found = imported(chakra_file(tmp_path / "job.0.et", [node]), ranks=4)
    assert [kind.size_bytes for kind in kinds(found.trace)] == [400]


def test_chakra_process_groups_are_those_of_its_metadata(tmp_path: Path) -> None:
    groups = json.dumps([{"pg_name": "7", "ranks": [0, 2]}, {"pg_name": "8", "ranks": [1, 3]}])
    files = []
    for rank in range(4):
        nodes = [
            chakra_node(1, METADATA, values=f"['{groups}']"),
            chakra_node(2, COLL, comm_type=ALL_REDUCE, comm_size=8, pg_name=str(7 + rank % 2)),
        ]
        files.append(chakra_file(tmp_path / f"job.{rank}.et", nodes))
    assert imported(*files).trace.groups == ((0, 2), (1, 3))


def test_chakra_sends_meet_receives(tmp_path: Path) -> None:
    there = [chakra_node(1, SEND, comm_size=64, comm_dst=1, comm_tag=3)]
    here = [chakra_node(1, RECV, comm_size=64, comm_src=0, comm_tag=3)]
    found = imported(
        chakra_file(tmp_path / "a.0.et", there), chakra_file(tmp_path / "a.1.et", here)
    )
    assert works(found, 0) == [TracedTransfer("send", 1, 64, 3)]
    assert works(found, 1) == [TracedTransfer("recv", 0, 64, 3)]


def test_chakra_communication_launched_on_the_cpu_is_compute(tmp_path: Path) -> None:
    node = chakra_node(1, COLL, micros=4, comm_type=ALL_REDUCE, comm_size=9, is_cpu_op=True)
    assert works(imported(chakra_file(tmp_path / "x.0.et", [node]))) == [Compute(4000)]


def test_chakra_json_of_the_jsonizer_says_the_same_as_the_binary_file(tmp_path: Path) -> None:
    nodes = [
        {"id": "1", "name": "node 1", "type": "COMP_NODE", "durationMicros": "7"},
        {"id": "2", "name": "node 2", "type": "COMM_COLL_NODE", "dataDeps": ["1"], "attr": [
            {"name": "comm_type", "int64Val": "0"}, {"name": "comm_size", "int64Val": "4096"},
            {"name": "is_cpu_op", "boolVal": False}]},
    ]  # fmt: skip
    text = '{"version": "0.0.4"}' + "".join(map(json.dumps, nodes))
    (tmp_path / "job.0.json").write_text(text)
    binary = [
        chakra_node(1, COMP, micros=7),
        chakra_node(2, COLL, after=[1], comm_type=ALL_REDUCE, comm_size=4096, is_cpu_op=False),
    ]
    one = imported(tmp_path / "job.0.json", ranks=2)
    other = imported(chakra_file(tmp_path / "job.0.et", binary), ranks=2)
    assert one.trace == other.trace


def test_chakra_feeder_json_is_read(tmp_path: Path) -> None:
    nodes = [
        {"Id": 1, "Name": "gemm", "NodeType": 4, "runtime": 7, "data_deps": []},
        {"Id": 2, "Name": "sum", "NodeType": 7, "data_deps": [1], "comm_type": 0, "comm_size": 64},
        {"Id": 3, "Name": "lost", "NodeType": 7, "data_deps": [2]},
    ]
    (tmp_path / "job.0.json").write_text(json.dumps({"workload_graph": nodes}))
    found = imported(tmp_path / "job.0.json", ranks=2)
    assert works(found) == [Compute(7000), TracedCollective("all_reduce", 64, 0)]
    assert found.files[0].ignored["communication without comm_size"] == 1


# -- Kineto


def overlapped(rank: int = 0, slower: float = 0.0) -> Kineto:
    """Two kernels, an all-reduce of the first one's result beside the second, a third that waits for it."""
    profile = Kineto(rank)
    profile.kernel("forward", 7, 0, 10, 20 + slower)
    profile.all_reduce(20, 5, 31 + slower, 50, elements=1000)
    profile.kernel("backward", 7, 8, 30 + slower, 30)
    profile.host("cuda_runtime", "cudaStreamWaitEvent", 12)
    profile.kernel("optimizer", 7, 14, 82 + slower, 8)
    return profile


def test_kineto_keeps_streams_waits_and_gaps(tmp_path: Path) -> None:
    found = imported(
        overlapped().save(tmp_path / "r0.json"), overlapped(1).save(tmp_path / "r1.json.gz")
    )
    nodes = found.trace.ranks[0]
    place = {node.name.split("_")[0]: index for index, node in enumerate(nodes)}
    assert {name: nodes[index].work for name, index in place.items()} == {
        "forward": Compute(20_000),
        "launch": Compute(1000),  # from the end of the forward pass to the kernel's start
        "ncclDevKernel": TracedCollective("all_reduce", 4000, 0, "Float"),
        "backward": Compute(30_000),
        "optimizer": Compute(9000),
    }
    assert {name: set(nodes[index].after) for name, index in place.items()} == {
        "forward": set(),
        "launch": {place["forward"]},
        "ncclDevKernel": {place["launch"]},
        "backward": {place["forward"]},
        "optimizer": {place["backward"], place["ncclDevKernel"]},
    }


def replayed(nodes: tuple[Node, ...]) -> list[int]:
    """When each node would end if communication took as long as measured."""
    ends: list[int] = []
    for node in nodes:
        assert node.measured is not None
        lasts = node.measured.end_ns - node.measured.start_ns
        lasts = node.work.ns if isinstance(node.work, Compute) else lasts
        ends.append(max((ends[before] for before in node.after), default=0) + lasts)
    return ends


def test_kineto_nodes_put_one_behind_the_other_give_the_measured_timeline(tmp_path: Path) -> None:
    for nodes in imported(
        overlapped().save(tmp_path / "r0.json"), overlapped(1, 4.5).save(tmp_path / "r1.json")
    ).trace.ranks:
        assert replayed(nodes) == [node.measured.end_ns for node in nodes if node.measured]


def test_kineto_older_profiles_say_sizes_by_the_tensors_of_the_call(tmp_path: Path) -> None:
    profile = Kineto(world=4)
    call = {"Input Dims": [[], []], "Input type": ["TensorList", ""]}
    tensor = {"Input Dims": [[10, 3]], "Input type": ["c10::BFloat16"]}
    profile.host("cpu_op", "record_param_comms", 1, 9, **call)
    profile.host("user_annotation", "nccl:_all_gather_base", 2, 7, **tensor)
    profile.kernel("ncclKernel_AllGather_RING_LL_Sum_int8_t", 20, 5, 10, 20)
    found = imported(profile.save(tmp_path / "p.json"))
    assert [(kind.op, kind.size_bytes) for kind in kinds(found.trace)] == [("all_gather", 240)]


def test_kineto_communication_of_unknown_size_keeps_its_measured_time(tmp_path: Path) -> None:
    profile = Kineto()
    profile.kernel("ncclKernel_AllReduce_RING_LL_Sum_float", 20, 5, 10, 20)
    found = imported(profile.save(tmp_path / "p.json"))
    assert works(found) == [Compute(20_000)]
    (reason,) = [text for text in found.files[0].ignored if "unknown size" in text]
    assert found.files[0].ignored[reason] == 1


def test_kineto_a_stated_wait_is_taken_instead_of_a_guess(tmp_path: Path) -> None:
    profile = Kineto()
    profile.kernel("first", 7, 0, 10, 10)
    profile.host("cuda_runtime", "cudaEventRecord", 2, correlation=100)
    profile.kernel("second", 7, 3, 20, 40)
    profile.host("cuda_runtime", "cudaStreamWaitEvent", 4, correlation=101)
    said = {"wait_on_stream": 7, "wait_on_cuda_event_record_corr_id": 100, "stream": 9}
    profile.host("cuda_sync", "Stream Wait Event", 5, correlation=101, **said)
    profile.kernel("copy", 9, 6, 25, 5)
    nodes = imported(profile.save(tmp_path / "p.json")).trace.ranks[0]
    copy = next(node for node in nodes if node.name == "copy")
    assert [nodes[before].name for before in copy.after] == ["first"]


def test_kineto_one_profiler_step_of_several_is_taken(tmp_path: Path) -> None:
    profile = Kineto()
    for step in range(3):
        profile.host("user_annotation", f"ProfilerStep#{step}", 100 * step, 99)
        profile.all_reduce(20, 100 * step + 5, 100 * step + 10, 20, elements=step + 1)
    file = profile.save(tmp_path / "p.json")
    assert [kind.size_bytes for kind in kinds(imported(file, step=1).trace)] == [8]
    assert [kind.count for kind in kinds(imported(file).trace)] == [3]


def test_kineto_events_are_a_runs_events(tmp_path: Path) -> None:
    table = events(
        imported(
            overlapped().save(tmp_path / "0.json"), overlapped(1).save(tmp_path / "1.json")
        ).trace
    )
    reduces = table.filter(table["kind"] == "collective")
    assert reduces["task"].to_list() == [0, 0]
    assert reduces["bytes"].to_list() == [4000, 4000]
    assert (reduces["end_ns"] - reduces["start_ns"]).to_list() == [50_000, 50_000]
    computes = table.filter(table["kind"] == "compute")  # no launch gap among it
    spans = list(computes.select("rank", "start_ns", "end_ns").iter_rows())
    assert spans == [(0, 0, 50_000), (0, 72_000, 80_000), (1, 0, 50_000), (1, 72_000, 80_000)]


def test_kineto_copies_are_no_compute_and_unmatched_communication_is_no_gap(tmp_path: Path) -> None:
    profile = Kineto(world=1)
    profile.kernel("gemm", 7, 0, 0, 10)
    profile.copy("Memcpy DtoH (Device -> Pinned)", 7, 1, 20, 10)
    profile.kernel("ncclKernel_AllReduce_RING_LL_Sum_float", 20, 5, 5, 20)
    found = imported(profile.save(tmp_path / "p.json")).trace
    table = events(found)
    spans = list(table.select("kind", "start_ns", "end_ns").sort("start_ns").iter_rows())
    assert spans == [("compute", 0, 10_000), ("collective", 5000, 25_000)]
    (only,) = measured(found)
    assert list(only.values()) == pytest.approx([10e-6, 20e-6, 15e-6])


def shifted(rank: int, launched_us: float, clock_us: float) -> Kineto:
    """One rank of two: its first kernel begins at `launched_us`, its all-reduce ends at 1000; its clock is ahead."""
    profile = Kineto(rank)
    profile.kernel("compute", 7, launched_us + clock_us, launched_us + clock_us, 100)
    start = launched_us + clock_us + 100
    profile.all_reduce(20, start, start, 900 - launched_us, elements=1000)
    return profile


def entered_ns(tmp_path: Path, clock_us: float) -> list[int]:
    """When two ranks enter, of which the second is 500 µs late, and its clock wrong by so much."""
    files = [shifted(0, 0, 0), shifted(1, 500, clock_us)]
    found = imported(*(one.save(tmp_path / f"{rank}.json") for rank, one in enumerate(files)))
    table = events(found.trace)
    assert any("clocks" in note for note in found.notes)
    return table.filter(table["kind"] == "collective").sort("rank")["start_ns"].to_list()


def test_kineto_a_rank_that_is_late_by_clocks_that_agree_is_late(tmp_path: Path) -> None:
    assert entered_ns(tmp_path, clock_us=0) == [100_000, 600_000]


def test_kineto_clocks_that_differ_are_corrected_by_the_ends_of_collectives(tmp_path: Path) -> None:
    assert entered_ns(tmp_path, clock_us=7_000_000) == [100_000, 600_000]


# -- PyTorch execution traces


def test_pytorch_collectives_wait_for_what_their_thread_has_waited_for(tmp_path: Path) -> None:
    for rank in range(2):
        nodes = [
            et_comm(2, "allreduce", request=10, rank=rank, elements=100),
            et_comm(3, "all_gather", request=11, rank=rank, elements=5),
            et_comm(4, "wait", request=11, rank=rank),
            et_comm(5, "reduce_scatter", request=12, rank=rank, elements=8),
        ]
        et_file(tmp_path / f"et_{rank}.json", nodes)
    found = imported(tmp_path / "et_1.json", tmp_path / "et_0.json")
    assert found.files[1].file.name == "et_1.json"
    sizes = {kind.op: kind.size_bytes for kind in kinds(found.trace)}
    assert sizes == {"all_reduce": 400, "all_gather": 40, "reduce_scatter": 32}
    assert [node.after for node in found.trace.ranks[0]] == [(), (0,), (1,)]
    assert compute_s(found.trace) == [0, 0]


# -- ASTRA-sim and SimAI


def layer(name: str, *passes: tuple[int, str, int]) -> str:
    return "\t".join([name, "-1", *(str(word) for one in passes for word in one), "100"])


def test_text_of_data_parallelism_sums_each_layers_gradients_beside_the_next(
    tmp_path: Path,
) -> None:
    lines = [layer(name, (5, "NONE", 0), (3, "NONE", 0), (2, "ALLREDUCE", 64)) for name in "ab"]
    file = tmp_path / "w.txt"
    file.write_text("\n".join(["DATA", "2", *lines]))
    found = imported(file, ranks=4)
    forward, first, rest, second, last = found.trace.ranks[2]
    assert forward.work == Compute(12_000)  # two forward passes, and b's weights' gradient
    assert (first.after, rest.after) == ((0,), (0,))
    assert rest.work == Compute(5000)
    assert second.after == (1, 2)
    assert (last.after, last.work) == ((2,), Compute(3000))


def test_text_of_simai_has_groups_of_tensor_data_and_expert_parallelism(tmp_path: Path) -> None:
    head = (
        "HYBRID_TRANSFORMER_FWD_IN_BCKWD model_parallel_NPU_group: 2 ep: 2 pp: 1 vpp: 1 ga: 1"
        " all_gpus: 8 checkpoints: 0 checkpoint_initiates: 0"
    )
    line = layer("m", (9, "ALLTOALL_EP", 8192), (9, "ALLGATHER", 512), (9, "REDUCESCATTER", 4096))
    file = tmp_path / "w.txt"
    file.write_text("\n".join([head, "1", line]))
    found = imported(file)
    assert set(found.trace.groups) == {
        (0, 2), (0, 1), (0, 2, 4, 6), (1, 3), (1, 3, 5, 7), (2, 3), (4, 6), (4, 5), (5, 7), (6, 7),
    }  # fmt: skip
    sizes = {kind.op: (kind.count, kind.size_bytes) for kind in kinds(found.trace)}
    assert sizes == {
        "all_to_all": (4, 4 * 8192), "all_gather": (4, 4 * 512), "reduce_scatter": (2, 2 * 4096),
    }  # fmt: skip
    assert compute_s(found.trace) == pytest.approx([27e-9] * 8)


# -- all of them


def test_a_stored_trace_comes_back_as_it_was(tmp_path: Path) -> None:
    found = imported(
        overlapped().save(tmp_path / "r0.json"), overlapped(1).save(tmp_path / "r1.json")
    )
    save(found.trace, tmp_path / "x.trace.json.gz")
    before = (tmp_path / "x.trace.json.gz").read_bytes()
    assert load(tmp_path / "x.trace.json.gz") == found.trace
    save(load(tmp_path / "x.trace.json.gz"), tmp_path / "x.trace.json.gz")
    assert (tmp_path / "x.trace.json.gz").read_bytes() == before


def test_the_account_is_plain_data(tmp_path: Path) -> None:
    found = imported(
        overlapped().save(tmp_path / "r0.json"), overlapped(1).save(tmp_path / "r1.json")
    )
    said = json.loads(json.dumps(account(found)))
    assert said["ranks"] == 2
    assert said["collectives"][0]["size_bytes"] == 4000
    assert [file["rank"] for file in said["files"]] == [0, 1]


def test_a_random_file_is_no_trace_and_says_so(tmp_path: Path) -> None:
    (tmp_path / "x.bin").write_bytes(bytes(range(1, 200)))
    with pytest.raises(InvalidInput, match="no Chakra trace"):
        read(tmp_path / "x.bin")
