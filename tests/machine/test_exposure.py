"""What a command is shown of the machine it is typed on."""

from pathlib import Path

import pytest

from longhaul.machine import exposure, uml


def made(*files: Path) -> None:
    for file in files:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch(mode=0o755)


def test_the_current_folder_and_a_virtual_environment_with_its_python_are_shown(
    tmp_path: Path,
) -> None:
    home, project = tmp_path, tmp_path / "project"
    base, venv = tmp_path / "pythons" / "3.12", tmp_path / "venvs" / "torch"
    made(project / "train.py", base / "bin" / "python3", base / "lib" / "os.py")
    made(venv / "bin" / "python", venv / "pyvenv.cfg")
    (venv / "pyvenv.cfg").write_text(f"home = {base}/bin\n")
    words = [str(venv / "bin" / "python"), "train.py"]
    shown = exposure.for_command(words, project, {"PATH": "/nowhere"}, home)
    assert {project, venv, base / "bin", base / "lib"} <= set(shown)
    assert home not in shown
    assert base not in shown


def test_of_a_home_folder_the_files_that_are_named_are_shown_and_no_more(tmp_path: Path) -> None:
    made(tmp_path / "train.py", tmp_path / ".ssh" / "key", tmp_path / "bin" / "tool")
    environment = {"PATH": f"{tmp_path}/bin", "PYTHONPATH": str(tmp_path)}
    shown = exposure.for_command(["tool", "train.py"], tmp_path, environment, tmp_path)
    assert set(shown) == {tmp_path / "train.py", tmp_path / "bin"}


def test_nothing_above_a_home_folder_is_shown_either(tmp_path: Path) -> None:
    home = tmp_path / "me"
    home.mkdir()
    assert exposure.for_command(["true"], tmp_path, {"PATH": "/nowhere"}, home) == ()


def test_of_what_a_guest_has_of_its_own_the_files_that_are_named_are_shown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = tmp_path / "tmp"
    made(own / "try.sh", own / "data")
    monkeypatch.setattr(exposure, "THE_GUESTS", (own,))
    home = tmp_path / "me"
    there = str(own / "try.sh")
    assert exposure.for_command([there], home, {"PATH": "/nowhere"}, home) == (own / "try.sh",)
    assert exposure.for_command(["try.sh"], own, {"PATH": "/nowhere"}, home) == (own / "try.sh",)


@pytest.mark.parametrize("place", ["/opt/longhaul", "/usr/src/longhaul"])
def test_code_that_a_guests_own_files_would_hide_is_refused_with_a_way_out(
    place: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(uml, "ROOT", Path(place))
    guest = uml.Guest(tmp_path, tmp_path, 1, "virtual", 2**30, root=tmp_path / "root")
    with pytest.raises(uml.GuestError, match=f"longhaul is in {place}, .* or say --root system"):
        uml.shown(guest)
