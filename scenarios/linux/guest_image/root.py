# SPDX-License-Identifier: Apache-2.0
"""A disk with a root file system of Debian's packages: their files, without what their installation would run."""

import os
import pathlib
import shutil
import tempfile

from guest_image.files import sha256_of
from guest_image.progress import run, say

PROGRAMS = pathlib.Path(__file__).resolve().parent.parent / "root"
# What ../root/check runs, and what every machine has.
PACKAGES = (
    "base-files bash coreutils diffutils findutils gawk grep gzip iproute2 iputils-ping libc-bin mount openssl procps python3"
    " sed sqlite3 tar util-linux wget"
).split()
# A merged /usr, as Debian has had it since bookworm.
MERGED = ("bin", "lib", "lib64", "sbin")
# Texts that no program reads, half of the bytes.
LEFT_OUT = ("doc", "info", "locale", "man", "i18n/locales")
# What installing base-passwd would write.
USERS = {"passwd": "root:x:0:0:root:/root:/bin/bash\n", "group": "root:x:0:\n", "hosts": "127.0.0.1 localhost\n"}
LABEL = "pefsim-root"


def resolve(archive, more_packages):
    """The packages with all that they need; downloaded."""
    archive.update()
    packages = archive.with_all_needed([*PACKAGES, *more_packages])
    for package in packages:
        archive.fetch(package)
    return packages


def make(archive, packages, mebibytes, place, selftests=None):
    """Fills the folder: root.ext4. /pefsim has the programs of ../root and usr.sha256, the sums of every file in /usr.

    :param selftests: fills /pefsim/selftests.d
    """
    with tempfile.TemporaryDirectory(dir=place.parent, prefix=f"{place.name}.unpacked-") as folder:
        root = pathlib.Path(folder) / "root"
        for name in MERGED:
            (root / "usr" / name).mkdir(parents=True)
            (root / name).symlink_to(f"usr/{name}")
        say(f"unpacking {len(packages)} packages")
        unpack = 'dpkg-deb --fsys-tarfile "$1" | tar -x --keep-directory-symlink -C "$2"'
        for package in packages:
            command = ["bash", "-o", "pipefail", "-c", unpack, "-", str(archive.fetch(package)), str(root)]
            run(command, f"unpacking {package.name}")
        _finish(root)
        if selftests:
            (root / "pefsim/selftests.d").mkdir()
            selftests(root / "pefsim/selftests.d")
        say("writing the file system")
        disk = place / "root.ext4"
        with open(disk, "wb") as file:
            file.truncate(mebibytes << 20)
        # Not in every user's PATH.
        mke2fs = shutil.which("mke2fs", path=f"{os.environ['PATH']}:/usr/sbin:/sbin") or "mke2fs"
        run([mke2fs, "-q", "-t", "ext4", "-L", LABEL, "-E", "root_owner=0:0", "-d", str(root), str(disk)], "mke2fs")


def _finish(root):
    for name in LEFT_OUT:
        shutil.rmtree(root / "usr/share" / name, ignore_errors=True)
    for name in ("dev", "etc", "mnt", "proc", "root", "run", "sys", "tmp"):
        (root / name).mkdir(exist_ok=True)
    for name, text in USERS.items():
        (root / "etc" / name).write_text(text)
    _choose_alternatives(root)
    shutil.copytree(PROGRAMS, root / "pefsim")
    files = sorted(path for path in (root / "usr").rglob("*") if path.is_file() and not path.is_symlink())
    sums = "".join(f"{sha256_of(path)}  /{path.relative_to(root).as_posix()}\n" for path in files)
    (root / "pefsim/usr.sha256").write_text(sums)


def _choose_alternatives(root):
    """The names that installation would link."""
    for name, program in (("awk", "gawk"), ("which", "which.debianutils")):
        link = root / "usr/bin" / name
        if (root / "usr/bin" / program).exists() and not os.path.lexists(link):
            link.symlink_to(program)
