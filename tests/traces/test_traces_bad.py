"""Every bad trace has the exact complaint that stands beside it, and no bytes whatever give a traceback.

`LONGHAUL_REGENERATE=1 pytest tests/traces` writes the complaints anew; read the difference.
"""

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scenario.text.diagnostics import InvalidInput
from traffic.traces.assembling import assemble
from traffic.traces.reading import read_all
from traffic.traces.storing import load

from .making import Kineto, chakra_file, chakra_node

BAD = Path(__file__).with_name("bad")
FILES = sorted(path for path in BAD.iterdir() if path.suffix != ".said")


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_a_bad_trace_has_exactly_this_complaint(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(BAD)
    name = Path(file.name)
    with pytest.raises(InvalidInput) as caught:
        load(name) if name.name.startswith("stored") else assemble(read_all([name]))
    golden = file.with_name(f"{file.name}.said")
    if os.environ.get("LONGHAUL_REGENERATE"):
        golden.write_text(f"{caught.value}\n", encoding="utf-8")
    assert f"{caught.value}\n" == golden.read_text(encoding="utf-8")


def test_what_is_wrong_with_several_files_is_told_at_once(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput) as caught:
        read_all([tmp_path / "missing", BAD / "empty.json"])
    assert len(caught.value.diagnostics) == 2


def whole(tmp: Path) -> list[bytes]:
    """A good file of each binary or JSON format."""
    profile = Kineto()
    profile.all_reduce(20, 5, 10, 20, elements=7)
    nodes = [chakra_node(1, 4, micros=7), chakra_node(2, 7, after=[1], comm_type=0, comm_size=9)]
    files = [profile.save(tmp / "k.json"), chakra_file(tmp / "c.et", nodes)]
    files += [BAD / "text-number.txt", BAD / "chakra-json-id.json", BAD / "et-mistyped.json"]
    return [file.read_bytes() for file in files]


@given(data=st.data())
def test_a_damaged_trace_is_read_or_refused_never_a_traceback(
    data: st.DataObject, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("damaged")
    text = bytearray(data.draw(st.sampled_from(whole(folder))))
    for _ in range(data.draw(st.integers(1, 8))):
        at = data.draw(st.integers(0, len(text) - 1))
        text[at : at + data.draw(st.integers(0, 4))] = data.draw(st.binary(max_size=4))
        text = text or bytearray(b"x")
    (folder / "damaged.0").write_bytes(text)
    complaint = ""
    try:
        ranks = assemble(read_all([folder / "damaged.0"])).trace.ranks
    except InvalidInput as error:
        complaint = str(error)
    assert "damaged.0" in complaint or ranks
