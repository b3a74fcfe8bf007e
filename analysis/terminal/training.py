"""A run in the terminal: the headline, then what it rests on. In: `summary.json`. Out: rich tables.

Made for 80 columns. Imports rich, and nothing that needs the events.
"""

from __future__ import annotations

from pathlib import Path

from rich import box
from rich.console import Console
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from analysis import units
from analysis.findings.equals import unequal_shares
from analysis.findings.incidents import with_others
from analysis.form.parts import Check, Tail, TailKey
from analysis.form.stalls import GenerationAtCampus, OneCampus, Rank, Stalls
from analysis.form.summary import Summary, TrainingSummary, read_summary
from analysis.form.training import (
    CriticalPath,
    Efficiency,
    EventCost,
    EventPrice,
    KindTail,
    SlowestMessages,
)
from analysis.terminal.adapters import print_adapters, print_pauses
from analysis.terminal.background import print_background
from analysis.terminal.collisions import print_collisions
from analysis.terminal.oneway import print_probes
from analysis.terminal.serving import print_serving
from analysis.terminal.tables import captioned, table, tail_cells

_TOP = 8
_QUANTILES: tuple[TailKey, ...] = ("mean_s", "p50_s", "p90_s", "p99_s", "max_s")
_TO_P999: tuple[TailKey, ...] = ("p50_s", "p90_s", "p99_s", "p999_s", "max_s")
_GB = 1e9


def print_summary(run_dir: Path, out: Console) -> None:
    """Print what `summary.json` of a run folder says, and where its report is."""
    summary = read_summary(run_dir)
    print_headline(summary, out)
    out.print(_fidelity(summary.fidelity))
    if isinstance(summary, TrainingSummary):
        print_training(summary, out)
    for served in summary.serving:
        print_serving(served, out)
    if summary.adapters:
        print_adapters(summary.adapters, out)
    if summary.pauses:
        print_pauses(summary.pauses, out)
    if summary.background:
        print_background(summary.background, out)
    if summary.probes:
        print_probes(summary.probes, out)
    _print_whereabouts(Path(run_dir), summary, out)


def print_training(summary: TrainingSummary, out: Console) -> None:
    """What a workload that trains spent its time on."""
    for made in (_iterations(summary.iterations), _collective(summary)):
        out.print(made)
    if summary.timeline:
        out.print(timeline_table(summary.timeline))
    print_stalls(summary.stalls, out)
    out.print(slowest_table(summary.tail.slowest_messages))
    out.print(critical_table(summary.critical_path))
    out.print(_efficiency(summary.efficiency))
    predicted = _prediction(summary)
    if predicted.row_count:
        out.print(predicted)
    for omitted in summary.prediction.omits:
        out.print(Text(omitted, "dim"))
    if summary.proportion:
        out.print(Text(summary.proportion.says, "dim"))
    if summary.collisions:
        print_collisions(summary.collisions, out)


def print_headline(summary: Summary, out: Console) -> None:
    """The one sentence; a loud banner instead of a quiet frame where the run is unfaithful."""
    text = Text(summary.headline)
    if summary.faithful:
        out.print(Panel(text, title=Text(str(summary.name), "bold"), border_style="green"))
        return
    warning = "This run is NOT what was asked for: do not draw conclusions from it.\n\n"
    body = Text.assemble((warning, "bold white on red"), (summary.headline, "bold"))
    out.print(Panel(body, title="UNFAITHFUL", border_style="bold red", box=box.HEAVY))


def print_stalls(stalls: Stalls, out: Console) -> None:
    """Where time went by generation and campus, and the ranks that were waited for most."""
    out.print(_shares(stalls))
    out.print(_groups("By GPU generation and campus (mean per rank)", stalls.by_group))
    out.print(_blamed(stalls.by_rank))


def _fidelity(checks: list[Check]) -> Table:
    made = table("Fidelity", "what", "asked", "measured", "error", "limit", "")
    for check in checks:
        ok = check.ok
        made.add_row(
            Text(f"{check.what}: {check.counts}" if check.counts else str(check.what)),
            units.quantity(check.asked, check.unit),
            units.quantity(check.measured, check.unit),
            units.error(check.error),
            units.percent(check.limit),
            Text("ok", "green") if ok else Text("NO", "bold white on red"),
        )
    if not checks:
        made.add_row(Text("nothing was checked", "bold red"), "", "", "", "", "")
    return made


def _iterations(found: Tail) -> Table:
    made = table(
        "Iterations (warm-up left out)", "count", "mean", "p50", "p90", "p99", "max", text=0
    )
    made.add_row(str(found.count), *tail_cells(found, _QUANTILES, 4))
    return made


def timeline_table(events: list[EventCost]) -> Table:
    """What happened to the fabric, and what each thing cost beyond the median untouched iteration."""
    made = table(
        "What happened meanwhile", "event", "what", "from", "for", "iterations", "cost", text=2
    )
    for one in events:
        begin_s = one.spans_s[0][0]
        times = f" ({len(one.spans_s)}x)" if len(one.spans_s) > 1 else ""
        made.add_row(
            Text(one.name + times),
            Text(one.says),
            units.time(begin_s),
            units.time(sum(end - begin for begin, end in one.spans_s)),
            f"{len(one.touched)} ({one.beyond} late)",
            _cost(one),
        )
    return made


def _cost(event: EventCost) -> str:
    if event.cost_s is None:
        return "no other to compare"
    return units.time(event.cost_s) + with_others(event.together) + _priced(event.price)


def _priced(price: EventPrice | None) -> str:
    if price is None or price.usd < 1:
        return ""
    return f"; {price.energy_kwh:,.0f} kWh, {units.money(price.usd, 'USD')}"


def _collective(summary: TrainingSummary) -> Table:
    found = summary.collective
    title = f"Collective: {found.algorithm} {found.op} over {summary.world_size} ranks"
    made = table(title, "", "size", "count", "time p50", "algbw GB/s", "busbw GB/s", "wrong")
    wrong = "N/A" if found.wrong is None else str(found.wrong)
    for name, size in (("real", found.real), ("carried", found.carried)):
        made.add_row(
            name,
            units.size(size.size_bytes),
            str(found.count),
            units.time(found.p50_s),
            f"{size.algbw_Bps / _GB:.4g}",
            f"{size.busbw_Bps / _GB:.4g}",
            wrong,
        )
    return made


def _shares(stalls: Stalls) -> Table:
    made = table(
        "Where GPU time went (mean per rank and iteration)", "", "time", "share", "", text=1
    )
    made.columns[3].justify = "left"
    rows = (
        ("compute", stalls.compute_s, "cyan"),
        ("exposed communication", stalls.exposed_communication_s, "magenta"),
        ("  sync wait", stalls.sync_wait_s, "red"),
        ("  transfer", stalls.transfer_s, "blue"),
        ("idle", stalls.idle_s, "white"),
    )
    for name, seconds, colour in rows:
        share = seconds / stalls.whole_s if stalls.whole_s else 0.0
        bar = Text("█" * round(share * 24), colour)
        made.add_row(name, units.time(seconds), units.percent(share), bar)
    return captioned(made, _slowdown(stalls))


def _slowdown(stalls: Stalls) -> str:
    text = _slower("with nobody straggling on this fabric", stalls) + " in stragglers"
    hidden_s = stalls.hidden_communication_s
    if hidden_s:
        text = f"compute hides another {units.time(hidden_s)} of communication\n{text}"
    one = stalls.one_campus
    if one:
        text = _slower("on one uniform campus", one) + f" lost, of which:\n{text}"
    return text


def _slower(where: str, found: Stalls | OneCampus) -> str:
    slowdown, waste = found.slowdown, units.percent(found.waste)
    return f"{slowdown:.3f} times as long as {where}: {waste}"


def slowest_table(found: SlowestMessages) -> Table:
    """Where the slowest 1 % came from: by link, by rank, by event of the timeline."""
    made = table(
        f"The slowest 1 % of messages ({found.count} of {found.of})", "by", "most", "share",
        text=2,
    )  # fmt: skip
    for name, shares in (
        ("link", found.by_link),
        ("sender", found.by_rank),
        ("event", found.by_event),
    ):
        for one in shares[:2]:
            made.add_row(name, Text(one.name), units.percent(one.share))
    return made


def tails_table(kinds: list[KindTail]) -> Table:
    """The tail of each kind of duration; a mark where the samples are too few."""
    made = table("Tails (nearest rank)", "of", "count", "p50", "p90", "p99", "p99.9", "max")
    for one in kinds:
        cells = [
            units.time(one.value(key)) + (" *" if key in one.notes else "") for key in _TO_P999
        ]
        made.add_row(Text(one.what), str(one.count), *cells)
    made.caption = "* fewer samples than this quantile needs"
    made.caption_justify = "left"
    return made


def critical_table(found: CriticalPath) -> Table:
    """What an iteration's time is made of, and where that ran."""
    whole_s = sum(found.by_kind().values())
    made = table(
        "The critical path (mean per iteration), and where it ran",
        "link", "time", "share", "", "where it ran most",
    )  # fmt: skip
    made.columns[3].justify = made.columns[4].justify = "left"
    for kind, seconds in found.by_kind().items():
        share = seconds / whole_s if whole_s else 0.0
        places = [one.where for one in found.through if one.kind == kind][:2]
        bar = "█" * round(share * 18)
        made.add_row(kind, units.time(seconds), units.percent(share), bar, Text(", ".join(places)))
    return made


def _efficiency(found: Efficiency) -> Table:
    price = ["idle costs"] if found.price else []
    made = table(
        "What the GPUs were used for", "GPUs", "goodput", "MFU", "idle GPUs", *price, text=0
    )
    goodput, mfu = units.percent(found.goodput), units.percent(found.mfu)
    made.add_row(str(found.gpus), goodput, mfu, f"{found.idle_gpus:.1f}", *_idle_costs(found))
    return made


def _idle_costs(found: Efficiency) -> list[str]:
    """Nothing where the workload names no price."""
    price = found.price
    return [f"{units.money(price.idle_per_hour, price.currency)}/h"] if price else []


def _groups(title: str, groups: list[GenerationAtCampus]) -> Table:
    made = table(
        title, "generation", "campus", "ranks", "compute", "sync wait", "transfer", "blame", text=2
    )
    for group in groups:
        made.add_row(
            Text(group.accelerator),
            Text(group.campus),
            str(group.ranks),
            units.time(group.compute_s),
            units.time(group.sync_wait_s),
            units.time(group.transfer_s),
            units.percent(group.blamed_share),
        )
    return made


def _blamed(ranks: list[Rank]) -> Table:
    made = table(
        "Most waited for",
        "rank",
        "host",
        "generation",
        "waited (rank·time/iter)",
        "share",
        "last in",
        text=3,
    )
    top = sorted(ranks, key=lambda rank: (-rank.blamed_s, rank.rank))[:_TOP]
    for rank in top:
        made.add_row(
            str(rank.rank),
            Text(rank.name),
            Text(rank.accelerator),
            units.time(rank.blamed_s),
            units.percent(rank.blamed_share),
            f"{rank.last_to_enter}x",
        )
    said = unequal_shares(ranks)
    return captioned(made, said) if said else made


def _prediction(summary: TrainingSummary) -> Table:
    found = summary.prediction
    made = table("What the model predicted", "alpha-beta", "predicted", "measured", "error")
    for name, predicted_s in (
        ("collective, pipelined (p50)", found.collective_s),
        ("collective, textbook (p50)", found.textbook_s),
    ):
        if predicted_s:
            error = found.measured_s / predicted_s - 1
            made.add_row(
                name,
                units.time(predicted_s, 4),
                units.time(found.measured_s, 4),
                units.error(error),
            )
    check = summary.cost_model.check
    if check:
        made.add_row(
            "collective, fitted to this run (p50)",
            units.time(check.predicted_s, 4),
            units.time(check.measured_s, 4),
            units.error(check.error),
        )
    if found.iteration_s:
        made.add_row(
            "iteration (mean)",
            units.time(found.iteration_s, 4),
            units.time(summary.iterations.mean_s, 4),
            units.error(found.iteration_error),
        )
    return made


def _print_whereabouts(run_dir: Path, summary: Summary, out: Console) -> None:
    out.print(f"digest {summary.digest[:16]}…  seed {summary.seed}  time {summary.time}")
    report = run_dir / "report.html"
    if report.exists():
        out.print("report", Text(str(report), "bold underline"), soft_wrap=True)
