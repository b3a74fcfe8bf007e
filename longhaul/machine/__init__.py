"""Where a fabric runs: a User-Mode Linux guest, or this machine's own kernel."""
