"""What the verbs print before any run."""
