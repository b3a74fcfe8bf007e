"""The report in a browser, with a mouse: what is pointed at is told, what is clicked is marked everywhere."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from analysis.findings.summary import write_summary
from analysis.report.page import write_report

from .browser import CHROMIUM, Browser
from .make_run import Scenario, make_run

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed")
STAGE = "[data-timeline='ranks'] .stage"
ACROSS, DOWN = 0.5, 0.35


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = make_run(tmp_path_factory.mktemp("mouse") / "run", Scenario(iterations=4))
    write_summary(folder)
    return write_report(folder)


@pytest.fixture
def browser(page: Path, tmp_path: Path) -> Iterator[Browser]:
    with Browser(tmp_path / "browser", page, 1280, 900) as found:
        yield found


def test_what_the_mouse_is_over_is_told_and_gone_when_it_leaves(browser: Browser) -> None:
    tip = f"document.querySelector({STAGE!r} + ' .tip')"
    browser.hover(*browser.place(STAGE, (ACROSS, DOWN)))
    told = browser.until(f"!{tip}.hidden && {tip}.textContent")
    assert told.startswith("rank ")
    assert "from " in told
    browser.hover(5, 5)
    assert browser.until(f"{tip}.hidden")


def test_a_rank_that_is_clicked_is_marked_in_every_picture_and_table(browser: Browser) -> None:
    marked = "[...document.querySelectorAll('.chosen')].map((one) => one.dataset.rank)"
    assert browser.run(marked) == []
    browser.click(*browser.place(STAGE, (0.02, DOWN)))
    found = browser.until(f"({marked}).length && {marked}")
    assert len(found) > 1
    assert len(set(found)) == 1
    assert browser.run("document.querySelectorAll('svg.map .chosen').length") == 1
    browser.click(*browser.place(STAGE, (0.02, DOWN)))
    assert browser.until(f"({marked}).length === 0")


def test_a_link_that_is_clicked_on_is_marked_on_the_map(browser: Browser) -> None:
    browser.click(*browser.place("tr[data-link]"))
    chosen = browser.until("document.querySelector('tr[data-link].chosen')?.dataset.link")
    assert browser.run("document.querySelector('path.arc.chosen').dataset.link") == chosen


def test_words_in_the_filter_leave_the_ranks_that_match(browser: Browser) -> None:
    browser.click(*browser.place(".filter input"))
    browser.type("southaven")
    said = browser.until("document.querySelector('.filter output').textContent")
    shown, of, total, _ = said.split()
    assert of == "of"
    assert 0 < int(shown) < int(total)
    dimmed = browser.run(
        "new Set([...document.querySelectorAll('.filtered')].map((one) => one.dataset.rank)).size"
    )
    assert dimmed == int(total) - int(shown)


def test_a_phone_scrolls_neither_the_page_nor_the_map_sideways(page: Path, tmp_path: Path) -> None:
    with Browser(tmp_path / "browser", page, 390, 844) as browser:
        wide = "(one) => one.scrollWidth - one.clientWidth"
        assert browser.run(f"({wide})(document.documentElement)") == 0
        assert browser.run(f"({wide})(document.querySelector('svg.map').parentElement)") == 0
        assert browser.run("document.querySelector('svg.map').getBoundingClientRect().width") > 200
