# SPDX-License-Identifier: Apache-2.0
"""What was made once, by the hash of everything that decides its content.

    ${PEFSIM_CACHE:-${XDG_CACHE_HOME:-~/.cache}/pefsim}/
        images/HASH/     finished folders, each with a manifest.json
        kernels/HASH/    the same, of built kernels
        resolved/        which packages a suite's names stood for when the archive was last asked
        packages/ apt/   of archive.py
        locks/

A folder is written beside its place and renamed when it is whole; a manifest with size and sha256 of each file comes with it
and is checked at each use; none may be written to. Two runs that want the same wait for each other.
"""

import contextlib
import hashlib
import json
import os
import pathlib
import shutil
import tempfile

from guest_image.files import locked, sha256_of
from guest_image.progress import say

MANIFEST = "manifest.json"


def default_folder():
    caches = os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache"
    return pathlib.Path(os.environ.get("PEFSIM_CACHE") or pathlib.Path(caches) / "pefsim").absolute()


def key_of(identity):
    """The hash of what can be written as json."""
    return hashlib.sha256(json.dumps(identity, sort_keys=True).encode()).hexdigest()[:32]


def texts_of(folder):
    """Name -> sha256 of every file below a folder: the part of an identity that is this repository's."""
    files = (path for path in folder.rglob("*") if path.is_file() and "__pycache__" not in path.parts)
    return {path.relative_to(folder).as_posix(): sha256_of(path) for path in files}


def is_whole(place):
    """Whether the folder has all that its manifest names, byte for byte."""
    try:
        outputs = json.loads((place / MANIFEST).read_text())["outputs"]
        return all(
            (place / name).stat().st_size == row["size"] and sha256_of(place / name) == row["sha256"]
            for name, row in outputs.items()
        )
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return False


def known_of(place):
    """What its make() returned."""
    return json.loads((place / MANIFEST).read_text()).get("known", {})


def made(folder, kind, identity, make):
    """The folder of KIND with this identity; make(path) fills an empty one when there is none yet.

    What make() returns beside is kept in the manifest: what is only known when it is made.
    """
    place = folder / kind / key_of(identity)
    if is_whole(place):
        return place
    with locked(folder, f"{kind}-{place.name}"):
        if is_whole(place):
            return place
        if place.exists():
            say(f"{place} is damaged: making it again")
            shutil.rmtree(place)
        place.parent.mkdir(parents=True, exist_ok=True)
        for left_over in place.parent.glob(f".{place.name}.*"):
            shutil.rmtree(left_over)
        unfinished = pathlib.Path(tempfile.mkdtemp(dir=place.parent, prefix=f".{place.name}."))
        try:
            unfinished.chmod(0o755)
            known = make(unfinished)
            _write_manifest(unfinished, {**identity, "known": known} if known else identity)
            unfinished.rename(place)
        finally:
            shutil.rmtree(unfinished, ignore_errors=True)
    return place


def _write_manifest(folder, identity):
    outputs = {
        path.name: {"size": path.stat().st_size, "sha256": sha256_of(path)} for path in sorted(folder.iterdir())
    }
    text = json.dumps({**identity, "outputs": outputs}, indent=2, sort_keys=True)
    (folder / MANIFEST).write_text(text + "\n")
    for path in folder.iterdir():
        path.chmod(0o444)


def remembered(folder, name, resolve, update):
    """What resolve() answered when it was last asked; asked again when update is set. Its answer is written as json."""
    path = folder / "resolved" / f"{name}.json"
    if not update:
        with contextlib.suppress(OSError, ValueError):
            return json.loads(path.read_text())
    with locked(folder, f"resolved-{name}"):
        if not update:
            with contextlib.suppress(OSError, ValueError):
                return json.loads(path.read_text())
        answer = resolve()
        path.parent.mkdir(parents=True, exist_ok=True)
        beside = path.with_suffix(".part")
        beside.write_text(json.dumps(answer, indent=2) + "\n")
        beside.rename(path)
        return answer
