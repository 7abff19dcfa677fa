#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""An unmodified Linux that makes itself secure: its own drivers work through SWIOTLB, and nobody outside sees or is
told of a private page; where it is set up wrongly, the report says by which driver.

The first time a kernel is compiled, which takes minutes. PEFSIM_FULL=1: other kernels, too; with more processors, XIVE,
packed rings, and 16 GiB.
"""

import json
import os
import pathlib
import re
import secrets
import shutil
import subprocess
import sys
import unittest

from scenario import ScenarioTest, run

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "scenarios/linux"))
from guest_image import cpio  # noqa: E402 pylint: disable=wrong-import-position

CHECKS = ("BLK-OK", "NET-OK", "FETCH-OK", "RNG-OK", "stands what the guest wrote", "svm is 1")
# 6.1.176's, on XICS: its paca, the pool, a ring for each queue (block, network to and fro, entropy). Linux-guest order.
SHARES = 6
POOL_PAGES = 64  # swiotlb=2048: 4 MiB
RECEIVE_BUFFER = 12 + 1518  # virtio_net.c without mergeable buffers: header, and GOOD_PACKET_LEN with a VLAN tag
RUNS_AT = "50ms"  # of simulated time, of 98 ms that a boot takes: it has been secure for 16
# What the guest calls, in order, as it was measured on QEMU with a stub for an Ultravisor (one processor, XIVE, a
# network card with a control queue), but for a source that pefsim does not have, QEMU's events. The terminal's is added:
# the record of QEMU's leaves it out, and Linux sets it up when init opens the console.
SOURCE, SHARE = "H_INT_SET_SOURCE_CONFIG", "UV_SHARE_PAGE"
SEQUENCE = [
    "UV_ESM", SHARE, "H_SET_MODE", "H_SET_MODE", "H_REGISTER_PROC_TBL", "H_REGISTER_VPA",
    "H_INT_SET_QUEUE_CONFIG", SHARE,  # the event queue, which the hypervisor knows already
    SOURCE, SHARE,  # SWIOTLB
    "H_REGISTER_VPA",
    SOURCE, SHARE, SOURCE, SOURCE, SHARE, SOURCE, SOURCE, SHARE, SOURCE, SHARE, SOURCE, SHARE,  # five rings
    SOURCE,  # the terminal
]  # fmt: skip
FULL = bool(os.environ.get("PEFSIM_FULL"))
# A first program that keeps secrets in every kind of memory, sends one to the disk, and goes on as the image's init. What
# it keeps is written the other way round in the initrd, so that it is nowhere else.
SENT_AT = 200 * 65536
PLANT = f"""#!/bin/sh
B=/bin/busybox
user=$($B rev </etc/user)
$B rev </etc/cache >/root/cache
$B cat /root/cache >/root/cache-2
$B mount -t devtmpfs dev /dev
$B rev </etc/sent >/root/sent
$B dd if=/root/sent of=/dev/vda bs=65536 seek={SENT_AT // 65536} conv=fsync 2>/root/dd
. /init
"""


def image(*options, kind="built"):
    """The folder of the image with a kernel that can become secure; None when it cannot be made."""
    made = subprocess.run([ROOT / "scenarios/linux/image", kind, *options], stdout=subprocess.PIPE, text=True,
                          check=False)  # fmt: skip
    return made.stdout.splitlines()[-1] if made.returncode == 0 else None


def compiled(**options):
    """A kernel with these options of its configuration has been compiled on this machine."""
    cache = pathlib.Path(os.environ.get("PEFSIM_CACHE") or pathlib.Path.home() / ".cache/pefsim")
    kernels = (json.loads(path.read_text())["options"] for path in cache.glob("kernels/*/manifest.json"))
    return any(options.items() <= each.items() for each in kernels)


class SecureLinuxTest(ScenarioTest):
    @classmethod
    def setUpClass(cls):
        cls.image = image()
        if cls.image is None:
            raise unittest.SkipTest("SKIP: Debian's source package or its tools cannot be had: no network?")

    def options(self, *options):
        return ("--image", self.image, "--memory.size", "256MiB", *options)

    def boot(self, *options):
        report = self.shown("linux_secure", *self.options("--no-trace", *options))
        points = " ".join(point["text"] for point in report["verdict"])
        for check in CHECKS:
            self.assertIn(check, points)
        return report["runs"][0]

    def test_boots_and_does_its_io_through_swiotlb(self):
        of = self.boot()
        tallies = of["metrics"]["tallies"]
        ultracalls = tallies["machine.ultravisor.ultracalls"]["counts"]
        self.assertEqual(ultracalls["UV_ESM"], 1)
        self.assertEqual(ultracalls["UV_SHARE_PAGE"], SHARES)
        self.assertEqual(ultracalls["UV_UNSHARE_PAGE"], 0)
        # Besides what the guest shares: a page for RTAS calls, and the host's copy of RTAS's own.
        exposed = of["exposure"]["pages_exposed"]
        self.assertEqual(exposed, SHARES - 1 + POOL_PAGES + 2)
        # What the guest's RTAS calls are, firmware serves, and the Ultravisor has handed on.
        relayed = tallies["machine.ultravisor.rtas_relayed"]
        self.assertGreater(relayed["counts"]["ibm,read-pci-config"], 100)
        self.assertEqual(relayed["counts"]["power-off"], 1)
        self.assertEqual(tallies["machine.ultravisor.hypercalls"]["counts"]["H_RTAS"], relayed["total"])

    def test_the_report_says_who_wrote_what_for_which_request(self):
        exposure = self.boot()["exposure"]
        chains = exposure["call_chains"]
        bounced = [each for each in chains if "swiotlb_bounce" in each["functions"]]
        drivers = {each["driver"] for each in bounced}
        # The functions that give their buffers to virtqueues in virtio_blk.c, virtio_net.c and virtio-rng.c.
        self.assertLessEqual({"virtblk_add_req", "start_xmit"}, drivers)
        self.assertTrue(all(each["functions"][-1] != each["driver"] for each in bounced))
        # Besides: arguments of RTAS calls, which the Ultravisor relays for the guest.
        rtas = sum(each["bytes_written"] for each in exposure["writers"] if not each["host"] and "<" not in each["origin"])
        by_chain = sum(each["bytes_written"] for each in chains)
        self.assertEqual(by_chain + rtas, exposure["guest_bytes_written"])
        queues = {(each["device"], each["queue"]): each for each in exposure["mappings"]}
        for device in ("virtio-blk0", "virtio-rng0", "virtio-net0"):
            self.assertGreater(queues[device, 0]["buffers"], 0)
            self.assertEqual(len(queues[device, 0]["rings"]), 3)
        disk = queues["virtio-blk0", 0]
        self.assertEqual(disk["alive_bytes"], 0)
        # 1 MiB to the disk and back at least; every byte that the device was to read had been bounced.
        self.assertGreater(min(disk["readable_bytes"], disk["writable_bytes"]), 1 << 20)
        self.assertGreaterEqual(disk["guest_bytes"], disk["readable_bytes"])
        # Every byte of every mapping is bounced once (since Linux 5.18 whatever its direction): of those that devices have
        # seen, and of receive buffers that wait in the ring of 256, each in a slot of 2 KiB.
        named = sum(each["readable_bytes"] + each["writable_bytes"] + each["table_bytes"] for each in queues.values())
        waiting = sum(each["bytes_written"] for each in bounced) - named
        self.assertTrue(0 < waiting <= 256 * 2048, waiting)

    def test_the_guest_counts_as_many_bounces(self):
        """Its own tracepoint, in swiotlb_map(), against the ledger and what devices were told."""
        traced = ("--config", "full", "--add", "tracing")
        if not FULL and not compiled(CONFIG_ENABLE_DEFAULT_TRACERS="y", CONFIG_PPC_64K_PAGES="y"):
            self.skipTest(f"SKIP: no such kernel yet (scenarios/linux/image built {' '.join(traced)}, PEFSIM_FULL=1)")
        line = ("console=hvc0 quiet svm=on swiotlb=8192,force trace_event=swiotlb:swiotlb_bounced trace_buf_size=8M "
                "pefsim.disk_kib=8192")  # fmt: skip
        report = self.shown("linux_secure", "--image", image(*traced), "--memory.size", "512MiB", "--no-trace", "--cpus", 2,
                            "--net.mergeable", "no", "--append", line, "--console", "console")  # fmt: skip
        said = [each.split()[1:] for each in (self.directory / "console").read_text().splitlines() if "### BOUNCED" in each]
        told = {words[1]: [int(each) for each in words[2:]] for words in said if words[0] == "BOUNCED"}
        self.assertIn(["BOUNCED-LOST", "0"], said)
        self.assertEqual(len(told), 3)
        exposure = report["runs"][0]["exposure"]
        bounced = sum(each["bytes_written"] for each in exposure["call_chains"] if "swiotlb_bounce" in each["functions"])
        self.assertEqual(sum(size for _, size, _ in told.values()), bounced)
        named = {}
        for each in exposure["mappings"]:
            of = named.setdefault(each["device"], [0, 0])
            of[0] += each["buffers"] + each["tables"]
            of[1] += each["readable_bytes"] + each["writable_bytes"] + each["table_bytes"]
        for place, device in enumerate(("virtio-blk0", "virtio-net0", "virtio-rng0")):  # as their slots are
            calls, size, _ = told[sorted(told)[place]]
            with self.subTest(device=device):
                # Only the network's receive buffers, all of one size, wait in their ring without having been named.
                waiting = (calls - named[device][0], size - named[device][1])
                self.assertEqual(waiting[0] * RECEIVE_BUFFER, waiting[1])
                self.assertEqual(waiting[0] > 0, device == "virtio-net0")

    def test_pages_are_watched(self):
        first = self.boot()
        (pool,) = [each for each in first["exposure"]["shares"] if each["pages"] == POOL_PAGES]
        watched = self.boot("--watch-page", pool["first_page"], "--watch-page", 2)
        (private, shared) = watched.pop("watched")
        self.assertEqual(watched, first)  # and nothing else
        self.assertEqual(private["state"], "SECURE")
        self.assertEqual({each["who"] for each in private["events"] if each["what"] == "written"} - {"hypervisor"}, {"cpu0"})
        self.assertNotIn("refused", [each["what"] for each in private["events"]])
        acts = {(each["what"], each["who"]) for each in shared["events"]}
        self.assertLessEqual({("written", "cpu0"), ("read", "virtio-blk0"), ("named", "virtio-blk0")}, acts)
        self.assertIn("HV_SHARED -> SHARED in UV_SHARE_PAGE", [each["detail"] for each in shared["events"]])
        self.assertLess(len(shared["events"]), 100)
        # Each block of a mapping is one extent, though it was stored by many instructions.
        self.assertTrue(any(each["writer"].get("device") == "virtio-net0" for each in shared["standing"]))
        self.assertLess(len(shared["standing"]), 500)

    def test_nothing_leaks_but_what_is_sent(self):
        kept = {name: secrets.token_hex(16) for name in ("line", "initrd", "user", "cache", "sent")}
        files = cpio.writer()
        files.file("plant", PLANT.encode(), executable=True)
        files.file("etc/kept", kept["initrd"].encode())
        for name in ("user", "cache", "sent"):
            files.file(f"etc/{name}", kept[name][::-1].encode() + b"\n")
        initrd = self.directory / "initrd"
        initrd.write_bytes((pathlib.Path(self.image) / "initrd").read_bytes() + files.image())
        (self.directory / "canaries").write_text("".join(f"{each}\n" for each in kept.values()))
        line = f"console=hvc0 quiet svm=on swiotlb=2048,force rdinit=/plant pefsim.secret={kept['line']}"
        report = self.shown("linux_secure", *self.options("--no-trace", "--initrd", initrd, "--append", line, "--canaries",
                            "canaries", "--net.pcap", "frames.pcap", "--console", "console"))  # fmt: skip
        frames = (self.directory / "frames.pcap").read_bytes()
        console = (self.directory / "console").read_bytes()
        found = {each["canary"]: each for each in report["results"]["canaries"]}
        sightings = report["runs"][0]["exposure"]["canaries"]["kept"]
        for name in ("line", "initrd", "user", "cache"):
            secret = kept[name]
            self.assertEqual((found[secret]["in_memory"], found[secret]["on_disks"]), ([], []), name)
            self.assertFalse(secret.encode() in frames, name)
            self.assertEqual(console.count(secret.encode()), name == "line", name)  # prom_init prints it, not secure yet
            seen = [each for each in sightings if each["canary"] == secret and each["writer"]["initiator"] == "cpu0"]
            self.assertEqual(seen, [], name)
        sent = kept["sent"]
        self.assertEqual(found[sent]["on_disks"], [{"disk": 0, "offset": SENT_AT}])
        sighted = [each for each in sightings if each["canary"] == sent and each["writer"]["initiator"] == "cpu0"]
        self.assertEqual({each["channel"] for each in sighted}, {"shared_page"})
        for each in sighted:
            self.assertIn("swiotlb_bounce", each["writer"]["functions"])
            self.assertEqual(each["writer"]["driver"], "virtblk_add_req")
            self.assertEqual(each["writer"]["device"], "virtio-blk0")

    @unittest.skipUnless(shutil.which("tshark"), "tshark is not installed")
    def test_captured_frames_say_in_which_slots_they_stand(self):
        self.boot("--net.pcap", "frames.pcap", "--console", "console")
        console = (self.directory / "console").read_text(errors="replace")
        pool = int(re.search(r"software IO TLB: mapped \[mem (0x[0-9a-f]+)-", console)[1], 16)
        comments = subprocess.run(["tshark", "-r", "frames.pcap", "-T", "fields", "-e", "frame.comment"], cwd=self.directory,
                                  check=True, text=True, capture_output=True).stdout.splitlines()  # fmt: skip
        self.assertGreater(len(comments), 64)
        window = 0x0800_0000_0000_0000  # where Linux has its direct one
        for comment in comments:
            [named] = re.findall(r"^DMA (0x[0-9a-f]+), \d+ bytes, SWIOTLB slot (\d+), page (0x[0-9a-f]+) \(SHARED\)$", comment)
            at, slot, page = (int(each, 0) for each in named)
            self.assertEqual((slot, page), ((at - window - pool) // 2048, (at - window) // 65536), comment)

    def test_what_the_host_does_to_its_memory_ends_the_guest_with_the_reason(self):
        cannot = "the hypervisor cannot bring back a page"
        for act, kind, reason in (
            ("tamper:jiffies", "page_tampered", cannot),
            ("replay:jiffies", "page_tampered", cannot),
            ("swap:jiffies", "page_tampered", cannot),
            ("take_slot:jiffies", "memory_taken", "the hypervisor has taken the memory slot of a page that the guest uses"),
        ):
            with self.subTest(act=act):
                result = run("linux_secure", *self.options("--no-trace", "--report", "report.json", "--host-attack",
                             f"{act}@{RUNS_AT}"), cwd=self.directory)  # fmt: skip
                self.assertEqual(result.status, 1, result.error)
                report = json.loads((self.directory / "report.json").read_text())
                self.assertEqual(report["ended"]["kind"], "terminated")
                self.assertIn(reason, report["ended"]["text"])
                violations = report["runs"][0]["violations"]["by_kind"]
                self.assertGreater(violations[kind], 0)
                self.assertEqual(report["results"]["host_attacks"][0]["outcome"],
                                 "U_SUCCESS" if act.startswith("take") else "done")  # fmt: skip

    def test_interrupts_of_the_host_pass_the_ultravisor(self):
        for controllers, mine in (("xics", "hypervisor_doorbell"), ("xive", "external")):
            of = self.boot("--ic", controllers, "--host.time_slice", "1ms")
            entered = of["metrics"]["tallies"]["machine.ultravisor.interrupts"]["counts"]
            self.assertGreater(entered[mine], 0)
            self.assertEqual(entered["hypervisor_doorbell"] > 0, controllers == "xics")
            # The hypervisor is shown its own, and those that it presents itself.
            seen = of["metrics"]["tallies"]["machine.hypervisor.interrupts"]["counts"]
            for each in ("hypervisor_decrementer", "hypervisor_doorbell"):
                self.assertGreaterEqual(seen[each], entered[each])
            self.assertEqual(seen["external"], 0)
            self.assertGreater(entered["hypervisor_decrementer"], 10)

    def test_four_processors_that_exploit_xive(self):
        of = self.boot("--cpus", 4, "--ic", "xive")
        shares = of["metrics"]["tallies"]["machine.ultravisor.ultracalls"]["counts"]["UV_SHARE_PAGE"]
        self.assertGreater(shares, SHARES + 3)  # an event queue for each processor

    def test_the_same_seed_gives_the_same_run(self):
        folders = [self.directory / each for each in ("first", "second")]
        for folder in folders:
            folder.mkdir()
            self.shown("linux_secure", *self.options("--cpus", 2, "--trace", "linux.vcd"), cwd=folder)
        for name in ("report.json", "linux.vcd"):
            first, second = ((folder / name).read_bytes() for folder in folders)
            self.assertEqual(first, second, name)

    def test_calls_are_those_of_the_reference_in_order(self):
        self.shown("linux_secure", *self.options("--ic", "xive", "--net.control", "yes", "--trace", "linux.vcd"))
        calls = [name for name in self.calls_of_cpu0(self.directory / "linux.vcd") if name in SEQUENCE]
        self.assertEqual(calls, SEQUENCE)

    @staticmethod
    def calls_of_cpu0(waveform):
        """Hypercalls and ultracalls of the guest itself, from the signal cpu0.call."""
        scopes, signal, calls = [], None, []
        for line in waveform.read_text().splitlines():
            words = line.split()
            if line.startswith("$scope"):
                scopes.append(words[2])
            elif line.startswith("$upscope"):
                scopes.pop()
            elif line.startswith("$var") and scopes[-1:] == ["cpu0"] and words[4] == "call":
                signal = words[3]
            elif line.startswith("s") and words[1:] == [signal] and words[0] != "s-":
                calls.append(words[0][1:])
        return calls

    def test_ways_of_dma_are_compared(self):
        report = self.shown("linux_compare", "--image", image("--init", "load"), "--no-trace", "--plot", "", "--append",
                            "console=hvc0 quiet pefsim.sizes=4096,65536 pefsim.requests=16")  # fmt: skip
        ways = {each["way"]: each for each in report["results"]["comparison"]}
        self.assertEqual(len(ways), 6)
        for load in range(4):
            cost = {way: each["requests"][load] for way, each in ways.items()}
            self.assertLess(cost["direct window"]["instructions"], cost["swiotlb"]["instructions"])
            self.assertLess(cost["direct window"]["hypercalls"] + 4, cost["32-bit window"]["hypercalls"])
            # A read, too, is copied into the pool before the device writes there; besides, rings and headers.
            shared = cost["secure"]["bytes_shared"] - cost["secure"]["size"]
            self.assertTrue(0 < shared < 512, shared)
        self.assertEqual([each["pages_exposed"] < 100 for each in ways.values()], [False] * 5 + [True])

    @unittest.skipUnless(FULL, "PEFSIM_FULL")
    def test_others(self):
        for options in (("--virtio.packed", "yes"), ("--cpus", 2), ("--cpus", 4), ("--ic", "xive"),
                        ("--memory.size", "16GiB", "--cpus", 8), ("--host.policy", "bus_error")):  # fmt: skip
            with self.subTest(options=options):
                self.boot(*options)

    @unittest.skipUnless(FULL, "PEFSIM_FULL")
    def test_debians_programs_on_an_ext4_root(self):
        disk = pathlib.Path(image(kind="root")) / "root.ext4"
        report = self.shown("linux_secure", "--image", image("--config", "full", "--add", "tracing", "--init", "root"), "--disk",
                            f"{disk}:snapshot", "--memory.size", "1GiB", "--no-trace", "--time_limit", "1000s", "--append",
                            "console=hvc0 quiet svm=on swiotlb=16384,force")  # fmt: skip
        points = " ".join(point["text"] for point in report["verdict"])
        for each in ("SHA256SUM-OK", "PYTHON-OK", "OPENSSL-SHA256-OK", "OPENSSL-AES-OK", "SQLITE-OK", "svm is 1"):
            self.assertIn(each, points)

    def test_the_default_order_of_swiotlb_is_explained(self):
        report = self.shown("linux_secure_default_swiotlb", *self.options("--no-trace"))
        self.explains(report, "virtio-rng0", "a descriptor names memory that the host cannot read")
        # What the device wrote there is no page of the guest's any more: never silently.
        self.assertIn("cannot bring back a page", report["ended"]["text"])

    def test_devices_without_access_platform_are_explained(self):
        report = self.shown("linux_secure_without_access_platform", *self.options("--no-trace"))
        self.explains(report, "virtio-blk0", "a virtqueue, or a table of descriptors, lies in memory that the host "
                      "cannot read")  # fmt: skip

    @unittest.skipUnless(FULL, "PEFSIM_FULL")
    def test_a_kernel_of_4k_pages_shares_what_it_does_not_mean(self):
        """Linux counts in its own pages, the Ultravisor in pages of 64 KiB: docs/kernels.md."""
        result = run("linux_secure", "--report", "report.json", "--image", image("--pages", "4K"), "--memory.size", "256MiB",
                     "--no-trace", cwd=self.directory)  # fmt: skip
        self.assertEqual(result.status, 1)
        report = json.loads((self.directory / "report.json").read_text())
        self.explains(report, "virtio-blk0", "a virtqueue, or a table of descriptors, lies in memory that the host cannot read")
        meant = next(each["address"] for each in report["runs"][0]["violations"]["kept"]
                     if each["kind"] == "refused_access" and each["who"] == "hypervisor")  # fmt: skip
        shared = next(each for each in report["runs"][0]["exposure"]["shares"] if "allocate_paca" in each["functions"])
        self.assertEqual(shared["first_page"], meant >> 12)

    def explains(self, report, device, what):
        told = [(each["who"], each["detail"]) for each in report["runs"][0]["violations"]["kept"]
                if each["kind"] == "private_address"]  # fmt: skip
        self.assertIn((device, what), told)


if __name__ == "__main__":
    unittest.main()
