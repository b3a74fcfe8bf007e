"""What is generated into docs/ is what the models say today."""

from collections.abc import Callable
from pathlib import Path

import pytest

from scenario import reference
from scenario.loading import load_topology
from scenario.types.topology import Topology

DOCS = Path(__file__).parents[2] / "docs"


@pytest.mark.parametrize("name", sorted(reference.files()))
def test_a_generated_file_is_current(name: str) -> None:
    assert (DOCS / name).read_text(encoding="utf-8") == reference.files()[name], (
        "run: python -m scenario.reference"
    )


def test_the_example_of_the_reference_is_a_topology(tmp_path: Path) -> None:
    file = tmp_path / "example.yaml"
    file.write_text(reference.EXAMPLE, encoding="utf-8")
    assert len(load_topology(file).links) == 1


def test_the_example_of_the_readme_is_a_topology(tmp_path: Path) -> None:
    readme = (DOCS.parent / "README.md").read_text(encoding="utf-8")
    file = tmp_path / "example.yaml"
    file.write_text(readme.split("```yaml\n")[1].split("```")[0], encoding="utf-8")
    assert {event.kind for event in load_topology(file).timeline} == {"link-flap", "throttle"}


def test_every_link_inside_the_reference_leads_somewhere() -> None:
    text = reference.reference()
    anchors = {
        line.lstrip("# ").lower().replace(" ", "-")
        for line in text.splitlines()
        if line.startswith("#")
    }
    linked = {part.partition(")")[0] for part in text.split("](#")[1:]}
    assert linked <= anchors


def test_every_override_of_the_reference_is_taken(load: Callable[..., Topology]) -> None:
    body = reference.EXAMPLE.partition("name: two-hosts\n")[2]
    parts = reference.REUSE.split("--set ")[1:]
    overrides = [part.split("`")[0].strip("'") for part in parts]
    assert len(overrides) >= 4
    assert load(body, overrides).campuses[0].hosts[-1].name == "c1-h100-8"
