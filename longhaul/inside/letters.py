"""The files in which a live fabric is asked and answers: what the guest and its caller agree on."""

ASKED, ANSWER, SAID = "asked-{}.json", "answer-{}.json", "said-{}.txt"
INTERRUPT = "interrupt"
HOST = "host"
"""The key of an argument that is a host, by its name."""
