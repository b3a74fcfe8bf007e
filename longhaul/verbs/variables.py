"""Options from the environment: `LONGHAUL_SEED=7` is as if `--seed 7` stood right after the verb.

So what the command line says goes before what a variable says, and that before the default; a run's manifest, whose
command can be repeated, holds what came from a variable too. Options that may be said several times, and those that
name a run or a file to write, have no variable.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Mapping, Sequence

PREFIX = "LONGHAUL_"
OWN = frozenset({"help", "out", "run", "reproduce", "junit", "plot", "on", "first-difference"})
"""Options of one command, not habits."""
YES, NO = ("1", "true", "yes"), ("", "0", "false", "no")


def from_variables(
    made: argparse.ArgumentParser, environment: Mapping[str, str]
) -> Iterator[tuple[str, str]]:
    """The words of each option that a variable gives, with the variable's name; a flag that is off gives none.
    Ends as argparse does where a flag's variable is neither yes nor no."""
    for action, option in options(made):
        name = variable(option)
        if name not in environment:
            continue
        value = environment[name]
        if action.nargs != 0:
            yield name, f"{option}={value}"
        elif value.lower() in YES:
            yield name, option
        elif value.lower() not in NO:
            made.error(
                f"{name}={value!r} is neither of {', '.join(YES)} nor of {', '.join(NO[1:])}"
            )


def options(made: argparse.ArgumentParser) -> Iterator[tuple[argparse.Action, str]]:
    """The options of a verb that have a variable: each with its first long spelling."""
    for action in made._actions:
        long = [option for option in action.option_strings if option.startswith("--")]
        once = isinstance(action, argparse._StoreAction | argparse._StoreTrueAction)
        if long and once and long[0].removeprefix("--") not in OWN:
            yield action, long[0]


def variable(option: str) -> str:
    """`--probe-interval` is `LONGHAUL_PROBE_INTERVAL`."""
    return PREFIX + option.removeprefix("--").replace("-", "_").upper()


def with_variables(
    top: argparse.ArgumentParser, words: Sequence[str], environment: Mapping[str, str]
) -> tuple[list[str], list[str]]:
    """The words of a command line with those of variables behind the verb, and the variables that were heard."""
    verbs = verbs_of(top)
    if not words or words[0] not in verbs:
        return list(words), []
    made, rest = verbs[words[0]], words[1:]
    inner, heard = with_variables(made, rest, environment)  # `study run` has options of its own
    given = {} if heard else dict(from_variables(made, environment))
    return [words[0], *given.values(), *inner], [*given, *heard]


def verbs_of(top: argparse.ArgumentParser) -> Mapping[str, argparse.ArgumentParser]:
    """The parser of each verb; none where there are no verbs."""
    for action in top._actions:
        if isinstance(action, argparse._SubParsersAction):
            found: Mapping[str, argparse.ArgumentParser] = action.choices
            return found
    return {}
