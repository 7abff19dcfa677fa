# SPDX-License-Identifier: Apache-2.0
"""Packages of the npm registry for tests: independent readers of what pefsim writes. Kept in the cache of guest images."""

import base64
import hashlib
import os
import pathlib
import shutil
import subprocess
import tarfile
import tempfile

CACHE = pathlib.Path(os.environ.get("PEFSIM_CACHE") or pathlib.Path.home() / ".cache/pefsim") / "npm"


def package(name, version, sha512):
    """The folder of the package's files; None when it cannot be had: no npm, no network, or other bytes than these."""
    kept = CACHE / f"{name}-{version}"
    if kept.is_dir():
        return kept
    if not shutil.which("npm") or not shutil.which("node"):
        return None
    CACHE.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=CACHE) as work:
        work = pathlib.Path(work)
        done = subprocess.run(["npm", "pack", "--silent", f"{name}@{version}"], cwd=work, capture_output=True, timeout=300,
                              check=False)  # fmt: skip
        archives = list(work.glob("*.tgz"))
        if done.returncode != 0 or len(archives) != 1:
            return None
        if base64.b64encode(hashlib.sha512(archives[0].read_bytes()).digest()).decode() != sha512:
            return None
        with tarfile.open(archives[0]) as archive:
            archive.extractall(work / "unpacked")
        try:
            (work / "unpacked/package").rename(kept)
        except OSError:  # somebody else was first
            pass
    return kept if kept.is_dir() else None
