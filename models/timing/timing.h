// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <string_view>

/// Every cost in simulated time that a machine charges: one named field each, with unit, default and the source of the
/// default. docs/timing.md is the same table in prose.
namespace pefsim::timing {

struct timing {
    // Guest CPU
    double cpu_cycle_ns = 0.263;
    double instruction_cycles = 1;
    double guest_call_cycles = 60;
    double indirect_call_cycles = 0;
    double indirect_call_barrier_cycles = 68;
    double static_call_cycles = 1;
    double memcpy_gb_per_s = 10;
    double memory_access_ns = 2;
    double barrier_ns = 10;
    double interrupt_ns = 500;
    double spinlock_ns = 15;
    double swiotlb_slot_cycles = 4;
    // World switches
    double hypercall_ns = 400;
    double reflection_ns = 600;
    double interrupt_return_ns = 300;
    double ultracall_ns = 500;
    double mmio_exit_ns = 1'200;
    double page_crypt_gb_per_s = 4;
    double page_zero_gb_per_s = 20;
    double page_in_ns = 1'000;
    // Host bridge and devices
    double pci_latency_ns = 100;
    double pci_gb_per_s = 12;
    double tce_walk_ns = 40;
    double msi_ns = 200;
    double virtqueue_kick_ns = 2'000;
    double block_latency_us = 10;
    double block_gb_per_s = 3;
    double net_latency_us = 5;
    double net_gb_per_s = 3.125;
    double entropy_latency_us = 2;
};

/// A row of the table of costs.
struct cost {
    std::string_view name;
    double timing::*field;
    std::string_view unit;
    std::string_view source;
    std::string_view description;
};

// clang-format off: a table
inline constexpr std::array costs{
    cost{"cpu_cycle", &timing::cpu_cycle_ns, "ns", "POWER9 at 3.8 GHz", "one cycle of the guest CPU"},
    cost{"instruction", &timing::instruction_cycles, "cycles", "assumed",
         "one instruction of a guest that runs on a POWER9 core, on average"},
    cost{"guest_call", &timing::guest_call_cycles, "cycles", "assumed",
         "fixed work of one driver or DMA-ops call"},
    cost{"indirect_call", &timing::indirect_call_cycles, "cycles", "none measured, virtio in 2025",
         "a DMA operation called through a pointer that is predicted, over a direct call"},
    cost{"indirect_call_barrier", &timing::indirect_call_barrier_cycles, "cycles",
         "XDP_REDIRECT with retpolines, 2018; calls a packet assumed",
         "the same where indirect branches are not predicted"},
    cost{"static_call", &timing::static_call_cycles, "cycles", "assumed",
         "a DMA operation called through a branch that is patched, over a direct call"},
    cost{"memcpy", &timing::memcpy_gb_per_s, "GB/s", "assumed", "copy bandwidth of one CPU (bounce copies)"},
    cost{"memory_access", &timing::memory_access_ns, "ns", "assumed",
         "one load or store of ring or descriptor memory"},
    cost{"barrier", &timing::barrier_ns, "ns", "assumed", "lwsync or sync of the guest CPU"},
    cost{"interrupt", &timing::interrupt_ns, "ns", "assumed",
         "entry to and return from an external interrupt"},
    cost{"spinlock", &timing::spinlock_ns, "ns", "assumed", "taking and releasing a lock that is free"},
    cost{"swiotlb_slot", &timing::swiotlb_slot_cycles, "cycles", "assumed",
         "looking at or changing one slot of the bounce pool, under its area's lock"},
    cost{"hypercall", &timing::hypercall_ns, "ns", "assumed", "sc 1 into the hypervisor and back"},
    cost{"reflection", &timing::reflection_ns, "ns", "assumed",
         "added when the Ultravisor reflects a hypercall or an interrupt"},
    cost{"interrupt_return", &timing::interrupt_return_ns, "ns", "assumed",
         "added when the Ultravisor takes an interrupt and hands it back to the guest"},
    cost{"ultracall", &timing::ultracall_ns, "ns", "assumed", "sc 2 into the Ultravisor and back"},
    cost{"mmio_exit", &timing::mmio_exit_ns, "ns", "assumed",
         "an MMIO access emulated by the host (doorbell)"},
    cost{"page_crypt", &timing::page_crypt_gb_per_s, "GB/s", "assumed",
         "AES-128-GCM of a page that leaves or comes back"},
    cost{"page_zero", &timing::page_zero_gb_per_s, "GB/s", "assumed", "clearing a page that changes sides"},
    cost{"page_in", &timing::page_in_ns, "ns", "assumed", "mapping work of one UV_PAGE_IN or UV_PAGE_OUT"},
    cost{"pci_latency", &timing::pci_latency_ns, "ns", "assumed",
         "one device access to memory, before its bytes"},
    cost{"pci_bandwidth", &timing::pci_gb_per_s, "GB/s", "assumed", "bytes of device accesses"},
    cost{"tce_walk", &timing::tce_walk_ns, "ns", "assumed", "one TCE look-up in the host bridge"},
    cost{"msi", &timing::msi_ns, "ns", "assumed", "from a device's MSI write to the interrupt line"},
    cost{"virtqueue_kick", &timing::virtqueue_kick_ns, "ns", "assumed",
         "from a doorbell to the device looking at its queue"},
    cost{"block_latency", &timing::block_latency_us, "us", "Optane P4800X at queue depth 1, KVM Forum 2020",
         "service time of one block request"},
    cost{"block_bandwidth", &timing::block_gb_per_s, "GB/s", "assumed", "bytes of block requests"},
    cost{"net_latency", &timing::net_latency_us, "us", "assumed", "one way to the network peer"},
    cost{"net_bandwidth", &timing::net_gb_per_s, "GB/s", "25 Gb/s Ethernet", "bytes of frames"},
    cost{"entropy_latency", &timing::entropy_latency_us, "us", "assumed",
         "service time of one entropy request"},
};
// clang-format on

}  // namespace pefsim::timing
