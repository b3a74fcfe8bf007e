"""What can go wrong, as one tree: every exception of ours is a `LonghaulError`, and its text is for a person.

The command line catches that one type, prints the text and ends with `exit_status`. What is none of these is a defect
of longhaul, and shows a traceback. (Private exceptions, `_Name`, never leave their module.)

    LonghaulError                     1  it could not be done
    ├── WrongInput                    2  what was asked cannot be done by anybody: mend the input
    │   ├── InvalidInput                 scenario.text.diagnostics    a file or a setting, with every place
    │   ├── UnitError                    scenario.text.units          a text that is not the quantity it should be
    │   ├── NoCrew                       longhaul.studies.crews       no scheduler, or workers that cannot work
    │   ├── NotInstalled                 longhaul.studies.packages    packages that a study needs and that are not here
    │   ├── NoExpression                 scenario.expressions.terms  text that is no expression, or makes no sense
    │   ├── NotAlike                     analysis.studies.comparing  studies that cannot be compared
    │   ├── NoPoints                     scenario.study.designs       a study whose design has no point
    │   ├── Malformed                    traffic.traces.protobuf      bytes that are no message
    │   ├── RunError                     analysis.errors              a run folder that cannot be analysed
    │   ├── CircularGraph                analysis.findings.retiming   operations that wait for each other
    │   ├── ApplicationError             controller.application       a file that is no controller application
    │   ├── Refused                      controller.northbound        a request to the controller that makes no sense
    │   ├── FolderTaken                  longhaul.folder              a run folder that is not free
    │   ├── UnknownLab                   longhaul.labs.catalogue      there is no lab of this name
    │   ├── Unfair                       longhaul.labs.draws          parameters of a lab that cannot be drawn
    │   ├── HandedIn                     longhaul.labs.folders        what a student handed in cannot be unpacked
    │   ├── Unwritable                   longhaul.folder              an output file that cannot be written
    │   ├── Unfit                        longhaul.runs.benchmark      a benchmark that these hosts cannot do
    │   ├── Unpriced                     longhaul.trials.worth        an accelerator whose price nobody said
    │   └── NothingToAttribute           longhaul.trials.attribution  no factor makes a difference, or too many do
    ├── DiskFull                      longhaul.folder              no room for what a run writes
    ├── MachineError                     longhaul.machine.dispatch    a fabric cannot run here, or did not end well
    ├── GuestError                       longhaul.machine.uml         the guest cannot be started here
    ├── KernelUnavailable                longhaul.machine.kernel      no virtual-time kernel, and none can be made
    ├── BuildFailed                      longhaul.machine.kernel_build  a step of the kernel's build failed
    ├── PreloadUnavailable               longhaul.machine.preload     a library to be preloaded cannot be made
    ├── UserlandUnavailable              longhaul.machine.userland    a guest's own programs cannot be had
    ├── SourceUnavailable                longhaul.machine.debian      no kernel source can be had
    ├── HostError                        longhaul.emulation.hosts        a job in a host failed
    ├── Interrupted                      longhaul.emulation.hosts        somebody asks why it takes so long
    ├── Stopped                          longhaul.inside.control      the run cannot go on
    ├── CrewLost                         longhaul.studies.crews       all workers of a study have gone
    ├── RecordsUnusable                  longhaul.studies.store       what studies know can be neither read nor kept
    ├── TrialFailed                      longhaul.trials.series       a run of a series did not end well
    ├── Competing                        traffic.model.execution      messages of a forecast wait for each other
    ├── CannotPrint                      longhaul.verbs.streams       standard output is full, or was closed
    └── BenchError                       bench.guests                 a measurement could not be made
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar


class LonghaulError(Exception):
    """Something could not be done; the text says what, why, and what to do about it."""

    exit_status: ClassVar[int] = 1

    def to_json(self) -> Sequence[dict[str, str | int]]:
        """One plain object per complaint, for `--format json`; each has a `message`."""
        return [{"message": str(self)}]


class WrongInput(LonghaulError):
    """What was asked cannot be done by anybody: the input is to be mended."""

    exit_status = 2
