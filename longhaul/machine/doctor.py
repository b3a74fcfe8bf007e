"""What this machine can do for longhaul, and the one command that mends each thing it cannot.

`diagnose` looks and changes nothing: it reads files under /proc, /sys, /boot and /lib/modules, and asks
`setup.sh check` what is missing. `render` makes text of its findings.
"""

from __future__ import annotations

import os
import platform
import re
import shutil
import subprocess
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from longhaul.machine import bundle, memory, native, sandbox, userland
from longhaul.machine.kernel import cache_folder, cached_kernel, kernel_release

CHECKOUT = Path(__file__).parents[2]
OLDEST_PYTHON = (3, 11)
OLDEST_RELEASES = {"debian": 12.0, "ubuntu": 24.04}
MEMORY_BYTES = 4e9  # a guest of a few hundred hosts, with room for the analysis
DISK_BYTES = 1e9  # a run folder is tens of megabytes; this leaves room for many

NAMESPACES_SHARED = Path("/sys/module/ib_core/parameters/netns_mode")
WHO_SEES_DEVICES = {
    "Y": "all network namespaces see each of its devices",
    "N": "each of its devices is in one network namespace",
}


@dataclass(frozen=True)
class Finding:
    """One finding. `ok` is None where it is good to know but nothing hangs on it.

    `mend` is the command that mends it; empty where it is fine or no command can.
    """

    name: str
    ok: bool | None
    detail: str
    mend: str = ""


def diagnose() -> list[Finding]:
    """All findings, those first on which the others depend. Takes a few tens of milliseconds."""
    installed = [bundle_check(found)] if (found := bundle.home()) else installation()
    return [
        *installed,
        cpu_check(Path("/proc/cpuinfo").read_text(encoding="utf-8")),
        cpus_check(len(os.sched_getaffinity(0))),
        memory_check(memory.available()),
        seccomp_check(native.read(Path("/proc/sys/kernel/seccomp/actions_avail"))),
        sandbox_check(sandbox.held()),
        native_check(native.kernel_features(), os.geteuid() == 0),
        rdma_check(native.installed_modules(), native.read(NAMESPACES_SHARED).strip()),
        kvm_check(Path("/dev/kvm")),
        disk_check("disk for runs", Path.cwd()),
    ]


def installation() -> list[Finding]:
    """What a checkout needs of its system."""
    missing = missing_parts()
    return [
        system_check(platform.freedesktop_os_release()),
        architecture_check(platform.machine()),
        packages_check(missing, userland.lacking(), userland.cached()),
        python_check(),
        environment_check(missing),
        kernel_check(),
        compiler_check(),
        disk_check("disk for the kernel", cache_folder()),
    ]


def bundle_check(folder: Path) -> Finding:
    """A bundle has all of that inside."""
    return Finding("bundle", True, f"{folder}: kernel, root file system and Python are in it")


def render(checks: Iterable[Finding]) -> str:
    """One line per finding, and under each that needs it the command that mends it."""
    lines = []
    for check in checks:
        mark = {True: "ok  ", False: "FAIL", None: "note"}[check.ok]
        lines.append(f"{mark}  {check.name:<20} {check.detail}")
        lines += [f"{'':26} mend: {check.mend}"] if check.mend else []
    return "\n".join(lines)


# --- what set-up looks after ---------------------------------------------------------------------


def missing_parts() -> list[list[str]]:
    """What `setup.sh check` misses: rows of kind (`package` or `python`), name and purpose."""
    command = [str(CHECKOUT / "setup.sh"), "check"]
    told = subprocess.run(command, capture_output=True, text=True, check=False)
    return [line.split("|", 2) for line in told.stdout.splitlines()]


def packages_check(missing: list[list[str]], lacking: list[str], own: Path | None) -> Finding:
    """Whether all system packages are installed; what a fabric is made of may be in a root of the guests' `own`."""
    names = [name for kind, name, _ in missing if kind == "package"]
    if own and lacking:
        detail = f"no {', no '.join(lacking)}: guests bring their own, {own}"
        return Finding("system packages", None, detail)
    if not shutil.which("dpkg-query"):
        return Finding("system packages", False, "this machine has no dpkg", "vagrant up")
    if names:
        return Finding("system packages", False, f"missing: {' '.join(names)}", "./setup.sh build")
    return Finding("system packages", True, "all installed")


def environment_check(missing: list[list[str]]) -> Finding:
    """Whether the project's Python environment is what requirements.lock says."""
    for kind, folder, reason in missing:
        if kind == "python":
            return Finding("environment", False, f"{folder}: {reason}", "./setup.sh python")
    return Finding("environment", True, sys.prefix)


def kernel_check() -> Finding:
    """Whether the virtual-time kernel is built."""
    name = "virtual-time kernel"
    if platform.machine() != "x86_64":
        return Finding(name, None, "for x86-64 only; fabrics run on this machine's own kernel")
    if folder := cached_kernel():
        return Finding(name, True, f"Linux {kernel_release(folder)}, {folder}")
    return Finding(name, False, "not built yet (about 4 minutes on 2 CPUs)", "./setup.sh kernel")


# --- the system ----------------------------------------------------------------------------------


def system_check(release: dict[str, str]) -> Finding:
    """Whether this is a distribution that the set-up was made for."""
    pretty = release.get("PRETTY_NAME", "an unknown system")
    oldest = OLDEST_RELEASES.get(release.get("ID", ""))
    if oldest is None:
        return Finding("system", None, f"{pretty}: neither Debian nor Ubuntu, so untested")
    if float(release.get("VERSION_ID", "inf")) < oldest:
        return Finding("system", False, f"{pretty} is too old, {oldest:g} is needed", "vagrant up")
    return Finding("system", True, pretty)


def architecture_check(machine: str) -> Finding:
    """Whether virtual time is to be had on this processor at all."""
    if machine == "x86_64":
        return Finding("processor", True, "x86-64")
    return Finding("processor", None, f"{machine}: no virtual time here, real time on this kernel")


def python_check() -> Finding:
    """Whether this Python is new enough, and whether Mininet finds the distutils that it imports."""
    version = platform.python_version()
    if sys.version_info < OLDEST_PYTHON:
        return Finding(
            "Python", False, f"{version} is too old, 3.11 is needed", "./setup.sh python"
        )
    try:
        from distutils.version import StrictVersion  # noqa: F401, PLC0415
    except ImportError:
        return Finding("Python", False, f"{version} without distutils", "./setup.sh python")
    return Finding("Python", True, f"{version}, {sys.executable}")


def compiler_check() -> Finding:
    """Which gcc there is: only building the kernel needs it."""
    gcc = shutil.which("gcc")
    if not gcc:
        return Finding("compiler", None, "no gcc; the kernel's build needs one", "./setup.sh build")
    told = subprocess.run([gcc, "-dumpfullversion"], capture_output=True, text=True, check=False)
    return Finding("compiler", True, f"gcc {told.stdout.strip()}")


def cpu_check(cpuinfo: str) -> Finding:
    """Which CPU this is, and whether it has the registers that older User-Mode Linux dies of."""
    model = re.search(r"^model name\s*:\s*(.+)$", cpuinfo, re.M)
    name = model[1] if model else "unknown model"
    if re.search(r"\bamx_tile\b", cpuinfo):
        name += "; has AMX, so a guest kernel must be 6.13 or newer (ours is)"
    return Finding("CPU", None, name)


def cpus_check(count: int) -> Finding:
    """How many CPUs this process may use: a guest takes one, whatever else happens the others."""
    if count == 1:
        return Finding("CPUs", None, "1: a run shares it with everything else, and takes longer")
    return Finding("CPUs", True, str(count))


def memory_check(free_bytes: int) -> Finding:
    """How much memory a guest may take."""
    detail = f"{free_bytes / 1e9:.1f} GB available"
    if free_bytes < MEMORY_BYTES:
        return Finding("memory", None, f"{detail}: enough for small fabrics only")
    return Finding("memory", True, detail)


def seccomp_check(actions: str) -> Finding:
    """Whether a guest can catch system calls the quick way."""
    if "trap" in actions.split():
        return Finding("seccomp", True, "guests catch system calls with seccomp")
    return Finding("seccomp", None, "not available: guests use ptrace, 1.5 times slower")


def sandbox_check(held: sandbox.Confinement) -> Finding:
    """What holds a guest back from this machine, and whether there is a gap."""
    detail = f"files: {held.files}; network: {held.network}; signals: {held.signals}"
    if held.whole:
        return Finding("sandbox", True, detail)
    gap = "run only programs that you trust with exec (docs/security.md)"
    return Finding("sandbox", None, f"{detail}: {gap}")


def kvm_check(device: Path) -> Finding:
    """Whether there is hardware virtualization; nothing needs it except Vagrant.

    That the device can be opened, and that a few instructions run on it, does not mean that a machine boots: where the
    host is a virtual machine itself, Debian's kernel hung on one that ran a boot sector. So nothing is tried.
    """
    if not device.exists():
        return Finding("KVM", None, f"no {device}; only Vagrant would use it")
    yours = "present" if os.access(device, os.R_OK | os.W_OK) else "present, but not yours"
    return Finding("KVM", None, f"{device} is {yours} (not tried); only Vagrant would use it")


def disk_check(name: str, folder: Path) -> Finding:
    """Whether the disk under a folder (which need not exist yet) has room."""
    there = next(parent for parent in [folder, *folder.parents] if parent.exists())
    free_bytes = shutil.disk_usage(there).free
    detail = f"{free_bytes / 1e9:.1f} GB free at {there}"
    if free_bytes < DISK_BYTES:
        return Finding(name, False, f"{detail}: too little", f"du -xh {there} | sort -h | tail")
    return Finding(name, True, detail)


# --- this machine's own kernel -------------------------------------------------------------------


def native_check(features: set[str], is_root: bool) -> Finding:
    """Whether fabrics can run on this machine's own kernel, in real time."""
    name = "native kernel"
    if why := native.why_not(features, is_root):
        return Finding(name, None, why, "" if native.lacking(features) else "sudo -s")
    return Finding(
        name, True, "has netem and openvswitch, and this is root: native runs can be made"
    )


def rdma_check(modules: set[str], whose: str) -> Finding:
    """What this machine's own kernel has of what RDMA needs, which the guest's always has. `whose` is what a loaded
    module says of its devices, Y: all network namespaces see each of them."""
    seen = WHO_SEES_DEVICES.get(whose, "not loaded: who sees its devices is not known")
    has = f"rdma_rxe ({seen})" if "rdma_rxe" in modules else "no rdma_rxe"
    ports = "ports of switches" if "sch_port" in modules else "no ports of switches (sch_port)"
    return Finding(
        "native RDMA", None, f"{platform.release()} has {has} and {ports}: RoCE in guests only"
    )
