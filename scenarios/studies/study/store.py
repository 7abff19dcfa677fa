# SPDX-License-Identifier: Apache-2.0
"""The folder of results: what is finished, by key, whoever finished it and whatever stopped them.

    format          which layout this is
    log/*.jsonl     a line for each finished point; each process that runs points writes a file of its own
    claims          who runs which point now
    running/KEY/    where a point runs: its report appears there, whole or not at all
    programs/       the scenarios' binaries, as they were when their points ran
    plans/, slurm/  what engines keep

A file of the log has one writer, who appends each line by one write: two studies in one folder cannot mix theirs, on a
network file system neither, and what a full disk or a kill cut off is a last line that does not end, which nobody counts.
"""

import contextlib
import errno
import json
import os
import pathlib
import shutil
import socket
import time
import uuid

from study import claims
from study.complaints import mistake, trouble

FORMAT = "pefsim study, layout 1\n"
WHOLE_SECONDS = 5.0  # how long a line may be in the host's memory alone, should the machine lose power


class store:
    """`paths` are those of the figures that are wanted: a point of which one has not been kept is not finished.

    Raises mistake when the folder cannot be one, trouble when the disk refuses
    """

    def __init__(self, folder, paths, create=True):
        self.folder = pathlib.Path(folder).absolute()
        self.paths = frozenset(paths)
        self.records = {}  # key -> record, as far as refresh() has read
        self.again = {}  # key -> which try is the first that counts; 0 where nothing is said
        self._offsets = {}  # file of the log -> how far it has been read
        self._file = None
        self._claims, self._running = (os.fspath(self.folder / name) for name in ("claims", "running"))
        self._synced = time.monotonic()
        try:
            self._open(create)
        except OSError as error:
            raise mistake(f"{self.folder}: {error.strerror}") from None
        self.refresh()

    def finished(self, key):
        """Its record, or None."""
        found = self.records.get(key)
        if found is None or found["try"] < self.again.get(key, 0):
            return None
        return found if found["status"] == "failed" or self.paths <= found["figures"].keys() else None

    def next_try(self, key):
        """The number of the try that would finish it: of those that are there none counts, or the last lacks a figure."""
        known = self.records.get(key)
        return max(self.again.get(key, 0), known["try"] if known else 0)

    def refresh(self):
        """Reads what others have finished since."""
        try:
            entries = list(os.scandir(self.folder / "log"))
        except FileNotFoundError:
            return
        for entry in entries:
            if entry.name.endswith(".jsonl") and entry.stat().st_size > self._offsets.get(entry.name, 0):
                self._read(entry)

    def append(self, record):
        """A point is finished from the moment that this returns."""
        line = json.dumps(record, ensure_ascii=True, separators=(",", ":")).encode() + b"\n"
        try:
            if self._file is None:
                name = f"{socket.gethostname()}-{os.getpid()}-{uuid.uuid4().hex[:8]}.jsonl"
                flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
                self._file = os.open(self.folder / "log" / name, flags, 0o666)
                self._name, self._length = name, 0
            written = os.write(self._file, line)
            if written < len(line):  # the disk is full: the rest would fail
                os.ftruncate(self._file, self._length)
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            self._length += written
            if time.monotonic() - self._synced > WHOLE_SECONDS:
                os.fdatasync(self._file)
                self._synced = time.monotonic()
        except OSError as error:
            raise trouble(f"{self.folder}: {error.strerror}; what is finished is kept") from None
        self._offsets[self._name] = self._length
        self._take(record)

    def claim(self, key):
        """A claim, when this process may run the point: nobody else does, and nobody has. None otherwise."""
        found = None if self.finished(key) else claims.take(self._claims, key)
        if found is not None:
            self.refresh()  # it may have been finished since
            if self.finished(key):
                os.close(found)
                found = None
        return found

    def kept_program(self, program, content):
        """A copy of the scenario's binary that stays what it is while others build. Raises trouble."""
        place = self.folder / "programs" / content[:16] / program.name
        if not place.exists():
            scratch = place.with_name(f"{program.name}.{uuid.uuid4().hex[:8]}")
            try:
                place.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(program, scratch)
                scratch.replace(place)
            except OSError as error:
                scratch.unlink(missing_ok=True)
                raise trouble(f"{self.folder}: {error.strerror}") from None
        return place

    def sweep(self):
        """Removes what is left of points that were finished by a process that has not got to it."""
        with os.scandir(self.folder / "running") as entries:
            left = [entry.name for entry in entries if self.finished(entry.name)]
        for key in left:
            remove(self.running(key))

    def running(self, key):
        """The folder in which a point runs."""
        return f"{self._running}/{key}"

    def close(self):
        if self._file is not None:
            os.close(self._file)
            self._file = None

    def _open(self, create):
        if not create and not (self.folder / "format").exists():
            return
        if create:
            self.folder.mkdir(parents=True, exist_ok=True)
        kind = self.folder / "format"
        if not kind.exists():
            others = [each.name for each in self.folder.iterdir() if not each.name.startswith("format")]
            if others:
                raise mistake(f"{self.folder}: holds {others[0]}, and is no folder of results")
            scratch = self.folder / f"format.{uuid.uuid4().hex}"
            scratch.write_text(FORMAT)
            scratch.replace(kind)
        if kind.read_text(errors="replace") != FORMAT:
            raise mistake(f"{self.folder}: results in another layout, '{kind.read_text(errors='replace').strip()[:60]}'; "
                          f"this pefsim writes '{FORMAT.strip()}'")  # fmt: skip
        if create:
            for name in ("log", "running"):
                (self.folder / name).mkdir(exist_ok=True)
            os.close(os.open(self._claims, os.O_RDWR | os.O_CREAT, 0o666))

    def _read(self, entry):
        with open(entry.path, "rb") as file:
            file.seek(self._offsets.get(entry.name, 0))
            text = file.read()
        end = text.rfind(b"\n") + 1
        for line in text[:end].splitlines():
            with contextlib.suppress(ValueError):
                self._take(json.loads(line))
        self._offsets[entry.name] = self._offsets.get(entry.name, 0) + end

    def _take(self, record):
        """The later try counts; two of the same have the same figures, and may have kept different ones."""
        known = self.records.get(record["key"])
        if known and known["try"] == record["try"]:
            record = record | {"figures": known["figures"] | record["figures"]}
        if not known or known["try"] <= record["try"]:
            self.records[record["key"]] = record


def remove(folder):
    """With what is in it: files, unless a scenario has made more."""
    try:
        for name in os.listdir(folder):
            os.unlink(f"{folder}/{name}")
        os.rmdir(folder)
    except OSError:
        shutil.rmtree(folder, ignore_errors=True)
