"""The verbs of the command line, a module each: `add` describes the words, a function carries them out.

To add one, write such a module and name it in `longhaul.cli`. What a verb needs beyond its words it imports when
it is carried out, so that `--help` is quick.
"""
