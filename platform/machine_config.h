// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <systemc>
#include <vector>

#include "guest/dma_ops_selection.h"
#include "platform/parameter_set.h"
#include "timing/timing.h"

namespace pefsim::platform {

/// A module of DMA operations that can be bound to one of virtio core's ports.
enum class dma_operations : std::uint8_t { none, direct, swiotlb, iommu };
constexpr std::string_view to_name(dma_operations operations) {
    switch (operations) {
    case dma_operations::none:
        return "none";
    case dma_operations::direct:
        return "direct";
    case dma_operations::swiotlb:
        return "swiotlb";
    case dma_operations::iommu:
        return "iommu";
    }
    return "?";
}

/// What the host does when it, or one of its devices, touches a page that the Ultravisor keeps from it.
enum class host_policy : std::uint8_t {
    page_out,   ///< KVM: asks for the page by UV_PAGE_OUT and goes on with the ciphertext
    bus_error,  ///< the access fails
};

/// What stands behind a virtio-blk device.
enum class disk_access : std::uint8_t {
    read_write,  ///< the image file itself
    read_only,   ///< the image file; the device offers VIRTIO_BLK_F_RO
    snapshot,    ///< the image file as it is; what is written is kept in memory and lost at the end
};

struct disk_config {
    std::filesystem::path image{};  ///< raw image; empty: a disk in memory with pseudo-random content
    disk_access access = disk_access::read_write;
    std::uint64_t size = std::uint64_t{16} << 20;  ///< of a disk in memory, bytes
    bool blank = false;                            ///< a disk in memory that reads as zeros
};

/// Everything that makes one machine. The defaults are an ordinary guest on a host with an Ultravisor, one CPU, 256 MiB, the
/// IOMMU on, and no devices.
struct machine_config {
    unsigned cpus = 1;
    std::uint64_t memory_size = std::uint64_t{256} << 20;  ///< bytes, a multiple of 64 KiB
    bool ultravisor = true;
    bool secure = false;  ///< the guest's kernel makes itself secure (UV_ESM) when it starts
    host_policy policy = host_policy::page_out;
    bool iommu = true;  ///< off: bus addresses are guest physical addresses for every device
    sc_core::sc_time quantum{10, sc_core::SC_US};

    dma_operations arch_dma_ops = dma_operations::iommu;     ///< the architecture's default
    dma_operations platform_dma_ops = dma_operations::none;  ///< what the platform's override hook installs
    guest::platform_override override_when =
        guest::platform_override::secure_guest;  ///< when the hook applies

    std::uint64_t swiotlb_size = std::uint64_t{4} << 20;  ///< bytes of the pool, a multiple of 256 KiB
    unsigned swiotlb_areas = 0;                           ///< 0: the number of CPUs

    bool access_platform = false;  ///< devices offer VIRTIO_F_ACCESS_PLATFORM
    bool indirect = true;          ///< devices offer VIRTIO_F_INDIRECT_DESC
    bool event_idx = true;         ///< devices offer VIRTIO_F_EVENT_IDX
    unsigned queue_size = 256;     ///< entries of each virtqueue

    std::vector<disk_config> disks;
    bool network = false;
    unsigned mtu = 1500;         ///< bytes
    std::filesystem::path pcap;  ///< every frame goes into this file too, unless empty
    bool entropy = false;

    unsigned canaries = 8;  ///< secrets planted in the guest's memory and registers, for the leak oracle
    timing::timing costs;
    sc_core::sc_time time_limit{100, sc_core::SC_SEC};  ///< a guest that has not finished by then is stopped

    /// Adds every field that a user may change to `parameters`, bound to this object.
    void declare(parameter_set& parameters);
    /// \throws std::invalid_argument with one line naming the parameters that are wrong or contradict each other
    void check() const;
    [[nodiscard]] bool uses(dma_operations operations) const {
        return arch_dma_ops == operations || platform_dma_ops == operations;
    }
};

}  // namespace pefsim::platform
