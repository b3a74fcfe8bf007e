"""Studies carried out: points by the model or in the fabric, here or on other machines, each once, kept and shared."""
