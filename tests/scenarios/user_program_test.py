# SPDX-License-Identifier: Apache-2.0
"""Static ppc64le programs under user_program and under qemu-ppc64le: the same output, the same end."""

import functools
import json
import os
import pathlib
import re
import shutil
import subprocess
import tempfile
import unittest

import scenario
from profile_test import packets_of, perfetto_stacks, stacks_of

SOURCES = pathlib.Path(__file__).parent.parent / "linux_user" / "programs"
COMPILER = "powerpc64le-linux-gnu-gcc"
QEMU = "qemu-ppc64le"

FAULTS = """\
signal 11 code 2 at the expected place
12ff
signal 11 code 1 at the expected place
signal 11 code 1 at the expected place
signal 11 code 1 at the expected place
signal 5 code 1 at the own place
signal 5 code 1 at the own place
signal 4 code 1 at the own place
signal 4 code 5 at the own place
384.000000 8
came back from nowhere
sigaltstack 0
signal 11 on its own stack: 1 1
deep enough: 1
handler of 10
pending 1
handler of 12
suspended Interrupted system call
sigwaitinfo 12
handler of 14
handler of 13
-1
"""

LINUX_ONLY = """\
1 File exists
power9 dc0065c2 bef00000 65536
4e1202
1000 1
signal 8 code 3
signal 8 code 7
"""

EMULATED = """\
mcrxr 123a5678 00000005
dcba 7
dscr 5
lswi 11223344 00667788
lmw 55667788 99aabbcc
stmw 00000123 00000456
signal 4 code 1
signal 11 code 2
"""

OWN_PROC = """\
/proc/self/maps: there
/proc//self/maps: there
/proc/../proc/self/./maps: there
/proc/self/root/proc/self/maps: there
/dev/fd/../maps: there
/proc/self/mem: not there
/proc/self/auxv: not there
/proc/self/task: not there
{path}: not there
maps: there
mem: not there
4 1000
"""

# Applets of busybox, as lines of a shell: $B is busybox under the one or the other. The files are made by prepare().
APPLETS = [
    "$B md5sum text random",
    "$B sha1sum text random",
    "$B sha256sum text random",
    "$B sha512sum text random",
    "$B sha3sum text random",
    "$B cksum text random",
    "$B crc32 text random",
    "$B gzip -c random | $B gunzip | $B md5sum",
    "$B gzip -9 -c text | gzip -dc | md5sum",
    "$B bzip2 -c text | bzip2 -dc | md5sum",
    "bzip2 -c text | $B bunzip2 | md5sum",
    "xz -c text | $B unxz | md5sum",
    "$B sort text | $B uniq -c | $B sort -rn | $B head -n 20",
    "$B awk '{ n[$1] += $2; s += sqrt($2) * log($2 + 1) } END { for (k in n) print k, n[k]; printf \"%.10g\\n\", s }' text | sort",
    "$B sed -n 's/\\(line\\) \\([0-9]*\\)/\\2:\\1/gp' text | $B tail -n 5",
    "$B grep -c '7$' text; $B grep -E '^(a|b).*3' text | $B wc",
    "$B tar c dir | tar t | sort; tar c dir | $B tar t | sort; $B tar c dir | $B gzip | $B gunzip | $B tar xO | md5sum",
    "$B cmp text random; $B cmp text text && echo same",
    "$B diff -u small other",
    "$B od -A x -t x1z random | $B head -n 20; $B hexdump -C text | $B tail -n 3",
    "$B xxd random | $B xxd -r | $B cmp - random && echo same",
    "echo '2 100 ^ p 3 k 1 7 / p 2 v p' | $B dc",
    "echo 'scale=50; 4*a(1); 2^200; e(1)' | $B bc -l",
    "$B ls -a dir; $B ls -1RS dir",
    "$B find dir -type f -size +1k -print | sort",
    "$B stat -c '%n %s %f %h' text dir/one dir/link",
    "$B expr 12345678901 \\* 1000 % 77; $B factor 1234567890123456789; $B seq 1 3 100 | $B tail -n 2",
    "$B base64 random | $B base64 -d | md5sum; $B uuencode small x | $B uudecode -o -",
    "$B tr a-z A-Z <text | $B md5sum; $B rev small; $B tac small; $B nl small; $B fold -w 9 small",
    "$B cut -d' ' -f2 text | $B paste -s -d+ | $B md5sum; $B split -b 1000 text part; cat part* | $B cmp - text && echo same",
    "$B cp -a dir copy && $B diff -r dir copy && $B mv copy moved && $B rm -r moved && ls",
    "$B dd if=random bs=1000 skip=3 count=7 2>/dev/null | $B md5sum; $B truncate -s 10 cut; $B wc -c cut",
    "$B printf '%5.3f|%-8s|%x\\n' 3.14159 abc 255; $B echo -e 'a\\tb'; $B env -i A=b; $B basename /a/b.c .c; $B dirname /a/b",
    "$B date -u -d @1234567890 '+%Y-%m-%d %H:%M:%S %j %a'; $B cal 2 2024",
    "$B sh -c 'x=3; while [ $x -gt 0 ]; do echo $x $((x * 7)); x=$((x - 1)); done; case abc in a*) echo yes;; esac; exit 9'",
    "$B sh -c 'f() { echo $1 ${2:-none}; }; f a; for i in *; do echo $i; done; type cd; echo $((0x7fffffffffffffff + 1))'",
    "$B cat nothing; $B false; $B test -d dir && echo directory; $B readlink dir/link; $B readlink -f dir/link | $B grep -c one",
    "$B cat </dev/null; echo piped | $B tee copied; cat copied; $B yes | head -n 3; $B mktemp -u XXXXXX | wc -c",
    "$B time $B true 2>/dev/null; $B sleep 0.01 && echo slept; $B timeout; $B nosuchapplet",
]


def needs(*programs):
    missing = [each for each in programs if shutil.which(each) is None]
    return unittest.skipIf(missing, f"not installed: {', '.join(missing)}")


def cache():
    return pathlib.Path(os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache") / "pefsim"


@functools.cache
def busybox():
    """Debian ppc64el's static busybox; None when it cannot be had."""
    done = subprocess.run([SOURCES / "unpack-busybox", cache() / "ppc64el"], check=False, capture_output=True)
    return cache() / "ppc64el" / "busybox" if done.returncode == 0 else None


class Program(scenario.ScenarioTest):
    def build(self, name, *options):
        program = self.directory / name
        subprocess.run([COMPILER, "-O2", "-mcpu=power9", "-static", SOURCES / f"{name}.c", "-o", program,
                        *options],
                       check=True, capture_output=True)
        return program

    def under(self, command, cwd=None, **variables):
        """Runs a command; its standard output, standard error and status."""
        done = subprocess.run(list(map(str, command)), cwd=cwd or self.directory, check=False, capture_output=True,
                              stdin=subprocess.DEVNULL, timeout=300, env={**os.environ, **variables})
        return done.stdout.decode(), done.stderr.decode(), done.returncode

    def pefsim(self, *command, **variables):
        return self.under([scenario.BINARIES / "user_program", *command], **variables)

    def qemu(self, *command, **variables):
        output, error, status = self.under([QEMU, "-cpu", "power9", *command], **variables)
        lines = [each for each in error.splitlines(True) if not each.startswith("qemu: ")]
        return output, "".join(lines), 128 - status if status < 0 else status


@needs(COMPILER, QEMU)
class SmallPrograms(Program):
    def same(self, name, *arguments, **variables):
        program = self.build(name)
        self.assertEqual(self.pefsim(program, *arguments, **variables), self.qemu(program, *arguments, **variables))

    def test_files(self):
        self.same("files")

    def test_memory(self):
        self.same("memory")

    def test_surroundings(self):
        self.same("surroundings", "a", "b c", "", "--help", SET="yes")

    def test_position_independent(self):
        program = self.build("memory", "-static-pie")
        self.assertEqual(self.pefsim(program), self.qemu(program))

    def test_optimised(self):
        program = self.build("surroundings", "-O3", "-funroll-loops")
        self.assertEqual(self.pefsim(program), self.qemu(program))


@needs(COMPILER)
class Linux(Program):
    """Beside what Linux does; qemu-user differs."""

    def test_faults(self):
        output, error, status = self.pefsim(self.build("faults"))
        self.assertEqual((output, error, status), (FAULTS, "", 128 + 6))

    def test_what_qemu_has_not(self):
        program = self.build("linux_only", "-lm")
        self.assertEqual(self.pefsim(program), (LINUX_ONLY, "", 0))

    def test_emulated_instructions(self):
        program = self.build("emulated")
        self.assertEqual(self.pefsim(program), (EMULATED, "", 0))

    def test_waits_for_what_cannot_come(self):
        program = self.build("waits")
        for call in "pause", "futex", "poll", "rt_sigsuspend", "read":
            with self.subTest(call):
                output, error, status = self.pefsim("--report", "report.json", program, call)
                interrupted = "read: Interrupted system call\n" if call == "read" else ""
                self.assertEqual(output, "heard 14\nand now for ever\n")
                self.assertEqual(status, 1)
                self.assertEqual(error, f"{interrupted}user_program: {program}: waits in {call} for what cannot come\n")
                end = json.loads((self.directory / "report.json").read_text())["end"]
                self.assertEqual(end["waits_for_ever_in"], call)

    def test_pefsim_is_out_of_reach(self):
        program = self.build("own_proc")
        done = subprocess.run(["sh", "-c", 'exec "$1" --trace calls --report report.json "$2" "/proc/$$/maps"', "sh",
                               scenario.BINARIES / "user_program", program], cwd=self.directory, check=False,
                              capture_output=True, text=True, timeout=300)
        lines = done.stdout.splitlines(True)
        path = next(each.split(":")[0] for each in lines if each.startswith("/proc/") and each.split("/")[2].isdigit())
        self.assertEqual((done.stdout, done.stderr, done.returncode), (OWN_PROC.format(path=path), "", 0))
        self.assertIn("openat(", (self.directory / "calls").read_text())

    def test_no_second_thread(self):
        program = self.build("threads", "-pthread")
        output, error, status = self.pefsim("--report", "report.json", program)
        self.assertEqual((error, status), ("", 0))
        self.assertEqual(output.count("Function not implemented"), 3, output)
        missing = json.loads((self.directory / "report.json").read_text())["system_calls_not_implemented"]
        self.assertIn("execve", missing)

    def test_report(self):
        program = self.build("faults")
        self.pefsim("--report", "report.json", program)
        report = json.loads((self.directory / "report.json").read_text())
        self.assertEqual(report["end"], {"status": 134, "signal": "SIGABRT"})
        self.assertEqual(report["ended"]["kind"], "signalled")
        self.assertRegex(report["ended"]["text"], "^the program was killed by SIGABRT at 0x[0-9a-f]+ <.+>: ")
        self.assertGreater(report["instructions"], 1000)
        self.assertGreater(report["system_calls"]["rt_sigreturn"], 5)
        first = report["faults"]["first"][0]
        self.assertEqual(first["signal"], "SIGSEGV")
        self.assertTrue(first["symbol"].startswith("main"), first)

    def test_runs_are_equal(self):
        program = self.build("surroundings")
        results = []
        for name in "one", "two":
            self.pefsim("--report", name, program)
            results.append((self.directory / name).read_text())
        self.assertEqual(*results)

    def test_traces_when_asked(self):
        program = self.build("files")
        _, error, _ = self.pefsim("--trace", "calls", "--summary", program)
        self.assertIn("exit status 0", error)
        self.assertIn("\nEnded: the program exited with status 0\n", error)
        self.assertIn("openat(", (self.directory / "calls").read_text())

    def test_instruction_limit(self):
        program = self.build("surroundings")
        self.assertEqual(self.pefsim("--report", "report.json", "--instruction-limit", "100000", program)[2], 128 + 24)
        ended = json.loads((self.directory / "report.json").read_text())["ended"]
        self.assertEqual((ended["kind"], ended["partial"]), ("instruction_limit", True))


@needs(COMPILER)
class Tools(Program):
    """Debugger, profile and instruction trace: they show the program, which notices nothing of them."""

    PRINTED = "49950000\n"

    def run_with(self, *options, program=None, status=5, output=PRINTED):
        """The report of a run."""
        result = self.pefsim("--report", "report.json", *options, program or self.build("calls", "-g", "-O1"))
        self.assertEqual(result, (output, "", status))
        return json.loads((self.directory / "report.json").read_text())

    def test_a_profile_names_the_programs_functions(self):
        program = self.build("calls", "-g", "-O1")
        report = self.run_with("--profile", "p.collapsed", "--profile.period", "97", program=program)
        stacks = stacks_of((self.directory / "p.collapsed").read_text())
        (top, count), total = max(stacks.items(), key=lambda each: each[1]), sum(stacks.values())
        self.assertTrue(top.endswith("main;outer;inner"), top)
        self.assertGreater(count, 0.9 * total)
        self.assertEqual(total, report["instructions"] // 97)
        profile = report["profile"]
        self.assertEqual((profile["total"], dict(profile["stacks"])), (total, stacks))
        events = {each["what"]: each for each in profile["events"]}
        self.assertEqual({what: each["total"] for what, each in events.items()},
                         {f"system call {name}": count for name, count in report["system_calls"].items()})
        self.run_with("--profile", "p.txt", program=program)
        self.assertIn("inner", (self.directory / "p.txt").read_text().splitlines()[1])

    def test_a_profile_knows_where_a_position_independent_program_stands(self):
        (self.directory / "pie.c").write_text("""
            __attribute__((noinline)) static void spin(unsigned long n) { for (volatile unsigned long i = 0; i < n; ++i) {} }
            void _start(void) {
                spin(100000);
                register long number __asm__("r0") = 1;
                register long status __asm__("r3") = 5;
                __asm__ volatile("sc" : : "r"(number), "r"(status) : "memory");
            }
            """)
        subprocess.run([COMPILER, "-O1", "-nostdlib", "-static-pie", "-fPIE", "pie.c", "-o", "pie"], cwd=self.directory,
                       check=True, capture_output=True)  # fmt: skip
        self.run_with("--profile", "p.collapsed", "--profile.period", "97", program=self.directory / "pie", output="")
        self.assertEqual(set(stacks_of((self.directory / "p.collapsed").read_text())), {"_start;spin"})

    @needs("protoc")
    def test_perfetto_has_the_same_stacks(self):
        program = self.build("calls", "-g", "-O1")
        for name in "p.folded", "p.pftrace":
            self.run_with("--profile", name, "--profile.period", "97", program=program)
        stacks, periods = perfetto_stacks(packets_of(self.directory / "p.pftrace"))
        self.assertEqual((stacks, periods), (stacks_of((self.directory / "p.folded").read_text()), [97]))

    def test_an_instruction_trace_is_what_was_executed(self):
        program = self.build("calls", "-g", "-O1")
        report = self.run_with("--instruction-trace", "trace", program=program)
        text = self.render(program)
        for function in "main", "outer", "inner":
            self.assertIn(f"\n{function}", text)
        numbers = dict.fromkeys(re.findall(r"^ +(\d+) ", text, re.M))  # an interrupt has its instruction's number
        last = report["instructions"]  # of the interrupt by which it ended
        self.assertTrue(list(numbers) == [str(n) for n in range(last + 1)], "a gap")
        self.run_with("--instruction-trace", "trace", "--instruction-trace.numbers", "100:110", program=program)
        self.assertEqual(re.findall(r"^ +(\d+) ", self.render(program), re.M), [str(n) for n in range(100, 110)])
        self.run_with("--instruction-trace", "trace", "--instruction-trace.time", "1s:2s", program=program)
        self.assertEqual(re.findall(r"^ +(\d+) ", self.render(program), re.M), [])

    def render(self, program):
        return subprocess.run([os.environ["PEFSIM_TRACE_RENDER"], "trace", "--elf", program], cwd=self.directory, check=True,
                              capture_output=True, text=True, timeout=60).stdout  # fmt: skip

    def test_the_program_notices_nothing(self):
        for name, options, status in ("calls", ["-g", "-O1"], 5), ("faults", [], 134), ("files", [], 0):
            program = self.build(name, *options)
            output, _, _ = self.pefsim(program)
            plain = self.run_with(program=program, status=status, output=output)
            for tool in (["--profile", "p", "--profile.period", "7"], ["--instruction-trace", "t"],
                         ["--profile", "p", "--instruction-trace", "t", "--translator", "no"]):
                with self.subTest(program=name, tool=tool):
                    report = self.run_with(*tool, program=program, status=status, output=output)
                    report.pop("profile", None)
                    self.assertEqual(report, plain)

    def gdb(self, program, script, *arguments, status=5, output=PRINTED):
        command = [scenario.BINARIES / "user_program", "--report", "report.json", "--gdb", "0", program, *arguments]
        with subprocess.Popen(command, cwd=self.directory, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as running:
            port = re.search(r"localhost:(\d+)", running.stderr.readline())[1]
            (self.directory / "script.gdb").write_text(
                "set pagination off\nset confirm off\nset height 0\nset width 0\nset tcp connect-timeout 30\n"
                f"target remote localhost:{port}\n" + re.sub(r"^ +", "", script, flags=re.M))  # fmt: skip
            done = subprocess.run(["gdb-multiarch", "-q", "-nx", "-batch", "-x", "script.gdb", program], cwd=self.directory,
                                  stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=100, check=False)  # fmt: skip
            printed, error = running.communicate(timeout=100)
        self.assertEqual((printed, error, running.returncode), (output, "", status), done.stdout)
        return done.stdout

    def shows(self, output, *lines):
        at = -1
        for line in lines:
            found = output.find(line, at + 1)
            self.assertGreater(found, at, f"{line}\n{output}")
            at = found

    @needs("gdb-multiarch")
    def test_gdb_drives_it(self):
        program = self.build("calls", "-g", "-O1")
        plain = self.run_with(program=program)
        output = self.gdb(program, """
            break main
            continue
            break inner
            continue
            print n
            backtrace
            stepi
            info registers pc
            delete
            watch watched
            continue
            print sum
            delete
            continue
            """)
        self.shows(output, "Breakpoint 1, ", "in main", "Breakpoint 2, inner", "$1 = 1000", "#1", "in outer", "in main",
                   "Hardware watchpoint 3: watched", "New value = 77", "$2 = 49950000", "exited with code 05")
        self.assertEqual(json.loads((self.directory / "report.json").read_text()), plain)

    @needs("gdb-multiarch")
    def test_gdb_changes_what_it_is_asked_to(self):
        program = self.build("calls", "-g", "-O1")
        self.gdb(program, "break outer\ncontinue\nset var sum = 50\ndelete\ncontinue\n", output="49950050\n")

    @needs("gdb-multiarch")
    def test_gdb_stops_at_a_fault(self):
        program = self.build("calls", "-g", "-O1")
        output = self.gdb(program, "continue\nprint/x $pc\nbacktrace\ncontinue\n", "fault", status=139)
        self.shows(output, "received signal SIGSEGV", "in main", "exited with code 0213")
        output = self.gdb(program, "continue\nkill\n", "fault", status=137)
        self.shows(output, "received signal SIGSEGV")
        self.assertEqual(json.loads((self.directory / "report.json").read_text())["end"], {"status": 137, "signal": "SIGKILL"})


class BadInput(Program):
    def refused(self, part, *command):
        output, error, status = self.pefsim(*command)
        self.assertEqual((output, status), ("", 2))
        self.assertEqual(error.count("\n"), 1, error)
        self.assertIn(part, error)

    def test_options(self):
        self.refused("PROGRAM is missing")
        self.refused("'report'", "--reprot", "x", "p")
        self.refused("missing", "--report")
        self.refused("page-size", "--page-size", "5000", "p")
        self.refused("gdb: 70000", "--gdb", "70000", "p")
        self.refused("profile.period: 0", "--profile.period", "0", "p")
        self.refused("instruction-trace.numbers: '9:3' is empty", "--instruction-trace.numbers", "9:3", "p")

    def test_programs(self):
        self.refused("No such file", "nothing")
        self.refused("not an ELF file", __file__)
        self.refused("not a regular file", ".")
        self.refused("another machine", "/proc/self/exe")
        whole = self.directory / "cut"
        whole.write_bytes(b"\x7fELF\x02\x01\x01" + bytes(9))
        self.refused("cut short", whole)

    @needs(COMPILER)
    def test_outputs(self):
        program = self.build("memory")
        self.refused("cannot be written", "--report", "no/such/directory/r", program)
        self.refused("cannot be written", "--trace", "no/such/directory/t", program)
        self.refused("cannot be written", "--profile", "no/such/directory/p", program)
        self.refused("cannot be written", "--instruction-trace", "no/such/directory/t", program)
        self.refused("the same file", "--profile", "x", "--report", "x", program)
        self.refused("no memory for the program", "--memory", "1MiB", "--stack", "64KiB", program)

    @needs(COMPILER)
    def test_dynamic(self):
        source = self.directory / "a.c"
        source.write_text("int main(void) { return 0; }\n")
        subprocess.run([COMPILER, source, "-o", self.directory / "dynamic"], check=True)
        self.refused("dynamically linked", "dynamic")


@needs(QEMU, "sh")
@unittest.skipIf(busybox() is None, "Debian's busybox-static:ppc64el cannot be had: no network?")
class Busybox(Program):
    def prepare(self, where):
        (where / "dir" / "sub").mkdir(parents=True)
        words = ["alpha", "beta", "gamma", "delta"]
        (where / "text").write_text("".join(f"{words[i % 4]} {i * i % 9973} line {i}\n" for i in range(5000)))
        state, data = 1, bytearray()
        for _ in range(50000):
            state = (state * 6364136223846793005 + 1442695040888963407) % 2**64
            data.append(state >> 56)
        (where / "random").write_bytes(data)
        (where / "small").write_text("one\ntwo three\nfour\n")
        (where / "other").write_text("one\ntwo 3\nfour\nfive\n")
        (where / "dir" / "one").write_text("1" * 3000)
        (where / "dir" / "sub" / "two").write_text("2" * 20)
        (where / "dir" / "link").symlink_to("one")

    def applet(self, line, emulator):
        with tempfile.TemporaryDirectory() as directory:
            self.prepare(pathlib.Path(directory))
            return self.under(["sh", "-c", line], cwd=directory, B=f"{emulator} {busybox()}", LC_ALL="C", TZ="UTC")

    def test_applets(self):
        for line in APPLETS:
            with self.subTest(line):
                expected = self.applet(line, f"{QEMU} -cpu power9")
                self.assertEqual(self.applet(line, scenario.BINARIES / "user_program"), expected)


if __name__ == "__main__":
    unittest.main()
