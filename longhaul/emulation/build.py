"""A plan becomes a running Mininet network. The one module that imports mininet.

Hosts, switches and links are Mininet's own objects (`net.get`, `net.iperf`, the CLI work as ever);
only their start is batched. Mininet as shipped starts a shell per node and a process per `ifconfig`
and `ovs-vsctl`; here a node's shell starts when it is first asked for, links are made over netlink,
and all bridges in one ovsdb transaction.
"""

from __future__ import annotations

import select
import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Any, Protocol

import mininet.net
from mininet.cli import CLI
from mininet.link import Intf, Link
from mininet.log import error, output, setLogLevel
from mininet.net import Mininet
from mininet.node import Controller, Node, OVSSwitch

from longhaul.emulation import netlink, rdma
from longhaul.emulation.openvswitch import vsctl
from scenario.plan import bridging
from scenario.plan.types import End, Plan, PlannedHost, PlannedWire

CONTROLLER_PORT = 6653
PROTOCOLS = "OpenFlow13,OpenFlow15"
LOOK_FOR_INTERRUPT_MS = 100
LOOK_AGAIN_MS = 1000
"""How often a switch looks for a controller that is gone; Open vSwitch takes no less."""
NSENTER = shutil.which("nsenter")
Switches = tuple[Any, ...]
Around = Callable[[list[str]], list[str]]
"""The command line that runs another one, elsewhere."""


class LazyShell(Node):  # type: ignore[misc]
    """A node whose shell starts when it is first used. `pid` is of a process in its namespaces."""

    _shell: Any = None
    _starting = False
    home = 1
    around: Around | None = None

    @property
    def shell(self) -> Any:
        """The shell's process, started at the first look."""
        if self._shell is None and not self._starting:
            self._starting = True
            super().startShell()
            self._starting = False
            self.pid = self.home
        return self._shell

    @shell.setter
    def shell(self, process: Any) -> None:
        self._shell = process

    def startShell(self, mnopts: str | None = None) -> None:  # noqa: ARG002, N802 (Mininet's)
        """Called when the node is made: only note where it lives."""
        self.home = self.pid = self.params.get("home", 1)

    def _popen(self, cmd: list[str], **params: Any) -> Any:
        """Start the shell in the home namespaces rather than in new ones."""
        if self._starting and self.home != 1:
            shell = self.around(cmd[2:]) if self.around else cmd[2:]
            cmd = [*self.inside("-a"), "mnexec", "-cd", *shell]
        return super()._popen(cmd, **params)

    def inside(self, how: str) -> list[str]:
        """What a command is put behind to run in the home's namespaces; mnexec leaves out that of its name."""
        named = [NSENTER, f"--uts=/proc/{self.home}/ns/uts"] if NSENTER else []
        return ["mnexec", how, str(self.home), *named]

    def popen(self, *command: Any, **options: Any) -> Any:
        """As Mininet's, in all of the home's namespaces."""
        if self.home != 1:
            options.setdefault("mncmd", self.inside("-da"))
        return super().popen(*command, **options)

    def terminate(self) -> None:
        """End the shell, if it was ever started."""
        if self._shell is not None:
            super().terminate()

    def cleanup(self) -> None:
        """Close the shell's terminal, if there is one."""
        if self._shell is not None:
            super().cleanup()


class FabricHost(LazyShell):
    """A host in the namespaces of a process that runs already (`home`). Mininet's own commands run in its shell, those
    of people in that of its `by_hand`: another one, where there is other software for them."""

    def for_people(self, around: Around) -> None:
        """Have people's commands run in a shell whose command line is put together so."""
        self.by_hand = LazyShell(self.name, home=self.home, inNamespace=False)
        self.by_hand.around = around

    @cached_property
    def by_hand(self) -> LazyShell:
        """Where people's commands run."""
        return self

    def terminate(self) -> None:
        """End the shells that were started."""
        if self.by_hand is not self:
            self.by_hand.terminate()
        super().terminate()

    def configDefault(self, **_params: Any) -> dict[str, Any]:  # noqa: N802
        """Nothing: `build` has addressed it."""
        return {}


class FabricSwitch(LazyShell, OVSSwitch):  # type: ignore[misc]
    """An Open vSwitch bridge (kernel datapath, OpenFlow 1.5, and 1.3 for those who speak that)."""

    _made = False

    def __init__(self, name: str, **params: Any) -> None:
        self.spanning: dict[str, Any] = {}
        self.port_costs: dict[str, int] = {}
        OVSSwitch.__init__(self, name, protocols=PROTOCOLS, **params)
        self._made = True

    def cmd(self, *args: Any, **kwargs: Any) -> Any:
        """As a node's, but for Mininet's `ifconfig lo up` while the switch is made: it is up."""
        return super().cmd(*args, **kwargs) if self._made else ""

    def start(self, controllers: list[Controller]) -> None:
        """Nothing yet: batchStartup makes all bridges at once."""
        self.fabric_controllers = controllers

    @classmethod
    def batchStartup(cls, switches: Switches, run: Any = None) -> Switches:  # noqa: ARG003, N802
        """Make all bridges in one transaction."""
        vsctl([command for switch in switches for command in switch.commands_to_start()])
        for switch in switches:
            switch.batch = False
        return switches

    def commands_to_start(self) -> Iterator[list[str]]:
        """The ovs-vsctl commands that make this bridge, its ports and its controllers."""
        yield ["add-br", self.name]
        yield [
            "set", "bridge", self.name, f"fail_mode={self.failMode}", f"protocols={PROTOCOLS}",
            f"other_config:datapath-id={self.dpid}", "other_config:disable-in-band=true",
            f"other_config:dp-desc={self.name}",
        ]  # fmt: skip
        targets = [f"{c.protocol}:{c.IP()}:{c.port}" for c in self.fabric_controllers]
        if targets:
            yield ["set-controller", self.name, *targets]
            yield ["set", "controller", self.name, f"max_backoff={LOOK_AGAIN_MS}"]
        for interface in self.intfList():
            if self.ports[interface]:
                yield ["add-port", self.name, interface.name]
                yield [
                    "set",
                    "Interface",
                    interface.name,
                    f"ofport_request={self.ports[interface]}",
                ]
        yield from self._commands_to_span()

    def _commands_to_span(self) -> Iterator[list[str]]:
        """The commands that put this bridge into a spanning tree, if it is to be in one."""
        if not self.spanning:
            return
        settings = [f'other_config:{key}="{value}"' for key, value in self.spanning.items()]
        yield ["set", "bridge", self.name, "rstp_enable=true", *settings]
        for interface in self.intfList():
            if number := self.ports[interface]:
                cost = self.port_costs.get(interface.name)
                role = f"rstp-path-cost={cost}" if cost else "rstp-port-admin-edge=true"
                numbered = f"other_config:rstp-port-num={number}"
                yield ["set", "Port", interface.name, numbered, f"other_config:{role}"]

    @classmethod
    def batchShutdown(cls, switches: Switches, run: Any = None) -> Switches:  # noqa: ARG003, N802
        """Remove all bridges in one transaction."""
        vsctl([["--if-exists", "del-br", switch.name] for switch in switches])
        for switch in switches:
            switch.terminate()
        return switches


class FabricController(LazyShell, Controller):  # type: ignore[misc]
    """Where the switches find the controller, which runs on its own (`python -m controller`)."""

    def __init__(self, name: str = "c0", **params: Any) -> None:
        Controller.__init__(self, name, port=CONTROLLER_PORT, **params)

    def start(self) -> None:
        """It has been started."""

    def stop(self, deleteIntfs: bool = False) -> None:  # noqa: N803
        """Whoever started it ends it."""

    def checkListening(self) -> None:  # noqa: N802
        """Nothing to look for: the port is ours."""


def iperf_answers(client: Any, server: str, port: int, tries: int = 50) -> bool:
    """Whether an iperf server answers, asked by a short transfer.

    For `Mininet.iperf`, which knocks with telnet and then waits for the line that the server prints
    of it: iperf 2.1 prints none, and the wait never ends.
    """
    return any("/sec" in client.cmd(f"iperf -p {port} -t 0.1 -c {server}") for _ in range(tries))


mininet.net.waitListening = iperf_answers


class Switchboard(Protocol):
    """Events that a person begins and ends by name; see `longhaul.inside.happening.ByHand`."""

    def lines(self) -> Iterable[str]:
        """What there is, for people."""

    def begin(self, name: str) -> None:
        """Raises LookupError."""

    def end(self, name: str) -> None:
        """Raises LookupError."""


class CommandLine(CLI):  # type: ignore[misc]
    """Mininet's, line by line, with names as `c1-h100-1`, and with the events of the timeline. What it says goes to
    standard output and error. A command on a host ends early where somebody says so: `interrupted`."""

    identchars = CLI.identchars + "-"

    def __init__(self, net: Mininet, events: Switchboard, interrupted: Callable[[], bool]) -> None:
        self._events = events
        self._interrupted = interrupted
        super().__init__(net)

    @classmethod
    def initReadline(cls) -> None:  # noqa: N802 (Mininet's)
        """Nothing: lines come from elsewhere."""

    def run(self) -> None:
        """Nothing: lines come from elsewhere."""

    def carry_out(self, line: str) -> None:
        """Do what a line says."""
        setLogLevel("info")
        try:
            self.onecmd(self.precmd(line))
        finally:
            setLogLevel("warning")

    def default(self, line: str) -> None:
        """A command on a node; a host's, in the shell for people."""
        first, words, _ = self.parseline(line)
        node = self.mn[first] if first in self.mn and words else None
        if not isinstance(node, FabricHost):
            super().default(line)
            return
        addresses = (self._address(word) or word for word in words.split(" "))
        node.by_hand.sendCmd(" ".join(addresses))
        self.waitForNode(node.by_hand)

    def _address(self, name: str) -> str | None:
        """That of a node, if it is one and has one."""
        return str(self.mn[name].defaultIntf().updateIP() or "") if name in self.mn else None

    def waitForNode(self, node: Any) -> None:  # noqa: N802 (Mininet's)
        """Say what a command on a host says, until it ends."""
        poller = select.poll()
        poller.register(node.stdout, select.POLLIN)
        stopping = False
        while node.waiting:
            if poller.poll(LOOK_FOR_INTERRUPT_MS):
                output(node.monitor())
            elif not stopping and self._interrupted():
                node.sendInt()
                stopping = True

    def do_events(self, _line: str) -> None:
        """The events of the timeline, and which are on."""
        output("".join(f"{line}\n" for line in self._events.lines()) or "no timeline\n")

    def do_happen(self, line: str) -> None:
        """Have an event of the timeline happen, as: happen link-down-1."""
        self._do(self._events.begin, line)

    def do_mend(self, line: str) -> None:
        """Have an event of the timeline be over, as: mend link-down-1."""
        self._do(self._events.end, line)

    def _do(self, change: Callable[[str], None], line: str) -> None:
        try:
            change(line.strip())
        except LookupError as unknown:
            error(f"*** {unknown.args[0]}; `events` lists them\n")


class PlannedVeth(Link):  # type: ignore[misc]
    """A link whose interfaces netlink has made."""

    def makeIntfPair(self, *_names: Any, **_params: Any) -> None:  # noqa: N802
        """Nothing: both are there."""


class FabricIntf(Intf):  # type: ignore[misc]
    """An interface that was configured over netlink when it was made."""

    def config(self, **_params: Any) -> dict[str, Any]:
        """Nothing to do."""
        return {}


@contextmanager
def running(plan: Plan, homes: Mapping[str, int], seed: int, controller: bool) -> Iterator[Mininet]:
    """The network of a plan, started. `homes` maps each host to a process in its namespaces.

    With `controller`, switches connect to 127.0.0.1:6653 and forward nothing until it says so;
    otherwise they learn (standalone), as Mininet's do without a controller. Where a plan is bridged
    they keep to its spanning tree.
    """
    setLogLevel("warning")
    silence_ipv6()
    net = _describe(plan, homes, controller)
    make_links(plan, homes, seed)
    if rdma.available():
        add_adapters(plan, homes)
    elif plan.rdma or any(end.shape.port for wire in plan.wires for end in wire.ends):
        raise OSError(
            "this kernel has no Soft-RoCE per namespace and no ports of switches: use virtual time"
        )
    net.built = True
    net.start()
    shape_switches(plan, homes, seed)
    yield net


def silence_ipv6() -> None:
    """Have the switches' interfaces send nothing of their own accord."""
    for scope in ("all", "default"):
        setting = Path("/proc/sys/net/ipv6/conf", scope, "disable_ipv6")
        if setting.exists():
            setting.write_text("1", encoding="utf-8")


def _describe(plan: Plan, homes: Mapping[str, int], controller: bool) -> Mininet:
    """Mininet's objects, with nothing made in the kernel yet."""
    net = Mininet(
        host=FabricHost, switch=FabricSwitch, link=PlannedVeth, intf=FabricIntf,
        controller=None, build=False, ipBase="10.0.0.0/8",
    )  # fmt: skip
    if controller:
        net.addController("c0", FabricController)
    planned = {host.name: host for host in plan.hosts + plan.probes}
    for host in planned.values():
        net.addHost(host.name, home=homes[host.name], ip=f"{host.ip}/8", mac=host.mac)
    fail_mode = "secure" if controller else "standalone"
    for switch in plan.switches:
        net.addSwitch(switch.name, dpid=f"{switch.dpid:016x}", failMode=fail_mode)
    if plan.bridged:
        _span(plan, net)
    for wire in plan.wires:
        _add_link(net, wire, planned.get(wire.a.node))
    return net


def _span(plan: Plan, net: Mininet) -> None:
    """Have the switches keep to the planned spanning tree."""
    for switch in plan.switches:
        first = switch == bridging.root(plan)
        net[switch.name].spanning = {
            "rstp-address": bridging.address(switch),
            "rstp-priority": bridging.ROOT_PRIORITY if first else bridging.PRIORITY,
        }
    for wire in plan.wires:
        for end in wire.ends:
            if wire.kind in ("fabric", "long-haul"):
                net[end.node].port_costs[end.interface] = bridging.port_cost(wire)


def _add_link(net: Mininet, wire: PlannedWire, host: PlannedHost | None) -> None:
    a, b = wire.ends
    made = net.addLink(
        a.node, b.node, port1=a.port, port2=b.port, intfName1=a.interface, intfName2=b.interface
    )
    if host:
        made.intf1.ip, made.intf1.prefixLen, made.intf1.mac = host.ip, 8, host.mac


def make_links(plan: Plan, homes: Mapping[str, int], seed: int) -> None:
    """Make every interface, set it up, and address and shape the hosts'."""
    planned = {host.name: host for host in plan.hosts + plan.probes}
    requests = netlink.NetlinkBatch()
    requests.up(netlink.LOOPBACK)
    for wire in plan.wires:
        a, b = (_interface(end, planned, homes) for end in wire.ends)
        requests.pair(a, b, plan.mtu_bytes)
    requests.send()
    for wire in plan.wires:
        if host := planned.get(wire.a.node):
            address = requests.bridged_address if plan.bridged else requests.address
            address(wire.a.index, host.ip)
            requests.shape(wire.a.interface, wire.a.index, wire.a.shape.clean(), seed)
            requests.send(homes[host.name])


def add_adapters(plan: Plan, homes: Mapping[str, int]) -> None:
    """Give every host its RDMA device, set as the plan says."""
    ends = (wire.a for wire in plan.wires if wire.kind == "host")
    kinds = ["rxe", "siw"] if plan.rdma and plan.rdma.iwarp else ["rxe"]
    rdma.add_devices({end.interface: homes[end.node] for end in ends}, kinds)
    if plan.rdma:
        rdma.set_up(plan.rdma)


def shape_switches(plan: Plan, homes: Mapping[str, int], seed: int) -> None:
    """Shape the switches' interfaces. Impairments are left off, so that rate and delay can be
    checked alone first. Open vSwitch clears the shape of a port that it is given: this comes after."""
    ends = [end for wire in plan.wires for end in wire.ends if end.node not in homes]
    _shape([replace(end, shape=end.shape.clean()) for end in ends], seed)


def _shape(ends: Sequence[End], seed: int) -> None:
    """Shape interfaces of ours, and read back what they hold. Raises OSError where it is something else."""
    requests = netlink.NetlinkBatch()
    for end in ends:
        requests.shape(end.interface, end.index, end.shape, seed)
    requests.send()
    held = netlink.held()
    wrong = [end.interface for end in ends if held.get(end.index) != netlink.Held.of(end.shape)]
    if wrong:
        raise OSError(f"the kernel does not hold the shape asked for on: {', '.join(wrong)}")


def _interface(
    end: End, planned: Mapping[str, PlannedHost], homes: Mapping[str, int]
) -> netlink.Interface:
    host = planned.get(end.node)
    return netlink.Interface(
        end.interface, end.index, host.mac if host else None, homes.get(end.node)
    )


def impair(plan: Plan, seed: int) -> None:
    """Let the long-haul links lose, delay and corrupt as the plan says."""
    _shape([end for wire in plan.wires for end in wire.ends if end.shape.impaired], seed)
