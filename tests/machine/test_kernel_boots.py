"""The kernel that set-up built, and its seeded randomness: what a fabric relies on, seen from inside."""

import errno
import os
import struct
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from longhaul.machine import seccomp
from longhaul.machine.kernel import cached_kernel

KERNEL = cached_kernel()
needs_kernel = pytest.mark.skipif(
    KERNEL is None, reason="no virtual-time kernel: ./setup.sh kernel"
)

INIT = """\
#!/bin/sh
export PATH=/usr/sbin:/usr/bin:/sbin:/bin
mount -t proc none /proc
{commands}
echo the end
"""


def boot(
    folder: Path,
    commands: str,
    seed: int = 1,
    time_mode: str = "inf-cpu",
    settle: Callable[[], None] | None = None,
) -> str:
    """What the commands print when they are all that a fresh guest runs. Its kernel first has to `settle`."""
    assert KERNEL
    init = folder / "init"
    init.write_text(INIT.format(commands=commands))
    init.chmod(0o755)
    words = ["seccomp=on", f"time-travel={time_mode}", "time-travel-start=1700000000000000000"]
    words += ["mem=256M", "root=/dev/root", "rootfstype=hostfs", "rootflags=/", "ro", "quiet"]
    words += [
        f"seed={seed}",
        "norandmaps",
        "panic=-1",
        "con=null",
        "con0=null,fd:1",
        f"uml_dir={folder}/",
    ]
    pinned = ["taskset", "-c", str(max(os.sched_getaffinity(0)))]
    guest = subprocess.run(
        [*pinned, str(KERNEL / "linux"), *words, f"init={init}"],
        env={"TMPDIR": "/nowhere"},  # a guest's memory is in no folder
        preexec_fn=settle,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        timeout=600,
    )
    said, end, _ = guest.stdout.replace("\r", "").partition("the end\n")
    assert end, guest.stdout
    return said


@needs_kernel
def test_a_guests_sleep_takes_no_time_outside(tmp_path: Path) -> None:
    started = time.monotonic()
    said = boot(tmp_path, "a=$(date +%s); sleep 1000; b=$(date +%s); echo $((b - a))")
    assert said == "1000\n"
    assert time.monotonic() - started < 300


RANDOM = "od -An -tx1 -N16 /dev/urandom; cat /proc/sys/kernel/random/uuid"


@needs_kernel
def test_the_same_seed_gives_a_guest_the_same_random_numbers(tmp_path: Path) -> None:
    assert boot(tmp_path, RANDOM, seed=7) == boot(tmp_path, RANDOM, seed=7)


@needs_kernel
def test_another_seed_gives_a_guest_other_random_numbers(tmp_path: Path) -> None:
    assert boot(tmp_path, RANDOM, seed=7) != boot(tmp_path, RANDOM, seed=8)


@needs_kernel
def test_a_guest_can_neither_write_to_the_hosts_files_nor_see_its_time(tmp_path: Path) -> None:
    (tmp_path / "there").touch()
    said = boot(tmp_path, f"echo x 2>/dev/null >{tmp_path}/there || echo refused; date +%Y")
    assert said == "refused\n2023\n"
    assert (tmp_path / "there").read_text() == ""


@needs_kernel
def test_a_guest_has_what_a_fabric_is_made_of(tmp_path: Path) -> None:
    said = boot(
        tmp_path,
        """
        ip link add name v0 type veth peer name v1
        tc qdisc add dev v0 root netem delay 79us rate 1gbit; tc qdisc show dev v0 | cut -d' ' -f2
        tc qdisc add dev v1 root htb; tc qdisc show dev v1 | cut -d' ' -f2
        unshare -n ip link show lo | head -1 | cut -d' ' -f2
        zcat /proc/config.gz | grep -c -e OPENVSWITCH=y -e TCP_CONG_BBR=y
        """,
    )
    assert said.split() == ["netem", "htb", "lo:", "2"]


DRAWN = "od -An -tx1 -N64 /dev/urandom; cat /proc/sys/kernel/random/uuid"


@needs_kernel
def test_what_a_program_draws_does_not_hang_on_what_others_do(tmp_path: Path) -> None:
    """Files more in memory, processes more, reads of /dev/urandom more."""
    others = """
        mount -t tmpfs none /tmp
        python3 -c 'import os; [os.urandom(99) for _ in range(500)]; [open(f"/tmp/{n}", "w") for n in range(1000)]'
        for n in $(seq 50); do /bin/true; done
    """
    assert boot(tmp_path, others + DRAWN) == boot(tmp_path, DRAWN)


@needs_kernel
def test_looking_at_the_clock_and_for_what_is_not_there_takes_no_time(tmp_path: Path) -> None:
    said = boot(tmp_path, f"python3 -S -c '{LOOKING}'")
    assert said == "0\n"


LOOKING = """
import os, time
start = time.monotonic_ns()
for _ in range(10_000):
    time.monotonic_ns(), os.path.exists("/nowhere")
print(time.monotonic_ns() - start)
"""


@needs_kernel
@pytest.mark.parametrize(
    "spin",
    [
        "while time.monotonic() < start + 0.01: pass",
        "while time.monotonic() < start + 0.01: os.sched_yield()",
        "while not select.select([timer], [], [], 0)[0]: pass",
    ],
)
def test_who_does_nothing_but_wait_gets_there(tmp_path: Path, spin: str) -> None:
    """Within 0.1 ms: a step is 2 µs."""
    (tmp_path / "spin.py").write_text(SPINNING.format(spin=spin))
    took_s = float(boot(tmp_path, f"python3 -S {tmp_path}/spin.py"))
    assert 0.01 <= took_s < 0.0101


SPINNING = """
import ctypes, os, select, struct, time
libc = ctypes.CDLL(None)
timer = libc.timerfd_create(time.CLOCK_MONOTONIC, 0)
libc.timerfd_settime(timer, 0, struct.pack("<4q", 0, 0, 0, 10_000_000), None)
start = time.monotonic()
{spin}
print(time.monotonic() - start)
"""


@needs_kernel
def test_coarse_timers_go_in_steps_of_a_millisecond(tmp_path: Path) -> None:
    """Of which TCP's and RDMA's are. 6 is CLOCK_MONOTONIC_COARSE, which moves with them."""
    assert boot(tmp_path, "python3 -S -c 'import time; print(time.clock_getres(6))'") == "0.001\n"


@needs_kernel
@pytest.mark.skipif(not seccomp.available(), reason="no seccomp here")
def test_a_guest_starts_on_a_kernel_that_does_not_know_of_executable_memfds(tmp_path: Path) -> None:
    """As before Linux 6.3, where memfd_create with MFD_EXEC is an invalid argument."""
    assert boot(tmp_path, "echo started", settle=_without_executable_memfds) == "started\n"


MEMFD_CREATE, MFD_EXEC = 319, 0x10


def _without_executable_memfds() -> None:
    load, equal, any_bit, answer = 0x20, 0x15, 0x45, 0x06
    allow, invalid = 0x7FFF0000, 0x00050000 | errno.EINVAL
    code = [
        (load, 0, 0, 0),
        (equal, 0, 3, MEMFD_CREATE),
        (load, 0, 0, 24),
        (any_bit, 0, 1, MFD_EXEC),
    ]
    code += [(answer, 0, 0, invalid), (answer, 0, 0, allow)]
    seccomp.no_new_privileges()
    seccomp.restrict(b"".join(struct.pack("=HBBI", *one) for one in code))
