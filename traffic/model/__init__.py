"""What the α–β model expects of a collective on a plan."""
