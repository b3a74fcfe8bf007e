"""Debian's kernel source package, fetched as an ordinary user, its signature checked by apt.

apt gets a private folder for its sources, lists and downloads: the machine's own packages and mirrors
are not touched, and no root is needed. Standard library only.
"""

from __future__ import annotations

import hashlib
import os
import platform
import re
import subprocess
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from longhaul.machine.child import child
from scenario.errors import LonghaulError

PUBLIC_MIRROR = "http://deb.debian.org/debian"
SUITES = ("trixie-backports", "sid")
OWN_SUITES = {"stable", "oldstable", "testing", "unstable", "sid"}
KEYRINGS = (
    Path("/usr/share/keyrings/debian-archive-keyring.gpg"),
    Path("/usr/share/keyrings/debian-archive-keyring.pgp"),
)

# `#clear` takes off what other packages hook onto `apt-get update`: those look after the machine's own lists.
APT_CONF = """\
Dir::Etc::SourceList "{folder}/none.list";
Dir::Etc::SourceParts "{folder}/sources";
Dir::Etc::Preferences "/dev/null";
Dir::Etc::PreferencesParts "/dev/null";
Dir::State "{folder}";
Dir::State::Lists "{folder}/lists";
Dir::State::Status "{folder}/status";
Dir::Cache "{folder}/cache";
Dir::Log "{folder}";
APT::Architecture "amd64";
APT::Architectures {{ "amd64"; }};
APT::Default-Release "";
APT::Sandbox::User "";
Acquire::Languages "none";
Acquire::Retries "3";
#clear APT::Update::Pre-Invoke;
#clear APT::Update::Post-Invoke;
#clear APT::Update::Post-Invoke-Success;
"""

APT_SOURCE = """\
Types: deb
URIs: {mirror}
Suites: {suite}
Components: main
Targets: Packages
Signed-By: {keyring}
"""

Report = Callable[[float], None]
Merit = tuple[list[bool], list[bool], list[int]]  # more is better
Entry = dict[str, str]  # one package source, as deb822 fields


class SourceUnavailable(LonghaulError):
    """There is no kernel source to be had; the message says what was tried."""


@dataclass(frozen=True)
class Origin:
    """One suite of one mirror."""

    mirror: str
    suite: str


@dataclass(frozen=True)
class KernelSource:
    """A `linux-source-*` package that an origin offers. `version` is Debian's."""

    package: str
    version: str
    origin: Origin

    @property
    def release(self) -> str:
        """The kernel's own version: `7.3.4` of `7.3.4-1~bpo13+1`."""
        return self.version.rpartition("-")[0] or self.version


# --- which source, from where --------------------------------------------------------------------


def find_source(folder: Path, tested: Sequence[str], oldest: str) -> KernelSource:
    """The first tested release from the first origin that has it; where none does, the best of all.

    apt's folder is left pointing at its origin. Raises SourceUnavailable.
    """
    origins = [Origin(mirror, suite) for mirror in mirrors_here() for suite in SUITES]
    found: list[KernelSource] = []
    for origin in origins:
        found += offered(folder, origin)
        best = choose(found, tested, oldest)
        if best and best.release == tested[0]:
            return best
    if best is None:
        tried = " or ".join(dict.fromkeys(origin.mirror for origin in origins))
        wanting = f"Linux {oldest} or newer is not in {' or '.join(SUITES)} of {tried}"
        raise SourceUnavailable(wanting)
    if best.origin != origins[-1]:
        offered(folder, best.origin)
    return best


def choose(
    sources: Iterable[KernelSource], tested: Sequence[str], oldest: str
) -> KernelSource | None:
    """The one of most merit, of the newest packaging; None if all are older than `oldest`."""
    recent = [source for source in sources if numbers(source.release) >= numbers(oldest)]
    return max(
        recent,
        key=lambda source: (merit(source.release, tested), numbers(source.version)),
        default=None,
    )


def merit(release: str, tested: Sequence[str]) -> Merit:
    """More for a release that is to be taken rather: a tested one, in the order of these; else one of a tested series;
    else a newer one."""
    same_series = [numbers(release)[:2] == numbers(one)[:2] for one in tested]
    return [release == one for one in tested], same_series, numbers(release)


def numbers(version: str) -> list[int]:
    """The numbers of a version, in order; enough to tell the newer of two kernels."""
    return [int(digits) for digits in re.findall(r"\d+", version)]


def offered(folder: Path, origin: Origin) -> list[KernelSource]:
    """The kernel sources of an origin; none if it cannot be reached or is not signed by Debian."""
    prepare(folder, origin)
    apt_get(folder, ["update"], lambda _: None)
    names = apt_cache(folder, "pkgnames", "linux-source-").split()
    names = [name for name in names if re.fullmatch(r"linux-source-\d+\.\d+", name)]
    rows = apt_cache(folder, "madison", *names).splitlines() if names else []
    cells = [[cell.strip() for cell in row.split("|")] for row in rows]
    return [KernelSource(package, version, origin) for package, version, _ in cells]


def download(folder: Path, source: KernelSource, report: Report) -> Path:
    """The package as a file whose digest is the one in the signed list. Raises SourceUnavailable.

    What an interrupted download left in the folder is built upon.
    """
    wanted = f"{source.package}={source.version}"
    apt_get(folder, ["download", wanted], report)
    files = sorted(folder.glob(f"{source.package}_*.deb"), key=lambda file: file.stat().st_mtime)
    if not files:
        raise SourceUnavailable(f"{source.origin.mirror} did not deliver {wanted}")
    if f"SHA256: {sha256_of(files[-1])}" not in apt_cache(folder, "show", wanted).splitlines():
        files[-1].unlink()
        raise SourceUnavailable(f"{files[-1].name} arrived damaged (deleted): run this again")
    return files[-1]


def sha256_of(file: Path) -> str:
    """The SHA-256 of a file, in hexadecimal."""
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


# --- apt, confined to a folder -------------------------------------------------------------------


def prepare(folder: Path, origin: Origin) -> None:
    """Point apt's private folder at one origin, and forget the lists of the one before."""
    for part in ("sources", "lists/partial", "cache/archives/partial"):
        (folder / part).mkdir(parents=True, exist_ok=True)
    for stale in (folder / "lists").glob("*_*"):
        stale.unlink()
    (folder / "status").touch()
    (folder / "apt.conf").write_text(APT_CONF.format(folder=folder))
    stanza = APT_SOURCE.format(mirror=origin.mirror, suite=origin.suite, keyring=keyring())
    (folder / "sources" / "longhaul.sources").write_text(stanza)


def keyring() -> Path:
    """Debian's public keys on this machine. Raises SourceUnavailable."""
    for file in KEYRINGS:
        if file.exists():
            return file
    raise SourceUnavailable(
        "Debian's keys are missing: sudo apt-get install debian-archive-keyring"
    )


def apt_cache(folder: Path, *arguments: str) -> str:
    """What `apt-cache` prints; nothing if it fails."""
    command = ["apt-cache", "--config-file", str(folder / "apt.conf"), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout


def apt_get(folder: Path, arguments: Sequence[str], report: Report) -> None:
    """Run `apt-get` in the folder and report its share done; its words go to apt.log there."""
    status, apts_end = os.pipe()
    command = ["apt-get", "--config-file", str(folder / "apt.conf"), "--quiet"]
    command += ["--option", f"APT::Status-Fd={apts_end}", *arguments]
    with (
        (folder / "apt.log").open("a") as log,
        os.fdopen(status) as lines,
        child(command, stdout=log, cwd=folder, pass_fds=[apts_end]),
    ):
        os.close(apts_end)
        for line in lines:
            report(share_done(line))


def share_done(line: str) -> float:
    """The share (0 to 1) in a line of apt's status, as `dlstatus:1:17.5939:Retrieving file 1 of 1`."""
    fields = line.split(":")
    return float(fields[2]) / 100 if fields[0] == "dlstatus" else 0.0


# --- the mirror that this machine uses -----------------------------------------------------------


def mirrors_here() -> list[str]:
    """Where to ask, in order: the Debian mirrors that this machine uses, then Debian's own."""
    release = platform.freedesktop_os_release()
    own = own_mirrors(read_sources(), release.get("VERSION_CODENAME", ""))
    return list(dict.fromkeys([*(own if release["ID"] == "debian" else []), PUBLIC_MIRROR]))


def own_mirrors(entries: Iterable[Entry], codename: str) -> list[str]:
    """The mirrors among package sources that carry Debian itself, as far as names can tell."""
    return [
        uri.rstrip("/")
        for entry in entries
        for uri in entry.get("uris", "").split()
        if OWN_SUITES & set(entry.get("suites", "").split())
        or codename in entry.get("suites", "").split()
        if "main" in entry.get("components", "").split() and not uri.startswith("cdrom:")
        if "/" not in entry.get("signed-by", "") or "debian-archive" in entry["signed-by"]
    ]


def read_sources(apt: Path = Path("/etc/apt")) -> list[Entry]:
    """All binary package sources of this machine, from both of apt's formats."""
    parts = sorted((apt / "sources.list.d").glob("*"))
    entries: list[Entry] = []
    for file in [apt / "sources.list", *parts]:
        parse = {".list": one_line_entries, ".sources": deb822_entries}.get(file.suffix)
        if parse and os.access(file, os.R_OK):
            entries += parse(file.read_text(errors="replace"))
    return [entry for entry in entries if "deb" in entry.get("types", "").split()]


def one_line_entries(text: str) -> list[Entry]:
    """`deb [signed-by=KEY] URI SUITE COMPONENT…` lines as deb822 fields."""
    line = re.compile(r"^\s*(deb|deb-src)\s+(?:\[([^]]*)\]\s+)?(\S+)\s+(\S+)\s*([^#\n]*)", re.M)
    return [
        {
            "types": kind,
            "uris": uri,
            "suites": suite,
            "components": components,
            "signed-by": " ".join(re.findall(r"signed-by=(\S+)", options)),
        }
        for kind, options, uri, suite, components in line.findall(text)
    ]


def deb822_entries(text: str) -> list[Entry]:
    """The stanzas of a `.sources` file that are switched on, with field names in lower case."""
    text = re.sub(r"^#.*\n", "", text, flags=re.M)
    field = re.compile(r"^([\w-]+):((?:.*)(?:\n[ \t].*)*)", re.M)
    stanzas = [
        {name.lower(): value.strip() for name, value in field.findall(stanza)}
        for stanza in re.split(r"\n\s*\n", text)
    ]
    return [stanza for stanza in stanzas if stanza.get("enabled", "yes").lower() != "no"]
