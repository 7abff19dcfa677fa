# SPDX-License-Identifier: Apache-2.0
"""Packages of the npm registry for tests: independent readers of what pefsim writes. Kept in the cache, always the same."""

import base64
import hashlib
import io
import os
import pathlib
import tarfile
import tempfile
import urllib.error
import urllib.request

CACHE = pathlib.Path(os.environ.get("PEFSIM_CACHE") or pathlib.Path.home() / ".cache/pefsim") / "npm"


def package(name, version, sha512):
    """The folder of the package's files; None where it cannot be had: no network. A name may have a scope, "@of/name".

    :raises RuntimeError: the registry gives other bytes than these
    """
    kept = CACHE / f"{name.replace('/', '+')}-{version}"
    if kept.is_dir():
        return kept
    try:
        address = f"https://registry.npmjs.org/{name}/-/{name.rpartition('/')[2]}-{version}.tgz"
        with urllib.request.urlopen(address, timeout=60) as answer:
            data = answer.read()
    except (urllib.error.URLError, OSError):
        return None
    found = base64.b64encode(hashlib.sha512(data).digest()).decode()
    if found != sha512:
        raise RuntimeError(f"{address}: sha512-{found} is not sha512-{sha512}")
    CACHE.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=CACHE) as work:
        with tarfile.open(fileobj=io.BytesIO(data)) as archive:
            archive.extractall(work)
        try:
            (pathlib.Path(work) / "package").rename(kept)
        except OSError:  # somebody else was first
            pass
    return kept
