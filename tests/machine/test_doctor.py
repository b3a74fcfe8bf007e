"""What the doctor finds, from given facts and on this very machine."""

from pathlib import Path

import pytest

from longhaul.machine.doctor import (
    Finding,
    architecture_check,
    cpu_check,
    cpus_check,
    diagnose,
    disk_check,
    environment_check,
    kvm_check,
    memory_check,
    native_check,
    packages_check,
    rdma_check,
    render,
    sandbox_check,
    seccomp_check,
    system_check,
)
from longhaul.machine.sandbox import Confinement


def test_each_finding_has_its_own_name_and_each_failure_a_command_that_mends_it() -> None:
    checks = diagnose()
    assert len({check.name for check in checks}) == len(checks)
    assert all(check.mend for check in checks if check.ok is False)


def test_findings_are_printed_with_the_command_under_what_it_mends() -> None:
    checks = [
        Finding("disk", True, "80 GB free"),
        Finding("kernel", False, "not built", "./setup.sh"),
    ]
    assert render(checks) == (
        "ok    disk                 80 GB free\n"
        "FAIL  kernel               not built\n"
        "                           mend: ./setup.sh"
    )


@pytest.mark.parametrize(
    ("system", "version", "ok"),
    [
        ("debian", "11", False),
        ("debian", "12", True),
        ("debian", "13", True),
        ("debian", "", True),
        ("ubuntu", "22.04", False),
        ("ubuntu", "24.04", True),
        ("fedora", "41", None),
    ],
)
def test_only_systems_that_set_up_was_made_for_are_called_fine(
    system: str, version: str, ok: bool | None
) -> None:
    release = {"ID": system, "PRETTY_NAME": system} | ({"VERSION_ID": version} if version else {})
    assert system_check(release).ok is ok


def test_a_processor_without_virtual_time_is_noted_and_not_called_broken() -> None:
    assert architecture_check("x86_64").ok is True
    assert architecture_check("aarch64").ok is None


def test_missing_packages_are_named() -> None:
    missing = [["package", "bison", "a reason"], ["python", "/x/.venv", "stale"]]
    check = packages_check(missing, [], None)
    assert (check.ok, check.detail, check.mend) == (False, "missing: bison", "./setup.sh build")


def test_packages_that_guests_bring_along_are_not_missing() -> None:
    missing = [["package", "mininet", "a reason"]]
    assert packages_check(missing, ["mnexec"], None).ok is False
    own = packages_check(missing, ["mnexec"], Path("/root-of-theirs"))
    assert (own.ok, own.detail) == (None, "no mnexec: guests bring their own, /root-of-theirs")


def test_a_stale_environment_is_named_with_its_reason() -> None:
    check = environment_check([["python", "/x/.venv", "stale"]])
    assert (check.ok, check.detail, check.mend) == (False, "/x/.venv: stale", "./setup.sh python")


def test_a_cpu_with_amx_is_told_with_the_kernel_that_it_needs() -> None:
    cpuinfo = "model name\t: Fast CPU\nflags\t\t: fpu {}\n"
    assert "6.13" in cpu_check(cpuinfo.format("amx_tile avx512f")).detail
    assert cpu_check(cpuinfo.format("avx512f")).detail == "Fast CPU"


def test_one_cpu_is_enough_but_noted() -> None:
    assert (cpus_check(1).ok, cpus_check(2).ok) == (None, True)


def test_little_memory_is_noted() -> None:
    assert memory_check(10**9).ok is None
    assert memory_check(16_400_000_000).detail == "16.4 GB available"


def test_a_sandbox_with_a_gap_is_noted() -> None:
    assert sandbox_check(Confinement("Landlock 7", "seccomp", "Landlock 7")).ok is True
    gap = sandbox_check(Confinement("nothing", "seccomp", "nothing"))
    assert gap.ok is None
    assert "files: nothing" in gap.detail


def test_a_machine_without_seccomp_is_noted_as_slower() -> None:
    assert seccomp_check("kill_process trap errno").ok is True
    assert "ptrace" in seccomp_check("").detail


def test_native_runs_need_the_modules_and_root() -> None:
    both = {"sch_netem", "openvswitch"}
    assert native_check(both, is_root=True).ok is True
    assert native_check(both, is_root=False).mend
    assert "lacks openvswitch" in native_check({"sch_netem"}, is_root=True).detail


def test_the_disk_of_a_folder_that_is_not_there_yet_is_looked_at(tmp_path: Path) -> None:
    assert disk_check("disk", tmp_path / "a/b").detail.endswith(f"free at {tmp_path}")


def test_hardware_virtualization_is_called_present_and_never_usable(tmp_path: Path) -> None:
    device = tmp_path / "kvm"
    assert "no " in kvm_check(device).detail
    device.touch()
    check = kvm_check(device)
    assert (check.ok, check.mend) == (None, "")
    assert "present (not tried)" in check.detail


@pytest.mark.parametrize(
    ("modules", "whose", "said"),
    [
        (set(), "", "no rdma_rxe and no ports of switches"),
        ({"rdma_rxe"}, "", "rdma_rxe (not loaded: who sees its devices is not known) and no ports"),
        ({"rdma_rxe"}, "Y", "rdma_rxe (all network namespaces see each of its devices) and no"),
        ({"rdma_rxe", "sch_port"}, "N", "is in one network namespace) and ports of switches"),
    ],
)
def test_of_the_machines_own_rdma_only_what_is_seen_is_said(
    modules: set[str], whose: str, said: str
) -> None:
    found = rdma_check(modules, whose)
    assert said in found.detail
    assert found.ok is None
