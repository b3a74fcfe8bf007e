"""The docs site: of the same files as are read in the repository; every link leads somewhere, nothing is fetched."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
_ELSEWHERE = r"[\"']?(?:https?:)?//"
FETCHED = re.compile(
    rf"<(?:script|img|iframe|source)[^>]*\ssrc={_ELSEWHERE}"
    rf"|<link[^>]*rel=[\"']?(?:stylesheet|preconnect)[^>]*href={_ELSEWHERE}"
)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(folder)]
    done = subprocess.run(
        command,
        cwd=ROOT,
        env=os.environ | {"NO_MKDOCS_2_WARNING": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return folder


def test_every_book_is_a_page(site: Path) -> None:
    books = {path.relative_to(DOCS).with_suffix(".html") for path in DOCS.rglob("*.md")}
    assert books
    assert {book for book in books if not (site / book).exists()} == set()


def test_every_page_is_in_the_table_of_contents() -> None:
    nav = yaml.safe_load((ROOT / "mkdocs.yml").read_text())["nav"]
    listed = re.findall(r"[\w/-]+\.md", yaml.safe_dump(nav))
    books = {str(path.relative_to(DOCS)) for path in DOCS.rglob("*.md")}
    assert set(listed) == books
    assert len(listed) == len(set(listed))


def test_a_page_fetches_nothing(site: Path) -> None:
    pages = list(site.rglob("*.html"))
    assert len(pages) > 20
    assert [page.name for page in pages if FETCHED.search(page.read_text("utf-8"))] == []
    assert "fonts.googleapis" not in (site / "index.html").read_text("utf-8")
