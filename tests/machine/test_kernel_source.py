"""Which kernel source is taken, from which mirror. Pure: no network, no apt."""

from dataclasses import replace
from pathlib import Path

import pytest

from longhaul.machine import debian
from longhaul.machine.debian import (
    KernelSource,
    Origin,
    choose,
    deb822_entries,
    one_line_entries,
    own_mirrors,
    read_sources,
    share_done,
)

TESTED = ("7.3.4", "7.2.13")
BACKPORTS = Origin("http://deb.debian.org/debian", "trixie-backports")


def source(version: str) -> KernelSource:
    series = ".".join(version.split(".")[:2])
    return KernelSource(f"linux-source-{series}", version, BACKPORTS)


def chosen(*versions: str) -> str | None:
    best = choose(map(source, versions), TESTED, oldest="6.13")
    return best.version if best else None


def test_the_tested_release_is_preferred_to_newer_ones() -> None:
    assert chosen("7.5.1-1", "7.3.4-1~bpo13+1", "7.3.9-1") == "7.3.4-1~bpo13+1"


def test_another_tested_release_is_preferred_to_newer_ones_of_any_series() -> None:
    assert chosen("7.5.1-1", "7.2.14-1", "7.2.13-1", "7.3.5-1") == "7.2.13-1"


def test_of_two_packagings_of_the_tested_release_the_later_is_taken() -> None:
    assert chosen("7.3.4-1~bpo13+1", "7.3.4-2~bpo13+1") == "7.3.4-2~bpo13+1"


def test_without_a_tested_release_the_newest_of_the_first_ones_series_is_taken() -> None:
    assert chosen("7.4.2-1", "7.3.9-1", "7.3.10-1", "7.2.12-1") == "7.3.10-1"


def test_without_a_tested_series_the_newest_of_all_is_taken_by_number_not_by_spelling() -> None:
    assert chosen("7.9.1-1", "7.10.2-1", "6.16.3-1") == "7.10.2-1"


def test_a_kernel_too_old_for_processors_with_amx_is_never_taken() -> None:
    assert chosen("6.12.48-1", "6.1.90-1") is None


def test_a_packages_version_tells_the_kernels_release() -> None:
    assert source("7.3.4-1~bpo13+1").release == "7.3.4"


@pytest.mark.parametrize(
    ("line", "share"),
    [
        ("dlstatus:1:17.5939:Retrieving file 1 of 1\n", 0.175939),
        ("dlstatus:3:100.0000:Retrieving file 3 of 3\n", 1.0),
        ("pmstatus:whatever:5:x\n", 0.0),
    ],
)
def test_apts_status_lines_tell_the_share_that_is_done(line: str, share: float) -> None:
    assert share_done(line) == pytest.approx(share)


def mirrors(entries: list[dict[str, str]]) -> list[str]:
    return own_mirrors(entries, "bookworm")


def test_the_machines_mirror_is_found_in_a_one_line_list() -> None:
    text = """\
# deb http://commented.example/debian bookworm main
deb [arch=amd64 signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] http://ftp.example/debian/ bookworm main
deb http://security.debian.org/debian-security bookworm-security main
"""
    assert mirrors(one_line_entries(text)) == ["http://ftp.example/debian"]


def test_the_machines_mirror_is_found_in_a_deb822_file() -> None:
    text = """\
# a comment
Types: deb deb-src
URIs: http://mirror.example/debian
 http://second.example/debian
# another, in the middle of a stanza
Suites: bookworm bookworm-updates
Components: main contrib
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg

Types: deb
URIs: http://off.example/debian
Suites: bookworm
Components: main
Enabled: no
"""
    assert mirrors(deb822_entries(text)) == [
        "http://mirror.example/debian",
        "http://second.example/debian",
    ]


def test_third_parties_packages_are_not_taken_for_a_mirror_of_debian() -> None:
    text = """\
deb [signed-by=/usr/share/keyrings/vendor.gpg] https://vendor.example/debian bookworm main
deb https://download.example/linux/debian bookworm stable
deb cdrom:[Debian GNU/Linux 12]/ bookworm main
"""
    assert mirrors(one_line_entries(text)) == []


def test_sources_for_source_packages_alone_are_left_out(tmp_path: Path) -> None:
    (tmp_path / "sources.list.d").mkdir()
    (tmp_path / "sources.list").write_text("deb-src http://src.example/debian bookworm main\n")
    (tmp_path / "sources.list.d/a.list").write_text("deb http://a.example/debian stable main\n")
    (tmp_path / "sources.list.d/b.sources").write_text(
        "Types: deb\nURIs: http://b.example/debian\nSuites: sid\nComponents: main\n"
    )
    (tmp_path / "sources.list.d/c.save").write_text("deb http://c.example/debian stable main\n")
    assert mirrors(read_sources(tmp_path)) == ["http://a.example/debian", "http://b.example/debian"]


def found(monkeypatch: pytest.MonkeyPatch, by_suite: dict[str, list[str]]) -> tuple[str, list[str]]:
    """The version that is taken where suites offer these, and the suites in the order of asking."""
    asked: list[str] = []

    def offer(_: Path, origin: Origin) -> list[KernelSource]:
        asked.append(origin.suite)
        return [replace(source(one), origin=origin) for one in by_suite.get(origin.suite, [])]

    monkeypatch.setattr(debian, "offered", offer)
    monkeypatch.setattr(debian, "mirrors_here", lambda: ["http://a.example/debian"])
    return debian.find_source(Path("/nowhere"), TESTED, "6.13").version, asked


def test_the_tested_release_is_looked_for_in_every_suite(monkeypatch: pytest.MonkeyPatch) -> None:
    offered = {"trixie-backports": ["7.2.12-1~bpo13+1"], "sid": ["7.3.4-1"]}
    assert found(monkeypatch, offered) == ("7.3.4-1", ["trixie-backports", "sid"])


def test_where_no_suite_has_it_the_best_of_all_is_taken_from_its_own(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    offered = {"trixie-backports": ["7.3.2-1~bpo13+1"], "sid": ["7.2.12-1"]}
    version, asked = found(monkeypatch, offered)
    assert version == "7.3.2-1~bpo13+1"
    assert asked[-1] == "trixie-backports", "apt's lists are those of the suite that it comes from"
