"""From a policy and a wiring to the rules of every switch: pure, planned on the host, used again inside."""
