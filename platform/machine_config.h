// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <systemc>
#include <vector>

#include "abi/address.h"
#include "backend/port_forward.h"
#include "platform/parameter_set.h"
#include "timing/timing.h"
#include "ultravisor/esm_checks.h"

namespace pefsim::platform {

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

/// What stands behind the virtio-net device.
enum class network_kind : std::uint8_t {
    peer,  ///< a host that answers, the same in every run
    user,  ///< the host's own network, by address translation: a run is not deterministic
};

struct disk_config {
    std::filesystem::path image{};  ///< raw image; empty: a disk in memory with pseudo-random content
    disk_access access = disk_access::read_write;
    std::uint64_t size = std::uint64_t{16} << 20;  ///< of a disk in memory, bytes
    bool blank = false;                            ///< a disk in memory that reads as zeros
    std::filesystem::path known_as{};  ///< the file name that the guest is told, if it is not the image's
};

/// What stands behind a port of the virtio-console device.
struct console_port_config {
    std::string name{};              ///< told to the guest, unless empty
    bool is_console = true;          ///< a terminal; else a plain channel
    std::filesystem::path output{};  ///< what the guest writes; kept in memory when empty
    std::string input{};             ///< what it reads, there from the beginning
};

/// Everything that makes a machine, but for its guest. The defaults: a host with an Ultravisor, one CPU, 256 MiB, the
/// IOMMU on, and no devices.
struct machine_config {
    unsigned cpus = 1;
    std::uint64_t memory_size = std::uint64_t{256} << 20;  ///< bytes, a multiple of 64 KiB
    bool ultravisor = true;
    ultravisor::esm_checks esm{};  ///< how it checks a guest that becomes secure
    host_policy policy = host_policy::page_out;
    sc_core::sc_time time_slice{};  ///< after which the host takes a CPU back; 0: it needs none
    bool iommu = true;              ///< off: bus addresses are guest physical addresses for every device
    bool xive = false;              ///< there is a XIVE besides XICS, which firmware lets the guest choose
    sc_core::sc_time quantum{10, sc_core::SC_US};

    bool access_platform = false;          ///< devices offer VIRTIO_F_ACCESS_PLATFORM
    bool indirect = true;                  ///< devices offer VIRTIO_F_INDIRECT_DESC
    bool event_idx = true;                 ///< devices offer VIRTIO_F_EVENT_IDX
    bool require_access_platform = false;  ///< devices refuse drivers that decline ACCESS_PLATFORM
    bool packed = false;                   ///< devices offer VIRTIO_F_RING_PACKED
    bool in_order = false;                 ///< devices offer VIRTIO_F_IN_ORDER
    bool notification_data = false;        ///< devices offer VIRTIO_F_NOTIFICATION_DATA
    unsigned queue_size = 256;             ///< entries of each virtqueue
    unsigned block_queues = 0;             ///< queues of each disk, up to 64; 0: one for each CPU
    bool discard = true;                   ///< disks offer VIRTIO_BLK_F_DISCARD
    bool write_zeroes = true;              ///< disks offer VIRTIO_BLK_F_WRITE_ZEROES

    std::vector<disk_config> disks;
    bool network = false;
    network_kind network_backend = network_kind::peer;
    std::vector<backend::port_forward> forwards;  ///< ports of the host that lead to the guest, with `user`
    unsigned mtu = 1500;                          ///< bytes
    unsigned network_queue_pairs = 1;  ///< of the network device, up to 64; several need the control queue
    bool network_control = false;      ///< it offers VIRTIO_NET_F_CTRL_VQ and has a control queue
    bool network_mergeable = true;     ///< it offers VIRTIO_NET_F_MRG_RXBUF
    bool network_offloads = true;      ///< it offers checksums and segmentation
    std::filesystem::path pcap;        ///< every frame goes into this file, unless empty
    bool entropy = false;
    std::vector<console_port_config> console_ports;  ///< of a virtio-console device; none: no such device

    std::vector<std::string> watched_pages;   ///< "GFN" or "ADDRESS", as watches() understands them
    std::vector<std::string> watched_ranges;  ///< "BASE+SIZE"

    timing::timing costs;
    sc_core::sc_time time_limit{100, sc_core::SC_SEC};  ///< a guest that has not finished by then is stopped

    /// Adds what a user may change to `parameters`, bound to this object, in parts: CPUs, memory and host; devices; the
    /// network; costs.
    void declare_machine(parameter_set& parameters);
    void declare_devices(parameter_set& parameters);
    void declare_network(parameter_set& parameters);
    void declare_costs(parameter_set& parameters);
    /// \throws std::invalid_argument with one line naming the parameters that are wrong or contradict each other
    void check() const;

    /// Memory whose story the report is to tell.
    struct watch {
        abi::phys_addr first;
        std::uint64_t size;
    };
    /// What watched_pages and watched_ranges mean: a number below that of the memory's pages is a page's, any other is
    /// an address. \throws std::invalid_argument naming the parameter, the value, and what is allowed
    [[nodiscard]] std::vector<watch> watches() const;
};

/// Throws std::invalid_argument with the text `otherwise` when a condition of a configuration does not hold.
void require(bool holds, const std::string& otherwise);

}  // namespace pefsim::platform
