"""`longhaul exec` and `longhaul up`: other people's programs, and Mininet's command line, on a fabric."""

import json
import os
import re
import sys
from pathlib import Path

import pytest

from longhaul.machine.kernel import cache_folder
from tests.run.conftest import HERE, ROOT, Done, longhaul

THREE = HERE / "links.yaml"
TWO_HOSTS = ROOT / "topologies" / "two-hosts.yaml"

ON_EACH_HOST = """
import os, subprocess, sys
names = "RANK WORLD_SIZE LOCAL_RANK LOCAL_WORLD_SIZE GROUP_RANK MASTER_ADDR MASTER_PORT OWN".split()
print("environment", *(f"{name}={os.environ.get(name)}" for name in names), flush=True)
print("to standard error", file=sys.stderr)
rank = int(os.environ["RANK"])
if rank == 0:
    subprocess.run("ping -c 4 -i 0.2 10.2.1.1".split(), stdout=sys.stdout)
    subprocess.run("iperf3 -c 10.3.1.1 -n 40M --connect-timeout 5000 -f m".split(), stdout=sys.stdout)
if rank == 2:
    subprocess.run("iperf3 -s -1".split(), stdout=subprocess.DEVNULL)
print("without a newline at the end", end="", flush=True)
sys.exit([0, 3, 5][rank])
"""


@pytest.fixture(scope="module")
def executed(kernel: Path) -> Done:  # noqa: ARG001
    """One command on all three hosts."""
    lossless = ("--set", "links.c1-c2.forward.loss=0", "--set", "links.c1-c3.forward.loss=0")
    command = ("exec", THREE, *lossless, "--env", "OWN=a b", "--")
    return longhaul(*command, "python3", "-c", ON_EACH_HOST)


def said_by(done: Done, host: str) -> list[str]:
    return [line.removeprefix(f"{host}: ") for line in done.out.splitlines() if host in line[:12]]


def test_every_host_has_the_variables_that_torchrun_sets(executed: Done) -> None:
    for rank, host in enumerate(("c1-h100-1", "c2-h100-1", "c3-h100-1")):
        assert (
            f"environment RANK={rank} WORLD_SIZE=3 LOCAL_RANK=0 LOCAL_WORLD_SIZE=1 GROUP_RANK={rank} "
            "MASTER_ADDR=10.1.1.1 MASTER_PORT=29500 OWN=a b"
        ) in said_by(executed, host)


def test_the_status_is_the_worst_of_the_hosts(executed: Done) -> None:
    assert executed.status == 5
    assert "[exit status 3]" in said_by(executed, "c2-h100-1")
    assert not any("exit status" in line for line in said_by(executed, "c1-h100-1"))


def test_lines_come_with_their_hosts_name_standard_error_and_unended_ones_too(
    executed: Done,
) -> None:
    for host in ("c1-h100-1", "c2-h100-1", "c3-h100-1"):
        assert "to standard error" in said_by(executed, host)
        assert "without a newline at the end" in said_by(executed, host)


def test_an_unmodified_ping_sees_the_delay_of_the_link(executed: Done) -> None:
    """16.0934 km of fibre each way, and 0.5 µs for each of the six wires on either side of it."""
    times_ms = [float(x) for x in re.findall(r"time=([\d.]+) ms", executed.out)]
    assert len(times_ms) == 4
    propagation_ms = 2 * (16.09344 * 4.897e-3 + 4 * 0.5e-3)
    frames_ms = 1e3 * 8 * 98 * 2 * (1 / 1e9 + 4 / 4e9)  # at most: the wires beside it are faster
    for time_ms in times_ms[1:]:
        assert propagation_ms * 0.999 - 0.001 <= time_ms
        assert time_ms <= propagation_ms * 1.001 + frames_ms + 0.010


def test_an_unmodified_iperf3_fills_the_link(executed: Done) -> None:
    """Over two links of 1 and 4 Gbit/s: payload is at most the slower's share."""
    rates = [float(x) for x in re.findall(r"([\d.]+) Mbits/sec .*receiver", executed.out)]
    assert len(rates) == 1
    assert rates[0] <= 1000 * 8948 / 9014 * 1.001
    assert rates[0] >= 900


@pytest.mark.slow
def test_iperf3s_own_bindings_agree_with_the_framing_bound(kernel: Path) -> None:  # noqa: ARG001
    """40 MB over the two hosts' link of 1 Gbit/s: what iperf3 says arrived per second, against 8948 bytes of
    payload in frames of 9014; slow start takes the rest."""
    command = ("exec", THREE, "--hosts", "c[12]-*", "--set", "links.c1-c2.forward.loss=0")
    done = longhaul(*command, "--", sys.executable, "-m", "traffic.iperf", "--megabytes", "100")
    assert done.status == 0, done.complaint + done.out
    (said,) = [json.loads(line.partition(": ")[2]) for line in done.out.splitlines()]
    bound_Bps = 1e9 / 8 * 8948 / 9014
    assert (
        95_000_000 <= said["bytes"] <= 100_000_000
    )  # it stops its clock before the last have come
    assert 0.97 * bound_Bps <= said["goodput_Bps"] <= 1.003 * bound_Bps


@pytest.mark.slow
def test_a_pattern_chooses_hosts_and_ranks_are_counted_among_them(kernel: Path) -> None:  # noqa: ARG001
    command = ("exec", THREE, "--hosts", "c[23]-*", "--", "sh", "-c", "echo $RANK of $WORLD_SIZE")
    done = longhaul(*command)
    assert done.status == 0, done.complaint
    assert sorted(done.out.splitlines()) == ["c2-h100-1: 0 of 2", "c3-h100-1: 1 of 2"]


def test_a_command_that_is_not_there_is_named(kernel: Path) -> None:  # noqa: ARG001
    done = longhaul("exec", TWO_HOSTS, "--", "no-such-command")
    assert done.status not in (0, 2)
    assert "no-such-command" in done.out + done.complaint
    assert "Traceback" not in done.complaint


@pytest.mark.slow
def test_virtual_time_passes_on_hosts_and_costs_none_here(kernel: Path) -> None:  # noqa: ARG001
    done = longhaul("exec", TWO_HOSTS, "--hosts", "c1-*", "--", "sh", "-c", "sleep 300; date +%s")
    assert done.status == 0, done.complaint
    (line,) = done.out.splitlines()
    assert 300 <= int(line.split()[1]) - 1_700_000_000 <= 400


# --- other people's software ---------------------------------------------------------------------

TORCH = str(cache_folder() / "torch" / "bin" / "python")
ALL_REDUCE = """
import torch, torch.distributed as dist
dist.init_process_group("gloo")
numbers = torch.full((100_000,), float(dist.get_rank() + 1))
dist.all_reduce(numbers)
print("sum", sorted(set(numbers.tolist())), flush=True)
dist.destroy_process_group()
"""


@pytest.mark.slow
def test_an_unmodified_torch_distributed_program_sums_over_the_fabric(kernel: Path) -> None:  # noqa: ARG001
    python = os.environ.get("LONGHAUL_TORCH_PYTHON", TORCH)
    if not Path(python).exists():
        pytest.skip("no PyTorch (800 MB): ./setup.sh torch")
    done = longhaul("exec", THREE, "--", python, "-c", ALL_REDUCE)
    assert done.status == 0, done.out + done.complaint
    said = [line for line in done.out.splitlines() if ": sum" in line]
    assert sorted(said) == [f"c{n}-h100-1: sum [6.0]" for n in (1, 2, 3)]


@pytest.mark.slow
def test_lines_come_as_json_for_programs_and_a_host_has_its_name(kernel: Path) -> None:  # noqa: ARG001
    words = ("--hosts", "c2-*", "--format", "json", "--", "sh", "-c", "hostname; exit 3")
    done = longhaul("exec", TWO_HOSTS, *words)
    assert done.status == 3
    assert [json.loads(line) for line in done.out.splitlines()] == [
        {"host": "c2-h100-1", "line": "c2-h100-1"},
        {"host": "c2-h100-1", "line": "[exit status 3]"},
        {"status": 3},
    ]


@pytest.mark.slow
def test_mininets_command_line_works_as_ever(kernel: Path) -> None:  # noqa: ARG001
    typed = "pingall\nc1-h100-1 ping -c1 c2-h100-1\ndump\niperf c1-h100-1 c2-h100-1\nexit\n"
    done = longhaul("up", TWO_HOSTS, typed=typed)
    assert done.status == 0, done.out + done.complaint
    assert "0% dropped" in done.out
    assert "1 packets transmitted, 1 received" in done.out
    assert "<FabricHost c1-h100-1: c1-h100-1-eth0:10.1.1.1 " in done.out
    assert re.search(r"Results: \['[\d.]+ [GM]bits/sec', '[\d.]+ [GM]bits/sec'\]", done.out)
    assert "Traceback" not in done.out


@pytest.mark.slow
def test_this_kernel_as_the_machine_carries_a_run_in_namespaces_of_its_own(kernel: Path) -> None:  # noqa: ARG001
    """Proven inside a guest, whose kernel has netem and Open Vswitch, and where we are root."""
    inner = (
        f"{sys.executable} -m longhaul run {TWO_HOSTS} --workload {HERE}/verified.yaml "
        "--machine native --time real --out /tmp/x "
        "&& cat /tmp/x/summary.json && ls /sys/class/net && pgrep -c ovs-vswitchd"
    )
    environment = ("--env", f"PYTHONPATH={ROOT}")
    command = ("exec", TWO_HOSTS, "--hosts", "c1-*", *environment, "--", "sh", "-c", inner)
    done = longhaul(*command)
    assert done.status == 0, done.out[-3000:] + done.complaint
    assert '"machine": "native"' in done.out
    assert '"world_size": 2' in done.out
    assert "c1-h100-1-eth0" in done.out
    assert "c1-b-eth" not in done.out, "its interfaces are in a namespace of its own"
    assert done.out.splitlines()[-1] == "c1-h100-1: 1", (
        "only the outer fabric's Open vSwitch is left"
    )


HOARD = """
import os, time
hoard = []
while os.environ["RANK"] == "1":
    hoard.append(b"x" * 10_000_000)
time.sleep(10_000)
"""


def test_whom_the_guest_kills_for_want_of_memory_is_named_at_once(kernel: Path) -> None:  # noqa: ARG001
    done = longhaul("exec", TWO_HOSTS, "--memory", "512MB", "--", "python3", "-c", HOARD)
    assert done.status == 1
    assert "c2-h100-1: python3 was killed, as the guest's memory is full" in done.complaint
    assert "--memory 1GB" in done.complaint
