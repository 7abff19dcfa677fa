# SPDX-License-Identifier: Apache-2.0
"""Packages of Debian's archive for ppc64el, through apt with lists and configuration of its own.

apt verifies the Release file against Debian's archive keyring, the Packages file against Release and each package against
Packages. Nothing of the host's own apt changes; its proxies are used.
"""

import hashlib
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
from typing import NamedTuple

from guest_image.files import locked, sha256_of
from guest_image.progress import failure, say

ARCHITECTURE = "ppc64el"
KEYRING = pathlib.Path("/usr/share/keyrings/debian-archive-keyring.gpg")
MIRROR = "http://deb.debian.org/debian"
SECURITY_MIRROR = "http://deb.debian.org/debian-security"
# Releases that left the mirrors.
OLD_MIRROR = "http://archive.debian.org/debian"

# Suite -> its sources, as (mirror, suite); the first one is what is asked for. Backports are no release of their own.
SUITES = {
    "bookworm": [(MIRROR, "bookworm"), (SECURITY_MIRROR, "bookworm-security")],
    "bookworm-backports": [(MIRROR, "bookworm-backports"), (MIRROR, "bookworm")],
    "trixie": [(MIRROR, "trixie"), (SECURITY_MIRROR, "trixie-security")],
    "sid": [(MIRROR, "sid")],
    "bullseye": [(OLD_MIRROR, "bullseye")],
}
# The same for packages that are for every architecture, such as a kernel's source. The mirrors keep an old release as long
# as some architecture of it is supported, and have the lists of these only.
SUITES_FOR_ALL = {
    **SUITES,
    "bullseye": [(MIRROR, "bullseye"), (SECURITY_MIRROR, "bullseye-security"), (OLD_MIRROR, "bullseye")],
}
ARCHITECTURE_FOR_ALL = {"bullseye": "amd64"}


class package(NamedTuple):
    name: str
    version: str
    sha256: str
    depends: str

    def identity(self):
        return {"name": self.name, "version": self.version, "sha256": self.sha256}


class not_there(failure):
    """The archive lists a package, and does not have it."""


class archive:
    """One suite of the archive. Lists and packages stay in the folder.

    A mirror replaces that of the suite's first source, and is then the only one. With for_all it is asked for packages of
    every architecture.
    """

    def __init__(self, folder, suite, mirror=None, for_all=False):
        self.suite = suite
        self._architecture = ARCHITECTURE_FOR_ALL.get(suite, ARCHITECTURE) if for_all else ARCHITECTURE
        self._sources = [(mirror, suite)] if mirror else (SUITES_FOR_ALL if for_all else SUITES)[suite]
        self._folder = folder
        lists = repr((self._architecture, self._sources))
        self._apt = folder / "apt" / hashlib.sha256(lists.encode()).hexdigest()[:16]

    def update(self):
        """Raises failure when the archive cannot be read, or is not signed by Debian"""
        self._need_apt()
        names = ", ".join(f"{mirror} {suite}" for mirror, suite in self._sources)
        with locked(self._folder, f"apt-{self._apt.name}"):
            self._write_configuration()
            say(f"reading the package lists of {names}")
            done = subprocess.run(self._command("apt-get", "update"), capture_output=True, text=True, check=False)
        errors = [line for line in (done.stdout + done.stderr).splitlines() if line.startswith(("E:", "Err:"))]
        for line in errors:
            say(line)
        listed = {path.name for path in (self._apt / "lists").glob("*_Packages*")}
        mirror, suite = self._sources[0]
        if not any(f"_dists_{suite}_" in name for name in listed):
            raise failure(f"{suite} for {self._architecture} cannot be had from {mirror} (--mirror names another)")
        if done.returncode != 0:
            say("some lists could not be read: going on with the others")

    def candidate(self, name):
        """The version of a package that apt would install.

        Raises failure when there is none
        """
        return self.candidates([name])[0]

    def candidates(self, names):
        """The same for each of the names."""
        found = {}
        for shown in self._ask("show", "--no-all-versions", *names).split("\n\n"):
            fields = dict(re.findall(r"^([\w-]+): (.*)$", shown, re.M))
            if "SHA256" in fields:
                found[fields["Package"]] = package(
                    fields["Package"], fields["Version"], fields["SHA256"], fields.get("Depends", "")
                )
        missing = [name for name in names if name not in found]
        if missing:
            raise failure(f"{self.suite} has no package {' '.join(missing)} for {self._architecture}")
        return [found[name] for name in names]

    def with_all_needed(self, names):
        """The packages and all that they need, as apt chooses them for an empty machine."""
        options = ["install", "--simulate", "--no-install-recommends"]
        done = subprocess.run(self._command("apt-get", *options, *names), capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise failure(f"{self.suite}: {_first_error(done)}")
        return self.candidates(sorted(set(re.findall(r"^Inst (\S+)", done.stdout, re.M))))

    def names(self, beginning):
        """The packages whose names begin so, in the order of their versions."""
        shown = self._ask("pkgnames", beginning)
        return sorted(shown.split(), key=lambda name: [int(part) for part in re.findall(r"\d+", name)])

    def fetch(self, wanted):
        """The .deb of a package, downloaded unless it is there. The name is its sha256, so what has it is whole.

        Raises not_there, failure when it cannot be downloaded
        """
        path = self._folder / "packages" / f"{wanted.sha256}.deb"
        with locked(self._folder, path.name):
            if not path.exists() or sha256_of(path) != wanted.sha256:
                self._download(wanted, path)
        return path

    def _download(self, wanted, path):
        if not (self._apt / "apt.conf").exists():
            self.update()
        path.parent.mkdir(parents=True, exist_ok=True)
        for left_over in path.parent.glob(f".{path.name}.*"):
            shutil.rmtree(left_over)
        say(f"downloading {wanted.name} {wanted.version}")
        with tempfile.TemporaryDirectory(dir=path.parent, prefix=f".{path.name}.") as folder:
            command = self._command("apt-get", "download", f"{wanted.name}={wanted.version}")
            done = subprocess.run(command, cwd=folder, stdout=sys.stderr, stderr=subprocess.PIPE, text=True, check=False)
            if done.returncode != 0:
                error = _first_error(done)
                raise (not_there if "  404 " in error else failure)(f"{wanted.name} {wanted.version}: {error}")
            (got,) = pathlib.Path(folder).glob("*.deb")
            if sha256_of(got) != wanted.sha256:
                raise failure(f"{wanted.name} {wanted.version} is not the package that was resolved: try --update")
            got.rename(path)

    def _ask(self, *question):
        """What apt-cache answers; nothing for a package that it does not know."""
        done = subprocess.run(self._command("apt-cache", *question), capture_output=True, text=True, check=False)
        if done.returncode != 0 and not _first_error(done).startswith("No packages found"):
            raise failure(f"apt-cache {question[0]}: {_first_error(done)}")
        return done.stdout

    def _need_apt(self):
        if not shutil.which("apt-get") or not shutil.which("dpkg-deb"):
            raise failure("needs apt-get and dpkg-deb: images are made on Debian")
        if not KEYRING.exists():
            raise failure(f"needs {KEYRING} (Debian: debian-archive-keyring)")

    def _write_configuration(self):
        for folder in ("lists/partial", "cache/archives/partial"):
            (self._apt / folder).mkdir(parents=True, exist_ok=True)
        (self._apt / "status").write_text("")
        (self._apt / "debian.sources").write_text(
            "\n".join(
                f"Types: deb\nURIs: {mirror}\nSuites: {suite}\nComponents: main\nSigned-By: {KEYRING}\n"
                for mirror, suite in self._sources
            )
        )
        # What the host does after an update is for its own lists. Languages and AppStream are not needed here.
        lines = [
            "#clear APT::Update::Pre-Invoke;",
            "#clear APT::Update::Post-Invoke;",
            "#clear APT::Update::Post-Invoke-Success;",
            "#clear Acquire::IndexTargets;",
            'Acquire::IndexTargets::deb::Packages { MetaKey "$(COMPONENT)/binary-$(ARCHITECTURE)/Packages";'
            ' ShortDescription "Packages"; Description "$(RELEASE)/$(COMPONENT) $(ARCHITECTURE) Packages"; };',
            "#clear APT::Architectures;",
            f'APT::Architecture "{self._architecture}";',
            f'APT::Architectures {{ "{self._architecture}"; }};',
            'APT::Sandbox::User "root";',
            'Acquire::Languages "none";',
            f'Dir::State::lists "{self._apt}/lists";',
            f'Dir::State::status "{self._apt}/status";',
            f'Dir::Cache "{self._apt}/cache";',
            'Dir::Cache::pkgcache "pkgcache.bin";',
            'Dir::Cache::srcpkgcache "srcpkgcache.bin";',
            f'Dir::Etc::sourcelist "{self._apt}/debian.sources";',
            'Dir::Etc::sourceparts "/dev/null";',
            'Dir::Etc::preferences "/dev/null";',
            'Dir::Etc::preferencesparts "/dev/null";',
        ]
        if self.suite.endswith("-backports"):
            lines.append(f'APT::Default-Release "{self.suite}";')
        (self._apt / "apt.conf").write_text("\n".join(lines) + "\n")

    def _command(self, tool, *arguments):
        return [tool, "-q", "-c", str(self._apt / "apt.conf"), *arguments]


def _first_error(done):
    """What apt says first of why it failed."""
    return next((line[3:] for line in done.stderr.splitlines() if line.startswith("E: ")), "apt failed")
