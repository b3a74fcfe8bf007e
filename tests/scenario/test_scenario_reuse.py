"""Defaults, kinds, templates, includes and overrides: the nearest word counts."""

from collections.abc import Callable
from pathlib import Path

import pytest

from scenario.loading import load_topology, load_workload
from scenario.text.diagnostics import InvalidInput
from scenario.types.topology import Topology, Training

Load = Callable[..., Topology]
ROOT = Path(__file__).parents[2]

LAYERS = """
defaults:
  campuses: {site: somewhere, fabric: {kind: leaf-spine, leaves: 2, spines: 2}}
  hosts: {gpus: 2, slowdown: 1.1}
  links: {rate: 400G, distance: 1km}
kinds:
  hosts: {H100: {gpus: 3, nic: 100G}}
  links: {old: {distance: 2km, loss: 1%}}
templates:
  big: {site: big one, fabric: {leaves: 4}, hosts: [{count: 4, accelerator: H200}]}
campuses:
  c1: {template: big}
  c2: {template: big, site: my own, hosts: [{count: 1, accelerator: H100}]}
  c3:
    fabric: {kind: single}
    hosts: [{count: 2, accelerator: H100, gpus: 4, exceptions: {2: {gpus: 5}}}]
links:
  a: {between: [c1, c2]}
  b: {kind: old, between: [c2, c3]}
  c: {kind: old, between: [c1, c3], loss: 2%, rate: 1T}
"""


def test_what_an_item_does_not_say_its_group_says_else_its_kind_else_the_defaults(
    load: Load,
) -> None:
    c1, c2, c3 = load(LAYERS).campuses
    assert [campus.site for campus in (c1, c2, c3)] == ["big one", "my own", "somewhere"]
    assert [host.gpus for campus in (c1, c2, c3) for host in campus.hosts] == [2, 2, 2, 2, 3, 4, 5]
    assert {host.slowdown for host in c3.hosts} == {1.1}
    assert c2.hosts[0].nic_bps == 3 * 100e9
    a, b, c = load(LAYERS).links
    assert [link.distance_m for link in (a, b, c)] == [1e3, 2e3, 2e3]
    assert [link.forward.loss for link in (a, b, c)] == [0, 0.01, 0.02]
    assert [link.forward.rate_bps for link in (a, b, c)] == [4e11, 4e11, 1e12]


def test_fabrics_of_one_kind_are_merged_and_of_another_kind_replaced(load: Load) -> None:
    c1, _, c3 = load(LAYERS).campuses
    assert (c1.kind, len(c1.switches)) == ("leaf-spine", 4 + 2 + 1)
    assert (c3.kind, len(c3.switches)) == ("single", 1 + 1)


def test_a_null_takes_back_what_would_be_inherited(load: Load) -> None:
    a, b, _ = load(LAYERS, ["links.b.loss=null", "links.a.distance=3km"]).links
    assert b.forward.loss == 0
    assert a.distance_m == 3e3


@pytest.mark.parametrize(
    ("override", "gpus"),
    [
        ("defaults.hosts.gpus=7", [7, 7, 7, 7, 3, 4, 5]),
        ("kinds.hosts.H100.gpus=7", [2, 2, 2, 2, 7, 4, 5]),
        ("templates.big.hosts[0].count=1", [2, 3, 4, 5]),
        ("campuses.c1.hosts[0].gpus=7", [7, 7, 7, 7, 3, 4, 5]),
        ("campuses.c1.hosts.0.gpus=7", [7, 7, 7, 7, 3, 4, 5]),
        ("campuses.c1.hosts[0].exceptions.2.gpus=7", [2, 7, 2, 2, 3, 4, 5]),
        ("campuses.c3.hosts=[{count: 1, accelerator: A100}]", [2, 2, 2, 2, 3, 2]),
        ("campuses.c2.template=null", [2, 2, 2, 2, 3, 4, 5]),
    ],
)
def test_an_override_reaches_every_layer(load: Load, override: str, gpus: list[int]) -> None:
    topology = load(LAYERS, [override])
    assert [host.gpus for campus in topology.campuses for host in campus.hosts] == gpus


def test_the_last_of_several_overrides_wins(load: Load) -> None:
    topology = load(LAYERS, ["links.a.distance=3km", "links.a.distance=4km"])
    assert topology.links[0].distance_m == 4e3


def test_a_workload_takes_overrides_too() -> None:
    path = ROOT / "traffic" / "workloads" / "training.yaml"
    workload = load_workload(path, ["iterations=3", "model.parameters=1B", "model.dtype=fp32"])
    assert isinstance(workload, Training)
    assert (workload.iterations, workload.gradient_bytes) == (3, 4e9)


@pytest.mark.parametrize(
    ("override", "complaint"),
    [
        ("links.a.distance=3", "--set:1:18: error: a bare number where a distance needs its unit"),
        ("links.a.lenght=3km", "--set:1:1: error: unknown key"),
        ("links.a", "--set:1:1: error: not an override"),
        ("=3", "--set:1:1: error: not an override"),
        ("links..a=3", "--set:1:6: error: not a path in a document"),
        ("links.a=[", "--set:1:9: error: what begins here is never closed"),
        ("links.a.age=yes", "--set:1:13: error: `yes` is a boolean to some YAML readers"),
        ("links.a.between[2]=c1", "--set:1:1: error: this list has entries 0 to 1"),
        ("links[0].age=3y", "--set:1:1: error: there is no list here to count in"),
        ("campuses.c1.racks[0]=3", "--set:1:1: error: there is no list here to count in"),
        ("links.a.rate.unit=G", "--set:1:1: error: not a rate"),
        ("name.first=x", "--set:1:1: error: this is not a mapping"),
        ("include=other.yaml", "--set:1:1: error: `include` can only be written in a file"),
        ("campuses.c1.template=bigg", "--set:1:22: error: unknown template"),
        ("links.b.kind=odl", "--set:1:14: error: unknown kind of link"),
        ("links.a.age=40y", "--set:1:13: error: a link this old is down"),
    ],
)
def test_a_complaint_about_an_override_points_at_it(
    load: Load, override: str, complaint: str
) -> None:
    old = ["links.a.condition=waterlogged", "links.a.distance=30km"] if "40y" in override else []
    with pytest.raises(InvalidInput) as caught:
        load(LAYERS, [*old, override])
    assert str(caught.value).startswith(complaint)


def test_all_overrides_that_are_wrong_are_told_at_once(load: Load) -> None:
    with pytest.raises(InvalidInput) as caught:
        load(LAYERS, ["nonsense", "links.a.age=[", "name=fine"])
    assert len(caught.value.diagnostics) == 2


def test_what_is_wrong_in_a_template_is_told_once_however_often_it_is_used(load: Load) -> None:
    with pytest.raises(InvalidInput) as caught:
        load(LAYERS.replace("{leaves: 4}", "{leaves: 400, kind: leaf-spine}"))
    assert [d.path for d in caught.value.diagnostics] == ["templates.big.fabric.leaves"]


def test_what_is_never_used_is_checked_all_the_same(load: Load) -> None:
    unused = """
kinds: {links: {never: {lenght: 3km}}}
templates: {never: {hosts: [{gpus: none}]}}
campuses: {c1: {hosts: [{count: 1, accelerator: H100}]}}
"""
    with pytest.raises(InvalidInput) as caught:
        load(unused)
    paths = [diagnostic.path for diagnostic in caught.value.diagnostics]
    assert paths == ["kinds.links.never.lenght", "templates.never.hosts[0].gpus"]


def _write(folder: Path, **files: str) -> None:
    for name, text in files.items():
        (folder / f"{name}.yaml").write_text(text, encoding="utf-8")


BASE = """
longhaul: 1
name: base
campuses: {c1: {hosts: [{count: 1, accelerator: H100}]}}
"""


def test_an_including_file_says_only_what_differs(tmp_path: Path) -> None:
    _write(
        tmp_path,
        base=BASE,
        left="include: base.yaml\nname: left\nscale: {bytes: 5}\n",
        right="include: base.yaml\nmtu: 1500\n",
        top="include: [left.yaml, right.yaml]\nname: top\n",
    )
    topology = load_topology(tmp_path / "top.yaml")
    assert (topology.name, topology.scale_bytes, topology.mtu_bytes) == ("top", 5, 1500)
    read = [Path(file).stem for file in topology.files]
    assert read == ["base", "left", "right", "top"]
    assert topology.source == str(tmp_path / "top.yaml")


def test_a_complaint_names_the_included_file(tmp_path: Path) -> None:
    _write(tmp_path, base=BASE.replace("H100", "H1000"), top="include: base.yaml\nname: top\n")
    with pytest.raises(InvalidInput) as caught:
        load_topology(tmp_path / "top.yaml")
    (diagnostic,) = caught.value.diagnostics
    assert (Path(diagnostic.file).name, diagnostic.line) == ("base.yaml", 4)


@pytest.mark.parametrize(
    ("include", "complaint"),
    [
        ("../secret.yaml", "a file outside the folder of the topology"),
        ("/etc/passwd", "a file outside the folder of the topology"),
        ("link.yaml", "a file outside the folder of the topology"),
        ("bsae.yaml", "no such file to include"),
        ("top.yaml", "a file that includes itself"),
        ("loop.yaml", "a file that includes itself"),
        ("folder", "this is not a file"),
        ("[1]", "not the name of a file"),
        ("{a: b}", "not the name of a file"),
        ("", "not the name of a file"),
        ("broken.yaml", "what begins here is never closed"),
    ],
)
def test_an_include_that_cannot_be_is_told(tmp_path: Path, include: str, complaint: str) -> None:
    inside = tmp_path / "inside"
    (inside / "folder").mkdir(parents=True)
    _write(tmp_path, secret=BASE)
    (inside / "link.yaml").symlink_to(tmp_path / "secret.yaml")
    _write(inside, base=BASE, loop="include: top.yaml\n", broken="a: [\n")
    _write(inside, top=f"include: {include}\n{BASE}")
    with pytest.raises(InvalidInput) as caught:
        load_topology(inside / "top.yaml")
    assert complaint in [diagnostic.message for diagnostic in caught.value.diagnostics]


def test_the_retrofit_is_new_fibre_and_uniform_hardware_together() -> None:
    names = ("colossus", "new-fibre", "uniform", "retrofit")
    old, fibre, uniform, both = (load_topology(ROOT / "topologies" / f"{n}.yaml") for n in names)
    assert both.links == fibre.links != old.links == uniform.links
    assert both.campuses == uniform.campuses != old.campuses == fibre.campuses


def test_a_missing_file_is_told_with_the_nearest_name(tmp_path: Path) -> None:
    _write(tmp_path, colossus=BASE, other="include: colosus.yaml\n")
    for asked in ("colosus", "other"):
        with pytest.raises(InvalidInput) as caught:
            load_topology(tmp_path / f"{asked}.yaml")
        (diagnostic,) = caught.value.diagnostics
        assert diagnostic.message.startswith("no such file")
        assert diagnostic.hint == "did you mean colossus.yaml?"
