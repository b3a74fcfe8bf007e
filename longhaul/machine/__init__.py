"""Where a fabric runs: a User-Mode Linux guest, or this machine's own kernel."""

MACHINES = ("auto", "uml", "native")
TIMES = ("virtual", "real")
ROOTS = ("auto", "system", "own")
PATIENCE_S = 300.0
"""With a run from which nothing is heard, wall time."""
