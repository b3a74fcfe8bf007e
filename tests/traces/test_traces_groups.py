"""Process groups whose ranks a trace does not tell are counted, never silently taken as all ranks."""

import json
from pathlib import Path
from typing import Any

import pytest

from scenario.text.diagnostics import InvalidInput
from traffic.traces.assembling import assemble
from traffic.traces.process_groups import UNKNOWN, UNNAMED, UNREAD_LIST
from traffic.traces.reading import read_all
from traffic.traces.recording import Recording

from .making import Kineto, bytes_field, chakra_file, chakra_node, et_comm

INIT = "## process_group:init ##"
UNREADABLE = [
    "no list", "[0, 1", '[{"pg_name": "3", "ranks": [0, 1]', "9" * 6000, "[" * 5000, "{}", "7", "null",
]  # fmt: skip
unreadable = pytest.mark.parametrize("text", UNREADABLE, ids=lambda text: text[:12])


def chakra(tmp: Path, text: str) -> Recording:
    nodes = [
        chakra_node(1, 1, values=text) + bytes_field(2, INIT.encode()),  # the last name counts
        chakra_node(2, 7, comm_type=0, comm_size=9, pg_name="3"),
    ]
    return recording(chakra_file(tmp / "job.0.et", nodes))


def pytorch(tmp: Path, text: str) -> Recording:
    init = {"id": 1, "name": INIT, "inputs": {"values": [text]}}
    reduced = et_comm(2, "allreduce", 3, 0, 64)
    reduced["inputs"]["values"] = [*reduced["inputs"]["values"][:-3], 0, 0, 0]
    reduced["inputs"]["values"][2] = ["3", "mine"]
    document = {"schema": "1.0.3", "nodes": [init, reduced]}
    (tmp / "job.0.json").write_text(json.dumps(document))
    return recording(tmp / "job.0.json")


def kineto(tmp: Path, ranks: Any, listed: Any = None) -> Recording:
    profile = Kineto()
    if listed is not None:
        profile.distributed["pg_config"] = listed
    profile.all_reduce(20, 5, 10, 20, elements=7)
    profile.events[-1]["args"]["Process Group Ranks"] = ranks
    return recording(profile.save(tmp / "job.0.json"))


def recording(file: Path) -> Recording:
    return assemble(read_all([file]), 2).files[0]


@unreadable
def test_a_list_of_groups_that_cannot_be_read_is_counted(tmp_path: Path, text: str) -> None:
    for found in (chakra(tmp_path, text), pytorch(tmp_path, text)):
        assert found.ignored[UNREAD_LIST] == 1
        assert found.ignored[UNKNOWN] == 1


def test_groups_that_can_be_read_are_not_counted(tmp_path: Path) -> None:
    for ranks in ("[0, 1]", "[]", "null"):
        text = f'[{{"pg_name": "3", "ranks": {ranks}}}, {{"pg_name": "0"}}]'
        for found in (chakra(tmp_path, text), pytorch(tmp_path, text)):
            assert not {UNREAD_LIST, UNNAMED, UNKNOWN} & set(found.ignored)


def test_a_group_without_a_name_is_counted(tmp_path: Path) -> None:
    text = '[{"ranks": [0, 1]}, 7, {"pg_name": "3", "ranks": [0, 1]}]'
    assert chakra(tmp_path, text).ignored[UNNAMED] == 2


def test_metadata_that_is_of_something_else_is_no_list_of_groups(tmp_path: Path) -> None:
    nodes = [chakra_node(1, 1, values="a version"), chakra_node(2, 4, micros=1)]
    assert not recording(chakra_file(tmp_path / "job.0.et", nodes)).ignored[UNREAD_LIST]


@pytest.mark.parametrize("ranks", ["[0, 1, ..., 7]", "garbage", "[0.5, 1]", {"a": 1}])
def test_a_profiles_ranks_that_cannot_be_read_are_counted(tmp_path: Path, ranks: Any) -> None:
    assert kineto(tmp_path, ranks).ignored[UNKNOWN] == 1
    assert not kineto(tmp_path, "[0, 1]").ignored[UNKNOWN]


def test_a_profiles_list_of_groups_is_one(tmp_path: Path) -> None:
    assert kineto(tmp_path, "[0, 1]", {"pg_name": "3"}).ignored[UNREAD_LIST] == 1
    with pytest.raises(InvalidInput, match="rank"):
        kineto(tmp_path, "...", [{"pg_name": "0", "ranks": {"0": 1}}])
