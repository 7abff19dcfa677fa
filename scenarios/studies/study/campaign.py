# SPDX-License-Identifier: Apache-2.0
"""What each form of the command does."""

import os
import pathlib
import statistics as averages
import sys
import time

from study import chunks, engines, job, page, pictures, points, scenario, statistics, store, study_file, table
from study.complaints import mistake, stopped, trouble
from study.pool import pool
from study.progress import line, progress
from study.quantities import for_people, of_duration

MEASURED = 5  # points that are run to know what one takes
SHOWN = 40  # points that --dry-run prints; of more, the first and the last
RECENT = 60  # seconds that the rate of status is of


class campaign:
    """A study with its scenario, its points and its folder of results."""

    def __init__(self, arguments, create=True):
        self.study = study_file.read(arguments.file)
        try:
            self.subject = scenario.scenario(self.study.scenario, build=create)
            self.points = points.of(self.study, self.subject)
            table.check(self.study, self.subject)
        except mistake as error:
            raise mistake(f"{self.study.file}: {error}") from None
        self.paths = tuple(sorted({each.path for each in self.study.figures.values() if each.path}))
        folder = arguments.folder or f"{self.study.name}.results"
        self.results = store.store(folder, self.paths, create)
        self.folder = self.results.folder
        self.program = self.results.kept_program(self.subject.program, self.subject.content) if create else None

    def finished(self):
        return [self.results.finished(each.key) for each in self.points]

    def jobs(self):
        """Of what is not finished."""
        return [job.job(each.key, each.options, self.results.next_try(each.key), each.inputs, os.fspath(self.program),
                        self.paths, self.study.time_limit)
                for each in self.points if not self.results.finished(each.key)]  # fmt: skip

    def table(self):
        return table.of(self.study, self.subject, self.points, self.results)

    def measure(self, progress_of=None):
        """Runs a few points, which are spread over the grid and count like all others; returns the seconds that one takes
        and the bytes of the largest. Raises mistake when a figure is in no report of theirs.
        """
        last = len(self.points) - 1
        chosen = {self.points[round(at * last / (MEASURED - 1))].key: None for at in range(MEASURED)}
        due = [each for each in self.jobs() if each.key in chosen]
        pool(self.results, 1).work(due, progress_of.heard if progress_of else lambda record: None)
        known = [self.results.finished(key) for key in chosen]
        self._check_figures(known)
        everything = [each for each in self.finished() if each and each["seconds"] is not None]
        seconds = averages.fmean(each["seconds"] for each in everything) if everything else 1.0
        return seconds, max((each["peak"] for each in everything), default=0)

    def _check_figures(self, known):
        good = [each for each in known if each["status"] != "failed"]
        for each in self.study.figures.values():
            if each.path and good and all(record["figures"][each.path][0] is None for record in good):
                raise mistake(f"{self.study.file}: figure {each.name}: no report has {each.path} "
                              f"(of {len(good)} points looked at)")  # fmt: skip


def run(arguments):
    what = campaign(arguments)
    if arguments.again:
        what.results.again = {each["key"]: each["try"] + 1 for each in what.finished() if each and each["status"] == "failed"}
    if arguments.dry_run:
        return _dry_run(what, arguments)
    known = [each for each in what.finished() if each]
    shown = progress(what.study.name, len(what.points), len(known), sum(each["status"] == "failed" for each in known))
    begun = time.monotonic()
    try:
        if len(known) < len(what.points):
            seconds, peak = what.measure(shown)
            left = what.jobs()
            shown = progress(what.study.name, len(what.points), len(what.points) - len(left),
                             sum(each["status"] == "failed" for each in what.finished() if each))  # fmt: skip
            engine = engines.named(arguments.engine)
            if left:
                engine.run(chunks.work(left, what.results, seconds, peak, arguments.jobs, arguments.memory,
                                       tuple(arguments.option), shown, what.study.name))  # fmt: skip
    except (stopped, trouble) as error:
        shown.end()
        what.results.refresh()
        done = sum(1 for each in what.finished() if each)
        _write(what)
        if isinstance(error, stopped):
            print(f"study: stopped at {done:,} of {len(what.points):,} points, which are kept; the same command goes on",
                  file=sys.stderr)  # fmt: skip
        raise
    shown.end()
    found = _write(what)
    ran, failed = len(what.points) - len(known), sum(row.status == "failed" for row in found.rows)
    print(f"{what.study.name}: {len(what.points):,} points, {failed:,} failed; {ran:,} run now, in "
          f"{of_duration(time.monotonic() - begun)}")  # fmt: skip
    print(f"{_shown(what.folder / 'results.csv')}, results.jsonl, times.csv")
    return 0


def plot(arguments):
    what = campaign(arguments, create=False)
    found = what.table()
    if not found.good():
        raise mistake(f"{what.folder}: no point of this study is finished; there is nothing to draw")
    holds = table.conclusions(what.study, what.subject, found.good())
    for each in what.study.pictures:
        for path in pictures.draw(each, what.study, found, holds, what.folder):
            print(_shown(path))
    path = table.replaced(what.folder / "page.html",
                          lambda file: page.write(what.study, what.points, found, holds, what.folder, file))  # fmt: skip
    print(_shown(path))
    return 0


def status(arguments):
    what = campaign(arguments, create=False)
    known = [each for each in what.finished() if each]
    now = max([time.time(), *(each["at"] for each in known)])
    recent = [each["at"] for each in known if now - each["at"] < RECENT]
    rate = len(recent) / max(1.0, now - min(recent)) if len(recent) > 1 else 0.0
    print(f"{what.study.name}: {line(len(known), len(what.points), sum(e['status'] == 'failed' for e in known), rate)}")
    reasons = {}
    for each in known:
        if each["status"] == "failed":
            reasons[each["reason"]] = reasons.get(each["reason"], 0) + 1
    for reason, number in sorted(reasons.items(), key=lambda row: -row[1])[:10]:
        print(f"  {number:,} failed: {reason}")
    return 0


def sensitivity(arguments):
    what = campaign(arguments, create=False)
    found = what.table()
    axes = [name for name, values in what.study.axes.items() if len(values) > 1]
    width = max(map(len, ["figure", *what.study.figures]))
    print("  ".join(["figure".ljust(width), *axes]))
    for name in what.study.figures:
        shares = statistics.first_order(found.good(), axes, name)
        cells = ["-" if shares[axis] is None else f"{shares[axis]:.3f}" for axis in axes]
        print("  ".join([name.ljust(width), *(cell.rjust(len(axis)) for cell, axis in zip(cells, axes))]))
    for name, holds in table.conclusions(what.study, what.subject, found.good()).items():
        known = [each for each in holds if each is not None]
        print(f"{name}: holds at {sum(map(bool, known)):,} of {len(known):,} points")
    return 0


def replay(arguments):
    what = campaign(arguments, create=False)
    if arguments.number > len(what.points):
        raise mistake(f"there is no point {arguments.number:,}: {what.study.file} has {len(what.points):,}")
    print(page.replay(what.study, what.points[arguments.number - 1].options))
    return 0


def _dry_run(what, arguments):
    many = len(what.points) > SHOWN
    for at, each in enumerate(what.points):
        if many and SHOWN // 2 <= at < len(what.points) - SHOWN // 4:
            if at == SHOWN // 2:
                print("...")
            continue
        known = " (finished)" if what.results.finished(each.key) else ""
        print(f"{each.number:>7,}  " + "  ".join(f"{name} {value.text}" for name, value in each.values.items()) + known)
    print(f"{len(what.points):,} points of {what.subject.name}", flush=True)
    seconds, peak = what.measure()
    left = len(what.jobs())
    expected = of_duration(left * seconds / arguments.jobs)
    print(f"{of_duration(seconds)} and {for_people(peak / 2**20)} MiB each, as measured; {left:,} are to be run: "
          f"{expected} with {arguments.jobs} at once")  # fmt: skip
    return 0


def _write(what):
    found = what.table()
    table.write(found, what.study, what.folder)
    table.write_times(what.points, what.results, what.folder)
    what.results.sweep()
    return found


def _shown(path):
    """As short as it can be named from here."""
    path = pathlib.Path(path)
    return path.relative_to(pathlib.Path.cwd()) if path.is_relative_to(pathlib.Path.cwd()) else path
