"""Where a guest's memory is kept: on a disk, too, where nothing in memory has room (a container's 64 MB)."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from longhaul.machine import memory


@pytest.mark.parametrize("where", [Path("/dev/shm"), Path("/var/tmp")], ids=str)
def test_memory_takes_files_without_a_name_and_nothing_is_left(
    where: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(memory, "folder", lambda: where)
    with memory.nameless() as handle:
        file = os.open(f"/proc/self/fd/{handle}", os.O_TMPFILE | os.O_RDWR, 0o600)
        assert os.write(file, b"a page of a guest") == 17
        os.close(file)
        made = Path(str(Path(f"/proc/self/fd/{handle}").readlink()).removesuffix(" (deleted)"))
    assert made.parent == where
    assert not made.exists()


def test_a_folder_without_room_is_passed_over(monkeypatch: pytest.MonkeyPatch) -> None:
    small = {"/dev/shm": 64e6}
    monkeypatch.setattr(memory, "room", lambda where: small.get(str(where), 1e12))
    assert memory.folder() != Path("/dev/shm")
