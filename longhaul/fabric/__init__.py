"""A topology becomes a plan (pure data), and a plan becomes a running Mininet network."""
