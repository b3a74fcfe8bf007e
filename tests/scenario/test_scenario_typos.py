"""Slips of the fingers, by rule, over all shipped files: each is refused where it is, with the word that was meant."""

from __future__ import annotations

import random
import re
import shutil
import string
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args, get_origin

import pytest
import yaml
from pydantic import BaseModel

from analysis.studies.measures import measurable
from scenario.loading import load_topology, load_workload
from scenario.study.loading import load_study
from scenario.text.diagnostics import InvalidInput
from scenario.text.strict import Strict

ROOT = Path(__file__).parents[2]
EACH = 100
SHORTEST = 5
"""Letters of a word: of `est` nobody knows whether it was `east` or `west`."""
NAMES = (
    "campuses",
    "links",
    "workloads",
    "templates",
    "factors",
    "accelerators",
    "switches",
    "optics",
)
"""Whose keys are names that a file gives."""
FREE = ("name", "description", "site", "source", "names", "label")
"""Whose values are anybody's words."""

Load = Callable[[Path], object]
LANGUAGES: dict[str, tuple[str, Load]] = {
    "topologies": ("topologies", load_topology),
    "workloads": ("traffic/workloads", load_workload),
    "studies": ("studies", lambda path: load_study(path, measurable)),
}


def models(model: type[BaseModel]) -> Iterator[type[BaseModel]]:
    yield model
    for derived in model.__subclasses__():
        yield from models(derived)


def words() -> set[str]:
    """Keys and choices of all languages."""
    fields = [pair for model in models(Strict) for pair in model.model_fields.items()]
    keys = {field.alias or name for name, field in fields}
    return keys | {one for _, field in fields for one in choices(field.annotation)}


def choices(annotation: object) -> Iterator[str]:
    if get_origin(annotation) is Literal:
        yield from (one for one in get_args(annotation) if isinstance(one, str))
    else:
        for inner in get_args(annotation):
            yield from choices(inner)


@dataclass(frozen=True)
class Word:
    """One word of a file: where its first letter is."""

    text: str
    start: int


def written(text: str) -> list[Word]:
    """Words of the language in a file, and the names that it refers to."""
    root = yaml.compose(text, Loader=yaml.SafeLoader)
    assert root
    named = {key.value for name in NAMES for key in _keys_under(root, name)}
    known = words() | named
    return [one for one in _words(root, "", "") if one.text in known]


def _keys_under(root: yaml.Node, name: str) -> Iterator[yaml.Node]:
    for key, value in root.value:
        if key.value == name and isinstance(value, yaml.MappingNode):
            yield from (inner for inner, _ in value.value)


def _words(node: yaml.Node, above: str, key: str) -> Iterator[Word]:
    if isinstance(node, yaml.MappingNode):
        for inner, value in node.value:
            if key not in NAMES or above:
                yield from _of_scalar(inner)
            yield from _words(value, key, inner.value)
    elif isinstance(node, yaml.SequenceNode):
        for value in node.value:
            yield from _words(value, above, key)
    elif isinstance(node, yaml.ScalarNode) and key not in FREE:
        yield from _of_scalar(node)


def _of_scalar(node: yaml.Node) -> Iterator[Word]:
    """The word that it is; of a path every word."""
    assert isinstance(node, yaml.ScalarNode)
    if node.style is None and re.fullmatch(r"[\w*.-]+", node.value):
        for found in re.finditer(r"[^.]+", node.value):
            if re.fullmatch(rf"[A-Za-z][A-Za-z_-]{{{SHORTEST - 1},}}", found[0]):
                yield Word(found[0], node.start_mark.index + found.start())


def swapped(word: str, at: int, _: random.Random) -> str:
    return word[:at] + word[at + 1] + word[at] + word[at + 2 :]


def left_out(word: str, at: int, _: random.Random) -> str:
    return word[:at] + word[at + 1 :]


def doubled(word: str, at: int, _: random.Random) -> str:
    return word[:at] + word[at] + word[at:]


def another(word: str, at: int, chance: random.Random) -> str:
    return word[:at] + chance.choice(string.ascii_lowercase) + word[at + 1 :]


def shouted(word: str, _: int, __: random.Random) -> str:
    return word.upper()


def joined_otherwise(word: str, _: int, __: random.Random) -> str:
    return word.replace("-", "_") if "-" in word else word.replace("_", "-")


RULES = (swapped, left_out, doubled, another, shouted, joined_otherwise)


def slips(language: str, count: int) -> Iterator[tuple[Path, Word, str]]:
    """So many: a file, a word of it, and what was typed."""
    chance = random.Random(language)
    files = sorted((ROOT / LANGUAGES[language][0]).glob("*.yaml"))
    known = words()
    while count:
        path = chance.choice(files)
        word = chance.choice(written(path.read_text()))
        typed = chance.choice(RULES)(word.text, chance.randrange(len(word.text) - 1), chance)
        if typed != word.text and typed not in known:
            count -= 1
            yield path, word, typed


@pytest.mark.parametrize("language", LANGUAGES)
def test_each_slip_is_told_where_it_is_with_the_word_that_was_meant(
    language: str, tmp_path: Path
) -> None:
    for folder, _ in LANGUAGES.values():
        shutil.copytree(ROOT / folder, tmp_path / folder)
    load = LANGUAGES[language][1]
    unhelpful = []
    for path, word, typed in slips(language, EACH):
        text = path.read_text()
        mistyped = tmp_path / path.relative_to(ROOT)
        mistyped.write_text(text[: word.start] + typed + text[word.start + len(word.text) :])
        try:
            load(mistyped)
            told = ["accepted"]
        except InvalidInput as error:
            line = text.count("\n", 0, word.start) + 1
            told = [f"{one.line}: {one.message}; {one.hint}" for one in error.diagnostics]
            helped = [
                one for one in error.diagnostics if one.line == line and word.text in one.hint
            ]
            told = [] if helped else told
        finally:
            mistyped.write_text(text)
        if told:
            unhelpful.append((path.name, word.text, typed, told[:3]))
    assert not unhelpful, "\n".join(map(str, unhelpful))
