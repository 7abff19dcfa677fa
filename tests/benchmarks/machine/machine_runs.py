# SPDX-License-Identifier: Apache-2.0
"""The machine with a native guest: block requests by DMA operations and tracing, elaboration, where the time goes."""

import collections
import json
import pathlib
import re
import subprocess
import tempfile

FLOOR = 250_000  # SWIOTLB requests of 4 KiB per CPU second
TRACE_FACTOR = 1.6
ELABORATION_MS = 50.0

HEADING = "## Block requests of 4 KiB, 32 in flight, half of them reads"
TARGETS = ("machine_benchmark",)

WAYS = (("direct", "direct, ordinary guest", "off"), ("iommu", "iommu, ordinary guest", "off"),
        ("swiotlb", "swiotlb, secure guest", "off"), ("swiotlb_fst", "swiotlb, secure guest", "FST"),
        ("swiotlb_vcd", "swiotlb, secure guest", "VCD"))


def output(*command):
    return subprocess.run([str(word) for word in command], check=True, capture_output=True, text=True).stdout


def medians(benchmark):
    """A row of google-benchmark's for each benchmark: the median of three."""
    report = json.loads(output(benchmark, "--benchmark_format=json", "--benchmark_repetitions=3",
                               "--benchmark_report_aggregates_only=true"))
    rows = [row for row in report["benchmarks"] if row["aggregate_name"] == "median"]
    return {row["run_name"].removesuffix("/manual_time").replace("/min_time:2.000", ""): row for row in rows}


def profile(benchmark):
    """Host instructions by folder of pefsim or library; the dozen functions with most of them; all."""
    with tempfile.TemporaryDirectory() as directory:
        data = pathlib.Path(directory) / "callgrind.out"
        output("valgrind", "--tool=callgrind", f"--callgrind-out-file={data}", benchmark,
               "--benchmark_filter=block_requests/swiotlb/", "--benchmark_min_time=0")
        text = output("callgrind_annotate", "--threshold=99.9", data)
    by_place = collections.Counter()
    top = []
    for line in text.splitlines():
        found = re.match(r"\s*([\d,]+) \(\s*[\d.]+%\)\s+(\S.*)$", line)
        if not found or "PROGRAM TOTALS" in line or "events annotated" in line:
            continue
        count, where = int(found[1].replace(",", "")), found[2]
        function = where.split(":", 1)[-1]
        folder = re.search(r"pefsim::(\w+)::", function)
        if folder:
            place = f"`{folder[1]}`"
        elif "sc_core" in function or "tlm" in function or "qt_" in function:
            place = "SystemC"
        elif re.search(r"mem(cpy|move|set)", function):
            place = "memcpy and memset of the C library"
        else:
            place = "other libraries"
        by_place[place] += count
        top.append((count, re.sub(r"\s*\[.*", "", function)))
    return by_place, sorted(top, reverse=True)[:12], sum(by_place.values())


def measure(build):
    benchmark = build / "tests" / "benchmarks" / "machine" / "machine_benchmark"
    return medians(benchmark), profile(benchmark)


def page(measured):
    rows, (by_place, top, total) = measured
    rate = {name.split("/")[1]: row["items_per_second"] for name, row in rows.items() if "block_requests" in name}
    elaboration = {name.split("/")[1]: row["real_time"] for name, row in rows.items() if "elaboration" in name}
    swiotlb = rate["swiotlb"]
    aims = {"swiotlb": f"at least {FLOOR:,}",
            "swiotlb_fst": f"cost at most a factor of {TRACE_FACTOR:g}: {swiotlb / rate['swiotlb_fst']:.2f}"}
    return [
        HEADING, "",
        "| DMA operations | tracing | requests per CPU second | to swiotlb, off | aim |", "|---|---|---:|---:|---|",
        *[f"| {label} | {trace} | {rate[name]:,.0f} | {rate[name] / swiotlb:.2f} | {aims.get(name, '')} |"
          for name, label, trace in WAYS], "",
        "### Elaboration of a machine", "",
        "Secure guest, disk, network card, entropy device; from the configuration to the start of simulation.", "",
        "| guest RAM | ms | aim |", "|---:|---:|---|",
        *[f"| {size} GiB | {milliseconds:.2f} | under {ELABORATION_MS:.0f} ms |" for size, milliseconds in elaboration.items()], "",
        "### Where a native guest's time goes", "",
        "Instructions of the swiotlb run without tracing, boot included (callgrind), by folder and library:", "",
        "| place | share |", "|---|---:|",
        *[f"| {place} | {100 * count / total:.1f} % |" for place, count in by_place.most_common()], "",
        "The functions with most of them:", "", "| function | share |", "|---|---:|",
        *[f"| `{function[:90]}` | {100 * count / total:.1f} % |" for count, function in top]]
