"""`longhaul up`: Mininet's command line on a fabric that stands still while nobody asks for anything."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from longhaul.runs.prompt import check_seen, duration_s
from scenario.errors import WrongInput
from tests.run.conftest import HERE, Done, longhaul

TYPED = """\
c1-h100-1 hostname
c1-h100-1 getent hosts c2-h100-1
c1-h100-1 ping -c 3 -i 0.2 c2-h100-1
c1-h100-1 sh -c "ping -c 1 c2-h100-1"
events
happen cut for 300ms
happen cute
wait 2s
link c1-c2 distance=100mi
c1-h100-1 ping -c 1 c2-h100-1
link c1-c2 loss=30%
c1-h100-1 ping -q -c 40 -i 0.01 -W 1 c2-h100-1
link c1-c2 loss=100%
link c1-c2 loss=null distance=10mi
fidelity
wait 2s
link c1-c2 age=2
link c1-c9 age=2y
c1-h100-1 {script}
source {more}
source no-such-file
link c1-h100-1 c1-l1 down
c1-h100-1 ping -c 1 -W 1 c2-h100-1
link c1-h100-1 c1-l1 up
py net["c1-h100-1"].IP()
sh ovs-vsctl list-br
nonsense
exit
pingall
"""


@pytest.fixture(scope="module")
def typed(kernel: Path, tmp_path_factory: pytest.TempPathFactory) -> Done:  # noqa: ARG001
    folder = tmp_path_factory.mktemp("up")
    script, more = folder / "script.sh", folder / "more"
    script.write_text("#!/bin/sh\necho never\n")
    more.write_text("c1-h100-1 echo sourced\n")
    commands = TYPED.format(script=script, more=more)
    cwd = tmp_path_factory.mktemp("elsewhere")
    return longhaul("up", HERE / "checked.yaml", typed=commands, cwd=cwd, folder=folder)


@pytest.mark.slow
def test_a_host_has_its_own_name_and_knows_the_others(typed: Done) -> None:
    assert typed.status == 0, typed.complaint
    lines = [line.strip() for line in typed.out.splitlines()]
    assert lines[0] == "c1-h100-1"
    assert lines[1].split() == ["10.2.1.1", "c2-h100-1"]


@pytest.mark.slow
def test_a_ping_takes_as_long_as_its_way(typed: Done) -> None:
    times_ms = [float(ms) for ms in re.findall(r"ttl=64 time=(\S+) ms", typed.out)]
    assert len(times_ms) == 5
    *near, first, far = times_ms
    assert max(near) < 0.2
    assert min(near) > 0.16
    assert first < 0.2  # from within a shell, where only the host's own /etc/hosts knows the name
    assert far == pytest.approx(1.58 + 0.02, abs=0.02)


def test_events_say_when_they_happen(typed: Done) -> None:
    begun, over = re.findall(r"^(\S+) s: cut: link c1-c2 down", typed.out, re.M)
    assert float(over) - float(begun) == pytest.approx(0.3, abs=1e-3)
    assert "off  cut" in typed.out
    assert "did you mean cut?" in typed.out


def test_a_link_is_changed_and_changed_back(typed: Done) -> None:
    assert re.search(r"c1-c2: one way 788.\d µs, 400 Gbit/s, loss 0; \d+ ports changed", typed.out)
    (received,) = re.findall(r"40 packets transmitted, (\d+) received", typed.out)
    assert 5 < int(received) < 35  # 30 % each way: 20 of 40
    assert re.search(r"c1-c2: round trip asked 16\d\.\d µs, measured 16\d", typed.out)


def test_what_cannot_be_is_said_and_the_next_line_comes(typed: Done) -> None:
    assert "a bare number where an age needs its unit" in typed.out
    assert "at most 0.5" in typed.out  # more loss than TCP can carry
    assert "no long-haul link is called 'c1-c9': did you mean c1-c2?" in typed.out
    assert "script.sh: start it with --expose" in typed.out
    assert "sourced" in typed.out
    assert "no-such-file cannot be read: No such file" in typed.out
    assert "Unknown command: nonsense" in typed.out


def test_mininets_own_commands_are_there(typed: Done) -> None:
    assert "10.1.1.1" in typed.out
    assert "c1-b" in typed.out
    assert "Network is unreachable" in typed.out  # while its own link was down


def test_nothing_of_the_guest_leaks_and_exit_leaves(typed: Done) -> None:
    for word in ("Power down", "reboot", "Traceback", "*** Ping: testing", "never\n"):
        assert word not in typed.out + typed.complaint, word


def test_a_file_that_the_guest_does_not_see_is_told(tmp_path: Path) -> None:
    script = tmp_path / "s.sh"
    script.write_text("")
    check_seen([str(script)], None)
    check_seen([str(script)], [tmp_path])
    check_seen(["echo", "x", ">", str(script)], [Path("/usr")])
    check_seen(["/no/such"], [Path("/usr")])
    with pytest.raises(WrongInput, match="--expose"):
        check_seen([str(script)], [Path("/usr")])


@pytest.mark.parametrize("text", ["", "2", "-1s", "2 parsecs", "1000000d"])
def test_a_time_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(WrongInput):
        duration_s(text)
