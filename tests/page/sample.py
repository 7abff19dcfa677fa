# SPDX-License-Identifier: Apache-2.0
"""A report with everything that a page can show, made by hand: a secure guest that read and wrote a disk."""

PARTS = ["driver", "map", "copy", "ring", "doorbell", "device", "interrupt", "copy back", "completion"]


def anatomy():
    def group(kind, scale):
        mean = [scale * n for n in (400, 900, 2600, 300, 2100, 11000, 1900, 2700, 500)]
        return {"device": "machine.virtio-blk0", "kind": kind, "count": 32,
                "total": {"mean_ns": sum(mean), "p50_ns": sum(mean), "p90_ns": sum(mean) * 1.2, "p99_ns": sum(mean) * 2,
                          "max_ns": sum(mean) * 3},
                "mean_ns": mean, "p50_ns": mean, "p99_ns": [2 * n for n in mean],
                "first": {"number": 1, "begin_ns": 40_000.0, "parts_ns": mean},
                "slowest": {"number": 9, "begin_ns": 600_000.0, "parts_ns": [3 * n for n in mean]}}

    return {"parts": PARTS, "requests": [group("read", 1), group("write", 1.3)]}


def run(label=""):
    def metric(unit, description, **values):
        return {"unit": unit, "description": description, **values}

    return {
        "label": label,
        "ended": {"kind": "finished", "text": "the guest finished", "partial": False, "details": []},
        "simulated_time_ns": 1_000_000.0,
        "rates_are_of_ns": {"begin": 30_000.0, "end": 1_000_000.0},
        "figures": {"throughput": {"unit": "MB/s", "description": "data by time", "value": 812.5}},
        "metrics": {
            "counters": {
                "machine.cpu0.mmio_stores": metric("stores", "MMIO stores", value=64),
                "machine.cpu0.interrupts": metric("interrupts", "taken", value=64),
                "machine.swiotlb.maps": metric("mappings", "buffers mapped", value=192),
                "machine.swiotlb.bytes_to_bounce": metric("bytes", "copied", value=2 << 20),
                "machine.ultravisor.mmio_reflected": metric("accesses", "reflected", value=64),
                "machine.hypervisor.mmio_exits": metric("accesses", "emulated", value=64),
                "machine.pci.interrupt_messages": metric("interrupts", "sent", value=64),
                "machine.virtio-blk0.dma_bytes_read": metric("bytes", "read from memory", value=1 << 20),
                "machine.virtio-blk0.dma_bytes_written": metric("bytes", "written to memory", value=1 << 20),
                "machine.virtio-blk0.block.doorbells": metric("notifications", "rung", value=64)},
            "levels": {"machine.swiotlb.pool_used": metric("slots", "taken", value=0, high_water=300),
                       "machine.swiotlb.pool_slots": metric("slots", "in the pool", value=512, high_water=512)},
            "histograms": {"machine.virtio-blk0.block.latency": metric(
                "ns", "in the device", count=64, mean=11000.0, min=9000.0, p50=11000.0, p90=12000.0, p99=13000.0, p99_9=13000.0,
                max=14000.0)},
            "tallies": {
                "machine.cpu0.hypercalls": metric("calls", "sc 1, by name", total=130, counts={"H_XIRR": 64, "H_EOI": 64, "H_CEDE": 2}),
                "machine.cpu0.ultracalls": metric("calls", "sc 2, by name", total=3, counts={"UV_ESM": 1, "UV_SHARE_PAGE": 2}),
                "machine.ultravisor.ultracalls": metric("calls", "by name", total=3, counts={"UV_ESM": 1, "UV_SHARE_PAGE": 2}),
                "machine.ultravisor.hypercalls": metric("calls", "reflected", total=130, counts={"H_XIRR": 64, "H_EOI": 64}),
                "machine.hypervisor.hypercalls": metric("calls", "served", total=130, counts={"H_XIRR": 64, "H_EOI": 64}),
                "machine.xics.interrupts_presented": metric("interrupts", "by server", total=64, counts={"server0": 64})}},
        "exposure": {
            "pages_exposed": 17, "pages_ever_exposed": 20, "guest_bytes_written": 2 << 20, "guest_bytes_looked_at": 1 << 20,
            "guest_bytes_never_looked_at": 1 << 20, "guest_bytes_standing": 4096,
            "writers": [{"initiator": "cpu0", "origin": "virtqueue.add", "host": False, "bytes_written": 2 << 20,
                         "bytes_looked_at": 1 << 20, "bytes_never_looked_at": 1 << 20, "bytes_standing": 4096}],
            "call_chains": [],
            "shares": [{"time_ns": 20_000.0, "first_page": 0x42, "pages": 16, "still_exposed": 16, "state": "SHARED",
                        "call": "UV_SHARE_PAGE", "by": "cpu0", "functions": ["swiotlb.setup"], "driver": ""}],
            "channels": {"mmio": {"times": 64, "bytes": 128}, "hypercall_register": {"times": 130, "bytes": 2048}},
            "canaries": {"planted": 8, "sightings": 1, "kept": [{
                "time_ns": 700_000.0, "last_time_ns": 700_000.0, "count": 1, "channel": "shared_page", "canary": "canary5",
                "address": 0x43_0100, "size": 32, "writer": {"initiator": "cpu0", "origin": "virtqueue.add", "mapping": 12}}]}},
        "violations": {"total": 2, "by_kind": {"refused_access": 1, "dma_mapping": 1}, "kept": [
            {"time_ns": 500_000.25, "last_time_ns": 500_000.25, "count": 1, "kind": "refused_access", "who": "virtio-blk0",
             "address": 0x9_0040, "size": 16, "page_state": "SECURE", "request": 7, "detail": "read of a buffer; got ciphertext"},
            {"time_ns": 800_000.0, "last_time_ns": 900_000.0, "count": 3, "kind": "dma_mapping", "who": "cpu0", "address": 0,
             "size": 0, "page_state": "", "request": 0, "detail": "unmap of what is not mapped"}]},
        "notes": {"total": 0, "by_kind": {}, "kept": []},
        "trace": None,
        "anatomy": anatomy(),
        "series": {"columns": [{"name": "at", "unit": "ns"}, {"name": "requests", "unit": "requests"}, {"name": "bytes", "unit": "bytes"},
                               {"name": "latency_mean", "unit": "ns"}, {"name": "pool_used", "unit": "slots"}],
                   "rows": [[30_000 + 9_700 * i, i % 7, 4096 * (i % 7), 20_000 + 100 * (i % 13), 200 + i % 50] for i in range(100)]},
        "page_map": {"page_bytes": 65536, "pages": 4096, "spans": [
            {"first": 0, "count": 0x42, "state": "SECURE", "writers": [], "written": 0, "looked_at": 0},
            {"first": 0x42, "count": 16, "state": "SHARED", "writers": ["cpu0: virtqueue.add"], "written": 2 << 20, "looked_at": 1 << 20},
            {"first": 0x52, "count": 1, "state": "SHARED", "writers": ["cpu0: virtqueue.set_up", "virtio-blk0"], "written": 9000, "looked_at": 0},
            {"first": 0x53, "count": 3, "state": "PAGEDOUT", "writers": [], "written": 0, "looked_at": 0},
            {"first": 0x56, "count": 4096 - 0x56, "state": "SECURE", "writers": [], "written": 0, "looked_at": 0}]},
        "watched": [{"page": 0x43, "address": 0x43_0000, "state": "SHARED", "events": [
            {"time_ns": 20_000.0, "last_time_ns": 20_000.0, "count": 1, "what": "became", "who": "ultravisor", "function": "", "detail": "SHARED"},
            {"time_ns": 41_000.0, "last_time_ns": 90_000.0, "count": 12, "what": "written", "who": "cpu0", "function": "virtqueue.add",
             "detail": "", "bytes": 4096, "begin": 0, "end": 4096}],
            "events_not_kept": 0, "standing": [{"begin": 0, "end": 4096, "written_ns": 41_000.0, "host_reads": 1,
                                                "writer": {"initiator": "cpu0", "origin": "virtqueue.add", "mapping": 3}}]}],
        "profile": {"unit": "samples", "stacks": [["start_kernel;rest_init;cpu_idle", 400], ["start_kernel;virtio_init;vring_add", 90],
                                                  ["start_kernel;virtio_init;swiotlb_map;memcpy", 210], ["ret_from_fork;worker", 50]]},
    }


def report(runs=None):
    return {
        "scenario": "sample", "description": "A secure guest reads and writes a disk.", "seed": 7,
        "parameters": {"cpus": "2", "swiotlb.size": {"value": 1 << 20, "unit": "bytes"}, "virtio.indirect": "no"},
        "shown": False,
        "verdict": [{"shown": True, "text": "the guest finished"}, {"shown": False, "text": "nobody broke a rule"}],
        "ended": {"kind": "finished", "text": "the guest finished", "partial": False, "details": ["cpu0 runs"]},
        "results": {}, "runs": runs or [run()], "files": {}}
