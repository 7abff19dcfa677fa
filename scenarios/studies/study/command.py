# SPDX-License-Identifier: Apache-2.0
"""The command line, and how it ends."""

import argparse
import os
import re
import signal
import sys
import textwrap

from study import campaign, engines, job, quantities, scenario, store
from study.complaints import mistake, stopped, trouble
from study.pool import pool

USAGE = """\
study: runs a scenario at every point of a grid and keeps figures of each report

What is finished is never run again: the same command goes on, whatever stopped it. Exit status: 0
when every point is finished, failed ones among them; 1 when the host does not let it go on; 2 for a
study that cannot be; 128 + N when signal N stopped it.

usage: study [VERB] FILE.toml [options]

Verbs (study VERB --help has the options of one)
  run                             run what is not finished yet, write results.csv and results.jsonl;
                                  without a verb, too
  plot                            draw the pictures (SVG, PNG) and write page.html, of what is
                                  finished
  status                          how far it is, from anywhere
  sensitivity                     which axis moves which figure
  replay FILE.toml N              print the line that runs point N once more"""
VERBS = ("run", "plot", "status", "sensitivity", "replay", "work")


def main(words):
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(errors="surrogateescape", line_buffering=True)
    try:
        if words[:1] == ["work"]:
            return _work(*words[1:])
        arguments = _parsed(words)
        return getattr(campaign, arguments.verb)(arguments)
    except mistake as error:
        print(f"study: {error}", file=sys.stderr)
        return 2
    except trouble as error:
        print(f"study: {error}; the same command goes on", file=sys.stderr)
        return 1
    except stopped as error:
        return 128 + error.number
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 128 + signal.SIGPIPE
    except OSError as error:
        name = f"{error.filename}: " if error.filename else ""
        print(f"study: {name}{error.strerror or error}; the same command goes on", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 128 + signal.SIGINT


def _parsed(words):
    parser = _parser(prog="study", usage="study [VERB] FILE.toml [options]", allow_abbrev=False)
    parser.add_argument("--version", action="version", version=f"study (pefsim) {_version()}",
                        help="show which pefsim this is")  # fmt: skip
    parser.add_argument("file", metavar="FILE.toml")
    parser.add_argument("--in", dest="folder", metavar="FOLDER", help="of results; several studies may share one "
                        "[FILE.results in the working directory]")  # fmt: skip
    verb = words[0] if words[:1] and words[0] in VERBS else "run"
    if verb == "run":
        told = "; ".join(f"{name}: {engines.named(name).__doc__.splitlines()[0]}" for name in engines.names())
        parser.add_argument("--engine", choices=engines.names(), default="local", help=f"where points run [local]. {told}")
        parser.add_argument("--jobs", type=_positive, metavar="N", default=len(os.sched_getaffinity(0)),
                            help="points at once on this machine [its processors]")  # fmt: skip
        parser.add_argument("--memory", type=_size, metavar="SIZE", help="for these together [what the machine has left]")
        parser.add_argument("--option", action="append", default=[], metavar="WORD",
                            help="for the engine's scheduler, such as --option=--partition=long; repeatable")  # fmt: skip
        parser.add_argument("--again", action="store_true", help="run points that failed once more")
        parser.add_argument("--dry-run", action="store_true", help="measure a few points and run no others")
    if verb == "replay":
        parser.add_argument("number", type=_positive, metavar="N", help="the point's, as results have it")
    arguments = parser.parse_args(words[1:] if words[:1] == [verb] else words)
    arguments.verb = verb
    return arguments


class _parser(argparse.ArgumentParser):
    """Its help is written as that of scenarios, which the manual's pages are made from."""

    def format_help(self):
        column = 34
        lines = [USAGE, "", "Options"]
        for option in self._actions:
            if option.option_strings:
                name = " ".join(filter(None, [option.option_strings[-1], option.metavar or "|".join(option.choices or ())]))
                text = textwrap.wrap(option.help.replace("this help message and exit", "this text (-h, too)"), 100 - column)
                lines.append(f"  {name:{column - 3}} {text[0]}")
                lines += [" " * column + each for each in text[1:]]
        return "\n".join(lines) + "\n"


def _version():
    """Of this pefsim; one that is installed says so."""
    project = scenario.ROOT / "CMakeLists.txt"
    if "PEFSIM_VERSION" in os.environ or not project.exists():
        return os.environ.get("PEFSIM_VERSION", "?")
    return re.search(r"project\(pefsim\s+VERSION (\S+)", project.read_text())[1]


def _positive(text):
    number = int(text)
    if number < 1:
        raise ValueError
    return number


def _size(text):
    found = quantities.read(text)
    if found.unit != "bytes" or found.number < 1:
        raise ValueError
    return int(found.number)


def _work(folder, plan, chunk, of):
    """What a scheduler's task runs."""
    try:
        jobs = job.read(plan, int(chunk), int(of))
    except FileNotFoundError:
        return 0  # the round is over: nobody waits for this task
    if not jobs:
        return 0
    results = store.store(folder, jobs[0].paths)
    results.again = {each.key: each.least_try for each in jobs}
    here = pool(results, 1)
    here.work(jobs, wait_for_others=False)
    return 0
