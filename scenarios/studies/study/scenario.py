# SPDX-License-Identifier: Apache-2.0
"""A scenario's binary: built once, asked for its parameters, and what is read by a run of it."""

import functools
import hashlib
import os
import pathlib
import re
import subprocess
from typing import NamedTuple

from study.complaints import mistake, trouble, unknown
from study.job import stamp_of

ROOT = pathlib.Path(__file__).resolve().parents[3]
ROW = re.compile(r"^  --(\S+) +(.*(?:\n {34}.*)*)", re.MULTILINE)
WHAT = re.compile(r".* \(([^()]*)\) \[(.*)\]", re.DOTALL)
# How a value names a file: the whole of it, or up to what is done with it there.
FILE = re.compile(r"[^:@]+")
SEED = "seed"  # an option, not a parameter; an axis or a parameter of a study all the same
BAD_INPUT = 2  # the exit status
AT_ONCE = 200  # values that one call of the binary looks at


class parameter(NamedTuple):
    unit: str
    fallback: str


class scenario:
    """Raises mistake when there is none of this name, trouble when it cannot be built."""

    def __init__(self, name, build=True):
        folder = os.environ.get("PEFSIM_SCENARIOS")
        known = sorted(each.stem for each in (ROOT / "scenarios").glob("*.cpp") if "\nint main(" in each.read_text())
        if not known and folder:  # of an installed pefsim
            known = sorted(each.name for each in pathlib.Path(folder).iterdir())
        if name not in known:
            raise mistake(unknown("scenario", name, known))
        self.name = name
        self.program = pathlib.Path(folder or ROOT / "build/release/scenarios").absolute() / name
        # scenarios/run builds what it shows the help of; who only looks at results builds nothing.
        made = folder or (not build and self.program.exists())
        said = self._said([self.program, "--help"] if made else [ROOT / "scenarios/run", name, "--help"])
        parameters = said.partition("\nParameters")[2]
        self.parameters = {SEED: parameter("", "1")}
        for word, text in ROW.findall(parameters):
            found = WHAT.fullmatch(" ".join(text.split()))
            if found:
                self.parameters[word] = parameter(found[1].replace(" ", ""), found[2])

    @functools.cached_property
    def content(self):
        """What its binary holds, as a hash."""
        return content_of(self.program)

    def unit_of(self, name):
        """For people: "bytes", "ns" for a time, "" for a word."""
        unit = self.parameters[name].unit
        return {"time": "ns"}.get(unit, "" if "|" in unit or unit in ("file", "text") else unit)

    def check(self, settings):
        """Asks the binary about every (name, value). Raises mistake with what it says of the first that it refuses."""
        words = [word for name, value in settings for word in option(name, value)]
        for at in range(0, len(words), 2 * AT_ONCE):
            done = subprocess.run([self.program, "--help", *words[at : at + 2 * AT_ONCE]], capture_output=True, text=True,
                                  errors="replace", stdin=subprocess.DEVNULL, check=False)  # fmt: skip
            if done.returncode != 0:
                said = (done.stderr.strip().splitlines() or [f"exit status {done.returncode}"])[-1]
                raise mistake(said) if done.returncode == BAD_INPUT else trouble(f"{self.name} --help: {said}")

    def takes_image(self, names):
        """Whether a study that sets these parameters leaves the guest's image to scenarios/run's choice."""
        return self._images is not None and not {"image", "kernel"} & set(names)

    @functools.cached_property
    def _images(self):
        """What finds the image of a scenario of a Linux guest; None for others."""
        script = ROOT / "scenarios" / self.name.partition("_")[0] / "arguments"
        return script if os.access(script, os.X_OK) else None

    def _image(self, text):
        """The folder of "built", "stock --suite sid", made first where it is not there; "" is the scenario's usual one."""
        words = ["--image", text] if text else []
        done = subprocess.run([self._images, self.name, *words], stdout=subprocess.PIPE, text=True, check=False,
                              stdin=subprocess.DEVNULL)  # fmt: skip
        found = done.stdout.splitlines()
        if done.returncode != 0 or found[:1] != ["--image"]:
            raise mistake(f"image: '{text}' cannot be made")
        return found[1]

    def with_file(self, name, text, beside):
        """The value with the file that it names made absolute, and that file; the value and None where it names none.

        Raises mistake when a run writes to it
        """
        unit = self.parameters[name].unit
        if name == "image" and self._images:
            text = self._image(text)
        if not text or not unit.lower().startswith(("file", "outputfile")):
            return text, None
        if unit == "outputfile":
            raise mistake(f"{name}: every point would write '{text}'; what a study keeps are figures")
        if "snapshot" in unit and not text.endswith((":snapshot", ":read_only")):
            raise mistake(f"{name}: every point would write to '{text}'; {text}:snapshot keeps it as it is")
        file = beside / FILE.match(text)[0]
        if not file.exists():
            raise mistake(f"{name}: there is no {file}")
        return f"{file.resolve()}{text[FILE.match(text).end() :]}", file.resolve()

    def _said(self, command):
        try:
            done = subprocess.run(command, stdout=subprocess.PIPE, stdin=subprocess.DEVNULL, check=False, text=True)
        except OSError as error:
            raise trouble(f"{command[0]}: {error.strerror}") from None
        if done.returncode != 0:
            raise trouble(f"{self.name} cannot be built")
        return done.stdout


def option(name, text):
    return ("--seed", text) if name == SEED else ("--set", f"{name}={text}")


def files_of(path):
    """A file itself, or all that are below a folder."""
    return sorted(each for each in path.rglob("*") if each.is_file()) if path.is_dir() else [path]


def stamps_of(path):
    return tuple(stamp_of(os.fspath(each)) for each in files_of(path))


@functools.cache
def content_of(path):
    """A hash of a file, or of all files below a folder with their names."""
    if path.is_dir():
        rows = [f"{each.relative_to(path)}\0{content_of(each)}\n" for each in files_of(path)]
        return hashlib.sha256("".join(rows).encode(errors="surrogateescape")).hexdigest()
    try:
        with open(path, "rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise mistake(f"{path}: {error.strerror}") from None
