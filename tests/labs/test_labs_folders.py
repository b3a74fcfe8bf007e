"""A student's folder is made, packed and unpacked; what others packed can do no harm."""

from __future__ import annotations

import sys
import zipfile
from pathlib import Path

import pytest
import yaml

from longhaul.labs import draws
from longhaul.labs.attempt import ANSWERS
from longhaul.labs.catalogue import LABS, Lab, lab, labs
from longhaul.labs.folders import HandedIn, new, pack, unpack
from longhaul.labs.marking import OWN, Teacher, attempt_of, fair, owned, ownership
from longhaul.machine.init import OWN_ROOT
from scenario.errors import WrongInput
from scenario.loading import language, load_topology, load_workload

QUICK = [one for one in labs().values() if one.number != 5]
"""Whose folders need no run."""


@pytest.mark.parametrize("one", [pytest.param(one, id=one.folder.name) for one in QUICK])
def test_a_folder_has_all_that_is_handed_in_and_its_files_are_right(
    one: Lab, tmp_path: Path
) -> None:
    new(one, tmp_path / "own", "ada", draws.PUBLIC)
    assert [name for name in one.sheet.hand_in if not (tmp_path / "own" / name).is_file()] == []
    for path in (tmp_path / "own").glob("*.yaml"):
        if path.name != OWN and any(word in path.read_text() for word in ("campuses:", "kind: ")):
            (load_workload if language(path) == "workload" else load_topology)(path)
    assert "[[" not in "".join(path.read_text() for path in (tmp_path / "own").glob("*.*y*"))


@pytest.mark.parametrize("one", [pytest.param(one, id=one.folder.name) for one in labs().values()])
def test_no_folder_and_no_sheet_has_a_solution(one: Lab) -> None:
    solution = LABS / "solutions" / one.folder.name
    assert solution.is_dir()
    for path in solution.glob("*.py"):
        skeleton = one.skeleton / path.name
        assert not skeleton.exists() or skeleton.read_text() != path.read_text()


def test_what_is_packed_is_what_is_unpacked(tmp_path: Path) -> None:
    new(lab("1"), tmp_path / "own", "ada", draws.PUBLIC)
    packed = pack(tmp_path / "own", lab("1"), None)
    (tmp_path / "there").mkdir()
    unpack(packed, tmp_path / "there")
    assert owned(tmp_path / "there").student == "ada"
    assert sorted(path.name for path in (tmp_path / "there").iterdir()) == ["answer.py", "lab.yaml"]


def test_paths_of_an_archive_lead_nowhere_else(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "evil.zip", "w") as packed:
        packed.writestr("../../evil.py", "")
        packed.writestr("/etc/evil.yaml", "")
    (tmp_path / "a" / "b").mkdir(parents=True)
    unpack(tmp_path / "evil.zip", tmp_path / "a" / "b")
    found = {str(path.relative_to(tmp_path)) for path in tmp_path.rglob("evil*.*")}
    assert found == {"evil.zip", "a/b/evil.py", "a/b/evil.yaml"}


def test_a_bomb_is_not_unpacked(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "bomb.zip", "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("answer.py", b"0" * 50_000_000)
    with pytest.raises(HandedIn, match="larger"):
        unpack(tmp_path / "bomb.zip", tmp_path)
    (tmp_path / "text.zip").write_text("no zip")
    with pytest.raises(HandedIn, match="no zip"):
        unpack(tmp_path / "text.zip", tmp_path)


def test_a_folder_in_use_is_not_written_over(tmp_path: Path) -> None:
    (tmp_path / "answer.py").write_text("my work")
    with pytest.raises(WrongInput, match="not empty"):
        new(lab("1"), tmp_path, "ada", draws.PUBLIC)
    assert (tmp_path / "answer.py").read_text() == "my work"


def test_with_the_secret_the_folders_own_parameters_do_not_count(tmp_path: Path) -> None:
    secret = b"a secret of one course"
    drawn = new(lab("1"), tmp_path / "own", "ada", secret)
    own = tmp_path / "own" / "lab.yaml"
    own.write_text(own.read_text().replace(f"rate_Gbps: {drawn['rate_Gbps']}", "rate_Gbps: 200"))
    assert attempt_of(tmp_path / "own", Teacher(secret), print).drawn == drawn
    assert attempt_of(tmp_path / "own", Teacher(), print).drawn == drawn | {"rate_Gbps": 200}


def test_what_a_student_is_to_find_out_is_not_told_in_the_folder(tmp_path: Path) -> None:
    one = lab("5")
    drawn = draws.drawn(one, b"a secret of one course", "ada", fair(one))
    own = ownership(one, "ada", drawn)
    assert set(own["parameters"]) == {"iterations"}
    (tmp_path / OWN).write_text(text := yaml.safe_dump(own))
    assert "straggler" not in text
    assert str(drawn["slowdown"]) not in text
    assert attempt_of(tmp_path, Teacher(), print).drawn == drawn


@pytest.mark.parametrize("name", ["", "e30=", "bnVsbA==", "no base64", "W10="])
def test_what_was_sealed_and_is_changed_is_refused(name: str, tmp_path: Path) -> None:
    own = {"longhaul": 1, "lab": 5, "student": "ada", "parameters": {"iterations": 5}}
    (tmp_path / OWN).write_text(yaml.safe_dump(own | {"sealed": name}))
    with pytest.raises(WrongInput, match=r"sealed|the parameters of this lab are"):
        attempt_of(tmp_path, Teacher(), print)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("lab: 1\n", r"lab\.yaml:1:1"),
        ("longhaul: 1\nlab: 99\nstudent: ada\nparameters: {}\n", "no lab"),
        ("longhaul: 1\nlab: 1\nstudent: ../ada\nparameters: {}\n", "student"),
        (
            "longhaul: 1\nlab: 1\nstudent: ada\nparameters: {distance_km: 7, medium: fibre, rate_Gbps: 200}\n",
            "cannot|not among",
        ),
    ],
)
def test_a_folder_that_is_none_is_told_what_is_wrong(text: str, said: str, tmp_path: Path) -> None:
    (tmp_path / "lab.yaml").write_text(text)
    with pytest.raises(WrongInput, match=said):
        attempt_of(tmp_path, Teacher(), print)


def test_an_answer_of_another_name_is_refused(tmp_path: Path) -> None:
    new(lab("2"), tmp_path / "own", "ada", draws.PUBLIC)
    (tmp_path / "own" / ANSWERS).write_text("quue: 5MB\n")
    with pytest.raises(WrongInput, match="in-flight"):
        _ = attempt_of(tmp_path / "own", Teacher(), print).answers


@pytest.mark.parametrize("one", [pytest.param(one, id=one.folder.name) for one in labs().values()])
def test_no_file_of_a_student_could_be_taken_for_a_module_of_ours(one: Lab) -> None:
    ours = {path.name for path in LABS.parent.iterdir() if path.is_dir()}
    modules = {path.stem for path in one.skeleton.rglob("*.py")} | set(one.sheet.hand_in)
    assert {name.removesuffix(".py") for name in modules} & (
        ours | set(sys.stdlib_module_names)
    ) == set()


@pytest.mark.parametrize("name", ["Dockerfile", "gradescope/setup.sh", "gradescope/run_autograder"])
def test_a_set_up_does_not_stand_where_guests_have_their_own_root(name: str) -> None:
    """A checkout in /opt/longhaul is hidden from guests: no lab could be checked there."""
    lines = (LABS / "setups" / name).read_text().splitlines()
    said = "\n".join(line for line in lines if not line.startswith("#"))
    assert "/srv/longhaul" in said
    assert "/opt/longhaul" not in said
    assert "opt/longhaul" in OWN_ROOT
