"""Where everything is printed. Of the analysis this needs nothing: a verb that prints a plan loads no tables."""

from __future__ import annotations

from collections.abc import Iterator

from rich.console import Console, ConsoleOptions, RenderableType
from rich.segment import Segment

from analysis.legible import legible


class Terminal(Console):
    """Rich's, but that texts command nothing, and that a reader who goes away is an error like any other, and for our
    caller."""

    def render(
        self, renderable: RenderableType, options: ConsoleOptions | None = None
    ) -> Iterator[Segment]:
        """What is shown, with every text legible."""
        for text, style, control in super().render(renderable, options):
            yield Segment(text if control else legible(text), style, control)

    def on_broken_pipe(self) -> None:
        """The reader has gone away."""
        raise  # noqa: PLE0704 - the BrokenPipeError that rich is about


def console() -> Console:
    """A console: in colours where there is a terminal, 80 columns wide where there is none."""
    found = Terminal(highlight=False, markup=False)
    return found if found.is_terminal else Terminal(highlight=False, width=80, markup=False)
