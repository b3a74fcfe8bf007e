"""YAML text and everything wrong with it: reading, units, merging, diagnostics with places."""
