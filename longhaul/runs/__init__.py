"""The life of a run: read, plan, carry out, collect, analyse."""
