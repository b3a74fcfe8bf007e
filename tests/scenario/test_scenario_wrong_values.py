"""A value of each wrong type under each key of every language: what is said of it is in the language's words, once."""

import json
import re
from collections import Counter

import pytest
from pydantic import BaseModel

from longhaul.labs.catalogue import Sheet
from longhaul.labs.marking import Ownership
from scenario.study.language import StudyModel
from scenario.text.diagnostics import Diagnostic
from scenario.text.reading import read_text
from scenario.text.shape import examine
from scenario.text.strict import Strict
from scenario.topology.models import TopologyModel
from scenario.workload.kinds import KINDS
from scenario.workload.schedule import ScheduleModel
from tests.scenario.walking import document, spots

LANGUAGES: dict[str, type[BaseModel]] = {
    "topology": TopologyModel,
    **{name: model for name, (model, _) in KINDS.items()},
    "schedule": ScheduleModel,
    "study": StudyModel,
    "lab": Sheet,
    "lab's owner": Ownership,
}
WRONG: tuple[object, ...] = (
    None,
    True,
    -1,
    1.5,
    "text",
    [],
    ["x"],
    [{"x": 1}],
    {},
    {"x": {"y": []}},
)
PYTHONS = re.compile(
    r"Input should|pydantic|list\[|dict\[|function-|\bNone|Error|should have|valid "
)


def classes(model: type[BaseModel]) -> set[str]:
    """Names of a model's class and those derived from it."""
    return {model.__name__}.union(*map(classes, model.__subclasses__()))


NAMES = sorted(name for name in classes(Strict) if re.search("[a-z][A-Z]", name))
MODELS = re.compile(rf"\b({'|'.join(map(re.escape, NAMES))})")


def complaints(model: type[BaseModel], written: object) -> list[Diagnostic]:
    return examine(read_text(json.dumps(written), "file.yaml"), model)[1]


@pytest.mark.slow
@pytest.mark.parametrize("language", LANGUAGES)
def test_no_message_speaks_of_python(language: str) -> None:
    model = LANGUAGES[language]
    for spot in spots(model):
        for wrong in WRONG:
            written = document(spot, wrong)
            for one in complaints(model, written):
                said = f"{one.message} {one.path} {one.expected} {one.hint}"
                assert not PYTHONS.search(said), (written, said)
                assert not MODELS.search(said), (written, said)


@pytest.mark.slow
@pytest.mark.parametrize("language", LANGUAGES)
def test_each_place_is_told_once(language: str) -> None:
    model = LANGUAGES[language]
    for spot in spots(model):
        for wrong in WRONG:
            written = document(spot, wrong)
            found = [x for x in complaints(model, written) if "is missing" not in x.message]
            places = Counter((one.line, one.col) for one in found)
            assert not [place for place, count in places.items() if count > 1], written


def test_a_name_of_python_would_be_seen() -> None:
    assert PYTHONS.search("Input should be a valid string")
    assert MODELS.search("not a list model.layers.list[LayerModel]")
    assert MODELS.search("an EvenArrivals")


@pytest.mark.parametrize(
    ("written", "told"),
    [
        ({"model": {"layers": "many"}}, ("model.layers", "not a whole number", "a whole number, or a list")),
        ({"model": {"layers": {}}}, ("model.layers", "not what belongs here", "a whole number, or a list")),
        ({"model": {"layers": ["x"]}}, ("model.layers[0]", "not a mapping", "a mapping")),
        ({"model": {"layers": [{"count": 0}]}}, ("model.layers[0].count", "a number out of bounds", "at least 1")),
        ({"include": "a.yaml"}, ("include", "files cannot be included here", "`include` at the top of a file")),
    ],
)  # fmt: skip
def test_what_may_be_of_two_kinds_is_told_of_as_what_it_looks_like(
    written: object, told: tuple[str, str, str]
) -> None:
    found = complaints(LANGUAGES["training"], written)
    assert told in [(one.path, one.message, one.expected) for one in found]
