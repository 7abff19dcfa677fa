# SPDX-License-Identifier: Apache-2.0
"""Runs of the kernels on pefsim and on qemu, and the page that is made of them.

CPU time is that of the child, user and system; what a program costs that computes nothing is taken off. Instructions are
counted by pefsim: they are the same everywhere, since the programs are.
"""

import collections
import json
import pathlib
import re
import resource
import subprocess
import tempfile

SOURCES = pathlib.Path(__file__).resolve().parent / "kernels"
TRACED = ("integer_mix", "coremark_like", "memory", "scalar_floating")
ON_HOST = ("integer_mix", "coremark_like", "calls", "pointer_chase", "random_loads", "scalar_floating")  # C alone
PROFILED = (("integer_mix", 100), ("quad", 300))
ABOUT = {
    "integer_mix": "list sort, matrix, CRC, state machine, 64-bit mix",
    "coremark_like": "lists, 16-bit matrices, state machine, CRC",
    "calls": "calls and returns across pages, some through a table",
    "memory": "copies and fills of 16 bytes to 1 MiB",
    "pointer_chase": "dependent loads, a page of 256 MiB after the other",
    "random_loads": "independent loads all over 256 MiB",
    "scalar_floating": "bodies, Mandelbrot, polynomials",
    "vsx_floating": "double and single in vectors",
    "vmx_floating": "single precision of VMX",
    "vsx_convert": "conversions and rounding in vectors",
    "quad": "matrices, elimination, series in quad precision",
    "decimal_integer": "packed decimal",
    "vector_integer": "loops over bytes to doublewords",
    "vector_permute": "tables, merges, packs, bit permutes",
    "crypto": "AES, SHA-2, GCM's products",
}

KERNEL_WORK = {
    "amr_equal": "two `mtspr AMR`, value unchanged",
    "amr_pair": "storage of users opened and closed: two `mtspr AMR`",
    "pidr_equal": "two `mtspr PIDR`, value unchanged",
    "pidr_pair": "a switch to another process and back: two `mtspr PIDR`",
    "store_to_former_code": "a store (and a branch) where the page held code before",
    "store": "a store (and a branch) elsewhere",
}


HEADING = "## The POWER9 core"
TARGETS = ("core_benchmark", "benchmark_kernels", "engine_benchmark", "user_program")


def kernels(folder):
    """Name and rounds of a measured run, as the build wrote them."""
    return [(name, int(rounds)) for name, rounds in (line.split() for line in (folder / "kernels.txt").open())]


def timed(*command):
    """What it printed, and its CPU seconds."""
    def used():
        children = resource.getrusage(resource.RUSAGE_CHILDREN)
        return children.ru_utime + children.ru_stime
    before = used()
    done = subprocess.run([str(word) for word in command], stdin=subprocess.DEVNULL, capture_output=True, text=True,
                          check=True)
    return done.stdout, used() - before


class peers:
    """The ways to run a kernel."""

    def __init__(self, build):
        self.folder = build / "tests" / "benchmarks" / "core"
        self.machine = self.folder / "core_benchmark"
        self.user_program = build / "scenarios" / "user_program"

    def on_machine(self, name, form="bare", *trace, options=()):
        report = json.loads(timed(self.machine, *options, self.folder / f"{name}.{form}", *trace)[0])
        return report["output"], report["seconds"], report["instructions"]

    def as_program(self, name, rounds):
        with tempfile.TemporaryDirectory() as directory:
            report = pathlib.Path(directory) / "report"  # another file when it is whole: opened behind the run
            output, seconds = timed(self.user_program, "--report", report, self.folder / name, rounds)
            return output, seconds, json.loads(report.read_text())["instructions"]

    def on_qemu_user(self, name, rounds):
        return timed("qemu-ppc64le", "-cpu", "power9", self.folder / name, rounds)

    def on_qemu_system(self, name):
        # x-vof: without SLOF, whose start is three seconds
        return timed("qemu-system-ppc64", "-M", "pseries,x-vof=on,kernel-addr=0x10000000", "-accel", "tcg",
                     "-cpu", "power9", "-m", "1G", "-display", "none", "-nodefaults", "-serial", "stdio",
                     "-monitor", "none", "-kernel", self.folder / f"{name}.bare")


def least(run):
    """CPU seconds of the quickest of five."""
    return min(run()[1] for _ in range(5))


def speeds(run):
    """A row for each kernel: instructions, and MIPS by peer."""
    start = {"user_program": least(lambda: run.as_program("nothing", 1)), "machine": 0, "interpreted": 0,
             "qemu-ppc64le": least(lambda: run.on_qemu_user("nothing", 1)),
             "qemu-system-ppc64": least(lambda: run.on_qemu_system("nothing"))}
    rows = {}
    for name, rounds in kernels(run.folder):
        if name == "nothing":
            continue
        output, machine, bare = run.on_machine(name)
        results = {"user_program": run.as_program(name, rounds), "qemu-ppc64le": run.on_qemu_user(name, rounds),
                   "qemu-system-ppc64": run.on_qemu_system(name)}
        for peer, result in results.items():
            if result[0] != output:
                raise SystemExit(f"{name}: {peer} computes {result[0].strip()}, the machine {output.strip()}")
        user = results["user_program"][2]
        interpreted = run.on_machine(name, options=("--interpreted",))
        if interpreted[0] != output or interpreted[2] != bare:
            raise SystemExit(f"{name}: interpreted and translated are not the same")
        seconds = {"machine": machine, "interpreted": interpreted[1]}
        seconds |= {peer: result[1] for peer, result in results.items()}
        count = {"machine": bare, "interpreted": bare, "user_program": user, "qemu-ppc64le": user, "qemu-system-ppc64": bare}
        rows[name] = {peer: count[peer] / max(seconds[peer] - start[peer], 1e-3) / 1e6 for peer in seconds}
        rows[name]["instructions"] = bare
    with tempfile.TemporaryDirectory() as directory:
        native = pathlib.Path(directory) / "native"
        for name in ON_HOST:
            timed("gcc", "-O3", "-o", native, SOURCES / "linux.c", SOURCES / f"{name}.c", "-lm")
            seconds = timed(native, dict(kernels(run.folder))[name])[1]
            rows[name]["native"] = rows[name]["instructions"] / seconds / 1e6
    return rows


def trace_factors(run):
    """Time with every instruction recorded to time without, and bytes an instruction; for each of TRACED."""
    factors = {}
    for name in TRACED:
        with tempfile.NamedTemporaryFile() as trace:
            plain = run.on_machine(name, "traced", options=("--interpreted",))[1]
            recorded = run.on_machine(name, "traced", trace.name)
            factors[name] = (recorded[1] / plain, pathlib.Path(trace.name).stat().st_size / recorded[2])
    return factors


def profile(run):
    """Host instructions for one of the guest, by source file, counted by callgrind; for each of PROFILED."""
    shares = {}
    for name, rounds in PROFILED:
        guest = run.as_program(name, rounds)[2]
        with tempfile.TemporaryDirectory() as directory:
            data = pathlib.Path(directory) / "callgrind.out"
            timed("valgrind", "--tool=callgrind", f"--callgrind-out-file={data}", run.user_program, "--translator", "no",
                  run.folder / name, rounds)
            text = timed("callgrind_annotate", "--threshold=99.5", data)[0]
        places = collections.Counter()
        for line in text.splitlines():
            found = re.match(r"\s*([\d,]+) \(\s*[\d.]+%\)\s+(\S+?):\S", line)
            if found:
                path = found[2]
                place = re.search(r"models/power/(.*)", path)
                places[place[1] if place else "the rest of pefsim, and libraries"] += int(found[1].replace(",", ""))
        shares[name] = {place: count / guest for place, count in places.most_common()}
    return shares


def kernel_work(run):
    """Nanoseconds by KERNEL_WORK."""
    return json.loads(timed(run.folder / "engine_benchmark")[0])


def measure(build):
    run = peers(build)
    return speeds(run), trace_factors(run), profile(run), kernel_work(run)


def page(measured):
    rows, factors, shares, kernel = measured
    lines = [
        HEADING, "",
        "Million instructions per CPU second of kernels compiled by gcc for power9 (`tests/benchmarks/core/kernels`), in one run:",
        "pefsim's core in a SystemC machine with a quantum of 10 us, interpreted and translated ([translator.md](translator.md)), and",
        "under `user_program`; qemu's translator for user programs, and for a whole pseries machine; and the same instructions when",
        "the kernel is compiled for the host (gcc -O3), where it is C alone.", "",
        "| kernel | what it does | instructions | interpreted | machine | `user_program` | qemu-ppc64le | qemu-system-ppc64 | to user "
        "| to system | the host | share |",
        "|---|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|"]
    for name, row in rows.items():
        lines.append(
            f"| {name} | {ABOUT[name]} | {row['instructions'] / 1e6:.0f} M | {row['interpreted']:.0f} | {row['machine']:.0f} "
            f"| {row['user_program']:.0f} | {row['qemu-ppc64le']:.0f} | {row['qemu-system-ppc64']:.0f} "
            f"| {row['user_program'] / row['qemu-ppc64le']:.2f} | {row['machine'] / row['qemu-system-ppc64']:.2f} "
            + (f"| {row['native']:.0f} | {100 * row['machine'] / row['native']:.0f} % |" if "native" in row else "| | |"))
    lines += [
        "", "\"To user\" is `user_program` against qemu-ppc64le, \"to system\" the machine against qemu-system-ppc64, \"share\" the machine",
        "against the host. The pointer chase and the random loads wait for the host's memory.", "",
        "### What a kernel does", "",
        "Nanoseconds of CPU time, with translation, besides those of the loads and stores between (`engine_benchmark`).", "",
        "| what | ns |", "|---|---:|",
        *[f"| {what} | {kernel[key]:.1f} |" for key, what in KERNEL_WORK.items()], "",
        "### Recording every instruction", "",
        "Full binary trace, into a file on a disk, which is interpreted; aim: at most a factor of 3.", "",
        "| kernel | CPU time, to none recorded, interpreted | bytes an instruction |", "|---|---:|---:|"]
    lines += [f"| {name} | {factor:.2f} | {size:.1f} |" for name, (factor, size) in factors.items()]
    lines += ["", "### Where the time goes", "",
              "Instructions of the host for one of the guest, by source file of `models/power`, start included, interpreted (callgrind).", ""]
    for name, places in shares.items():
        total = sum(places.values())
        lines += [f"{name}: {total:.1f} in all", "", "| file | host instructions | share |", "|---|---:|---:|"]
        lines += [f"| {place} | {count:.2f} | {100 * count / total:.1f} % |"
                  for place, count in list(places.items())[:10]]
        lines.append("")
    return lines[:-1]
