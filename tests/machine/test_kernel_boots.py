"""The kernel that set-up built, and its seeded randomness: what a fabric relies on, seen from inside."""

import os
import shutil
import subprocess
import time
from pathlib import Path

import pytest

from longhaul.machine.kernel import cached_kernel
from longhaul.machine.kernel_build import SEEDED_RANDOM

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


def boot(folder: Path, commands: str, seed: int = 1, time_mode: str = "inf-cpu") -> str:
    """What the commands print when they are all that a fresh guest runs."""
    assert KERNEL
    init = folder / "init"
    init.write_text(INIT.format(commands=commands))
    init.chmod(0o755)
    words = ["seccomp=on", f"time-travel={time_mode}", "time-travel-start=1700000000000000000"]
    words += ["mem=256M", "root=/dev/root", "rootfstype=hostfs", "rootflags=/", "ro", "quiet"]
    words += ["norandmaps", "panic=-1", "con=null", "con0=null,fd:1", f"uml_dir={folder}/"]
    pinned = ["taskset", "-c", str(max(os.sched_getaffinity(0)))]
    guest = subprocess.run(
        [*pinned, str(KERNEL / "linux"), *words, f"init={init}"],
        env={"LD_PRELOAD": str(KERNEL / "seeded-random.so"), "LONGHAUL_SEED": str(seed)},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        timeout=60,
    )
    said, end, _ = guest.stdout.replace("\r", "").partition("the end\n")
    assert end, guest.stdout
    return said


@needs_kernel
def test_a_guests_sleep_takes_no_time_outside(tmp_path: Path) -> None:
    started = time.monotonic()
    said = boot(tmp_path, "a=$(date +%s); sleep 1000; b=$(date +%s); echo $((b - a))")
    assert said == "1000\n"
    assert time.monotonic() - started < 20


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


# --- the preloaded generator by itself -----------------------------------------------------------

PRINT_RANDOM = """
#include <stdio.h>
#include <sys/random.h>
int main(void)
{
    unsigned char bytes[21];
    getrandom(bytes, 5, 0);
    getentropy(bytes + 5, 16);
    for (int i = 0; i < 21; i++)
        printf("%02x", bytes[i]);
}
"""


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the library, and with a program that prints 5 and 16 random bytes."""
    if not shutil.which("gcc"):
        pytest.skip("no gcc")
    folder = tmp_path_factory.mktemp("made")
    (folder / "print.c").write_text(PRINT_RANDOM)
    strict = ["gcc", "-Wall", "-Wextra", "-Werror"]
    subprocess.run([*strict, "-shared", "-fPIC", "-o", folder / "lib", SEEDED_RANDOM], check=True)
    subprocess.run([*strict, "-o", folder / "print", folder / "print.c"], check=True)
    return folder


def preloaded(made: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [made / "print"],
        env={"LD_PRELOAD": str(made / "lib"), **environment},
        capture_output=True,
        text=True,
        check=False,
    )


def test_seeded_random_numbers_are_those_of_splitmix64(made: Path) -> None:
    reference = [6457827717110365317, 3203168211198807973, 9817491932198370423]
    first, second, third = (word.to_bytes(8, "little") for word in reference)
    printed = preloaded(made, LONGHAUL_SEED="1234567").stdout
    assert printed == (first[:5] + second + third).hex()


def test_without_a_seed_random_numbers_are_the_systems(made: Path) -> None:
    assert preloaded(made).stdout != preloaded(made).stdout


@pytest.mark.parametrize("seed", ["x", "-1", "1.5", " 1", "18446744073709551616"])
def test_a_seed_that_is_no_64_bit_number_is_refused(made: Path, seed: str) -> None:
    refused = preloaded(made, LONGHAUL_SEED=seed)
    assert refused.returncode == 2
    assert f"LONGHAUL_SEED={seed} is not a number" in refused.stderr
