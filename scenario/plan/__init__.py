"""The plan of a fabric as pure data: names, addresses, shapes, rules, before anything runs."""
