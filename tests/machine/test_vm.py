"""The Vagrant machine, as far as can be seen without one; `.ci/vm` boots it."""

import json
import os
import platform
import re
import shlex
import shutil
import subprocess
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from packaging.requirements import Requirement

from longhaul import cli
from longhaul.machine import dispatch, kernel, native

ROOT = Path(__file__).parents[2]
RASD = "{http://schemas.dmtf.org/wbem/wscim/1/cim-schema/2/CIM_ResourceAllocationSettingData}"
OVF = "{http://schemas.dmtf.org/ovf/envelope/1}"
vagrant = pytest.mark.skipif(not shutil.which("vagrant"), reason="no Vagrant: ./setup.sh tests")


def validated(folder: Path, *lines: str, **settings: str) -> str:
    """What a Vagrantfile of these lines prints, which must be a valid one."""
    (folder / "Vagrantfile").write_text("\n".join(lines))
    environment = os.environ | {"VAGRANT_HOME": str(folder / "home")} | settings
    return subprocess.run(
        ["vagrant", "validate", "--ignore-provider"],
        cwd=folder, env=environment, stdout=subprocess.PIPE, text=True, check=True,
    ).stdout  # fmt: skip


def loading(file: str) -> str:
    return f"load {str(ROOT / file)!r}"


TELLING = """
Vagrant.singleton_class.prepend(Module.new do
  define_method(:configure) do |version, &block|
    super(version) do |config|
      block.call(config)
      port = config.vm.networks.map(&:last).find { |options| options[:guest] == 8888 }
      steps = config.vm.provisioners.map { |one| one.config.inline }
      puts "FACTS " + JSON.generate(port: port, box: config.vm.box, steps: steps)
    end
  end
end)
"""
"""Has each block of configuration tell what it has come to."""


def facts(told: str) -> dict[str, Any]:
    lines = [line for line in told.splitlines() if line.startswith("FACTS ")]
    return json.loads(lines[0].removeprefix("FACTS "))


@vagrant
def test_the_machine_forwards_jupyter_to_the_loopback_alone_and_is_set_up_by_the_two_scripts(
    tmp_path: Path,
) -> None:
    settings = {"LONGHAUL_BOX": "mine", "LONGHAUL_JUPYTER_PORT": "9999"}
    found = facts(validated(tmp_path, TELLING, loading("Vagrantfile"), **settings))
    assert (found["port"]["host_ip"], found["port"]["host"]) == ("127.0.0.1", 9999)
    assert found["box"] == "mine"
    assert found["steps"] == ["/vagrant/vagrant/system", "/vagrant/vagrant/project"]


@vagrant
def test_a_box_forwards_jupyter_to_the_loopback_alone_and_has_its_project_inside(
    tmp_path: Path,
) -> None:
    named = 'Vagrant.configure("2") { |config| config.vm.box = "longhaul" }'
    found = facts(validated(tmp_path, TELLING, loading("vagrant/box.Vagrantfile"), named))
    assert (found["port"]["host_ip"], found["port"]["host"]) == ("127.0.0.1", 8888)
    assert found["steps"] == []


def welcome(machine: str, folder: Path) -> str:
    """What `vagrant/welcome` says on a machine of this kind."""
    uname = folder / "uname"
    uname.write_text(f"#!/bin/sh\necho {machine}\n")
    uname.chmod(0o755)
    (folder / ".jupyter").mkdir()
    (folder / ".jupyter/token").write_text("ab" * 24)
    environment = {"PATH": f"{folder}:{os.environ['PATH']}", "HOME": str(folder)}
    return subprocess.run(
        [ROOT / "vagrant/welcome"], env=environment, capture_output=True, text=True, check=True
    ).stdout


@pytest.mark.parametrize("machine", ["x86_64", "aarch64"])
def test_the_welcome_has_three_commands_that_exist_and_the_notebooks_address(
    tmp_path: Path, machine: str
) -> None:
    told = welcome(machine, tmp_path)
    commands = re.findall(r"^  (?:sudo )?(longhaul .*?)(?:  |$)", told, re.M)
    assert len(commands) == 3
    for command in commands:
        cli.parser().parse_args(shlex.split(command)[1:])
    assert "run.ipynb?token=" + "ab" * 24 in told
    assert ("REAL time" in told) == (machine == "aarch64")


def pins(lock: Path) -> dict[str, list[str]]:
    """Name and specifiers of what a lock file has."""
    pinned: dict[str, list[str]] = {}
    for line in lock.read_text().splitlines():
        if line[:1].isalnum():
            one = Requirement(line.rstrip("\\ "))
            pinned.setdefault(one.name, []).append(str(one.specifier))
    return pinned


def test_jupyters_lock_agrees_with_the_projects() -> None:
    own, project = pins(ROOT / "vagrant/jupyter.lock"), pins(ROOT / "requirements.lock")
    shared = own.keys() & project.keys()
    assert "jupyterlab" in own
    assert len(shared) > 10
    differing = {name for name in shared if not set(own[name]) <= set(project[name])}
    assert differing == set()


def test_a_machine_without_a_virtual_time_kernel_says_that_real_time_needs_root(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(platform, "machine", lambda: "aarch64")
    monkeypatch.setattr(native, "kernel_features", lambda: {"sch_netem", "openvswitch"})
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert kernel.cached_kernel() is None
    with pytest.raises(dispatch.MachineError, match=r"x86-64 only.*native runs need root"):
        dispatch.choose("auto", "real")
    with pytest.raises(dispatch.MachineError, match="real time needs none: --time real"):
        dispatch.choose("auto", "virtual")


def test_the_box_for_virtualbox_is_described_as_the_standard_has_it() -> None:
    """DSP0243: properties of an item in the order of their names, references that are there."""
    envelope = ET.parse(ROOT / "vagrant/box.ovf").getroot()
    items = envelope.findall(f".//{OVF}Item")
    kinds = [item.findtext(f"{RASD}ResourceType") for item in items]
    assert kinds == ["3", "4", "20", "17", "10"]  # processors, memory, SATA, disk, Ethernet
    for item in items:
        names = [child.tag.removeprefix(RASD) for child in item]
        assert names == sorted(names)
    disk = envelope.find(f".//{OVF}Disk")
    file = envelope.find(f".//{OVF}File")
    assert disk is not None
    assert file is not None
    assert disk.get(f"{OVF}fileRef") == file.get(f"{OVF}id")
    assert items[3].findtext(f"{RASD}HostResource") == f"/disk/{disk.get(f'{OVF}diskId')}"
