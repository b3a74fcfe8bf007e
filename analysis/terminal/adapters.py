"""What adapters counted, in the terminal. In: rows of `summary.json`. Out: a table."""

from __future__ import annotations

from rich.console import Console
from rich.text import Text

from analysis.form.beside import Adapters
from analysis.terminal.tables import table

NOT_MEANINGFUL = (
    "What was lost cost more or less than at full scale: not meaningful, as too few packets fill a link"
    " for a round trip."
)


def print_adapters(found: list[Adapters], out: Console) -> None:
    """What a queue pair does about losses and marks, all hosts together."""
    made = table(
        "RDMA adapters (all hosts)", "workload", "packets sent", "went back", "NAKs", "timeouts",
        "again", "not ready", "marked", "CNPs", text=1,
    )  # fmt: skip
    for one in found:
        counts = (
            one.sent_packets, one.retransmissions, one.naks_received, one.timeouts, one.duplicates,
            one.not_ready_received, one.marked_packets, one.cnps_received,
        )  # fmt: skip
        made.add_row(Text(one.name), *("–" if count is None else f"{count:,}" for count in counts))
    out.print(made)
    if any(not one.meaningful for one in found):
        out.print(NOT_MEANINGFUL)
