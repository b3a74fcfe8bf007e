"""Where a fabric runs: a User-Mode Linux guest, or this machine's own kernel."""

MACHINES = ("auto", "uml", "native")
TIMES = ("virtual", "real")
ROOTS = ("auto", "system", "own")
