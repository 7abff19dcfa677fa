# SPDX-License-Identifier: Apache-2.0
"""This machine: as many points at once as it has processors and memory for."""

from study.pool import pool


def run(work):
    here = pool(work.results, work.processes, work.memory)
    here.peak = work.peak
    here.work(work.jobs, work.progress.heard)
