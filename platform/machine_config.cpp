// SPDX-License-Identifier: Apache-2.0
#include "platform/machine_config.h"

#include <fmt/format.h>

#include <bit>
#include <stdexcept>
#include <utility>

#include "abi/address.h"
#include "abi/platform.h"
#include "platform/about.h"
#include "platform/quantity.h"
#include "timing/cost_range.h"

namespace pefsim::platform {

void require(bool holds, const std::string& otherwise) {
    if (!holds) {
        throw std::invalid_argument(otherwise);
    }
}

namespace {

/// "0x1000", or as sizes are written.
std::uint64_t size_of_range(std::string_view text) {
    return text.starts_with("0x") || text.starts_with("0X") ? parse_integer(text) : parse_size(text);
}

}  // namespace

void machine_config::declare_machine(parameter_set& parameters) {
    parameters.add("cpus", cpus, "CPUs", "guest CPUs, 1 to 64");
    parameters.add("ultravisor", ultravisor, "the machine has an Ultravisor");
    parameters.add("quantum", quantum, "how far a CPU may run ahead of simulation time");
    parameters.add("time_limit", time_limit, "simulated time after which an unfinished guest is stopped");
    parameters.add("memory.size", memory_size, quantity::bytes, "bytes",
                   "guest RAM, whole 64 KiB pages, up to 64GiB");

    parameters.add(
        "watch-page", watched_pages, "GFN|ADDRESS",
        "a page of 64 KiB, by number or by an address in it, whose story the report tells: changes of "
        "state, writers, looks of host and devices; may be repeated");
    parameters.add("watch-range", watched_ranges, "BASE+SIZE",
                   "the same for SIZE bytes from the address BASE on; may be repeated");

    parameters.add("host.policy", policy,
                   {{"page_out", host_policy::page_out}, {"bus_error", host_policy::bus_error}},
                   "what the host does when it touches a page that is kept from it");
    parameters.add("host.time_slice", time_slice,
                   "the host takes a CPU out of the guest after so long (hypervisor decrementer); 0s: never");
    parameters.add("host.iommu", iommu,
                   "devices with ACCESS_PLATFORM go through TCEs; no: bus address = guest address");
}

void machine_config::declare_devices(parameter_set& parameters) {
    parameters.add("virtio.access_platform", access_platform, "devices offer VIRTIO_F_ACCESS_PLATFORM");
    parameters.add("virtio.indirect", indirect, "devices offer VIRTIO_F_INDIRECT_DESC");
    parameters.add("virtio.event_idx", event_idx, "devices offer VIRTIO_F_EVENT_IDX");
    parameters.add("virtio.require_access_platform", require_access_platform,
                   "devices refuse a driver that declines VIRTIO_F_ACCESS_PLATFORM, as QEMU's do");
    parameters.add("virtio.packed", packed, "devices offer VIRTIO_F_RING_PACKED");
    parameters.add("virtio.in_order", in_order, "devices offer VIRTIO_F_IN_ORDER");
    parameters.add("virtio.notification_data", notification_data, "devices offer VIRTIO_F_NOTIFICATION_DATA");
    parameters.add("virtio.queue_size", queue_size, "entries",
                   "entries of each virtqueue, a power of two up to 32768");
    parameters.add("virtio.block_queues", block_queues, "queues",
                   "queues of each disk, up to 64; 0: one for each CPU");
    parameters.add("virtio.discard", discard, "disks offer VIRTIO_BLK_F_DISCARD");
    parameters.add("virtio.write_zeroes", write_zeroes, "disks offer VIRTIO_BLK_F_WRITE_ZEROES");
}

void machine_config::declare_network(parameter_set& parameters) {
    parameters.add("net.mtu", mtu, "bytes", "largest IP packet, 68 to 65535");
    parameters.add("net.queue_pairs", network_queue_pairs, "pairs",
                   "pairs of a receive and a transmit queue, up to 64; several need net.control");
    parameters.add("net.control", network_control, "the device has a control queue (VIRTIO_NET_F_CTRL_VQ)");
    parameters.add("net.mergeable", network_mergeable, "the device offers VIRTIO_NET_F_MRG_RXBUF");
    parameters.add(
        "net.offloads", network_offloads,
        "the device offers checksums and TCP segmentation (CSUM, GUEST_CSUM, HOST_TSO4, HOST_TSO6)");
    parameters.add(
        "net.pcap", pcap, output::file_use::output,
        "write every frame into this pcapng file, each with the buffers that it stands in as its comment; "
        "a FIFO has each at once");
}

void machine_config::declare_costs(parameter_set& parameters) {
    for (const timing::cost& cost : timing::costs) {
        parameters.add("timing." + std::string(cost.name), costs.*cost.field, std::string(cost.unit),
                       std::string(cost.description));
    }
}

void machine_config::check() const {
    require(cpus >= 1 && cpus <= 64, fmt::format("cpus: {} is not within 1 to 64", cpus));
    require(memory_size >= 16 * abi::page_size && memory_size <= abi::platform::max_ram_size &&
                memory_size % abi::page_size == 0,
            fmt::format("memory.size: {} is not a multiple of 64KiB within 1MiB to 64GiB",
                        format_size(memory_size)));
    require(quantum > sc_core::SC_ZERO_TIME, "quantum: must be longer than 0");
    // Within a quantum nobody asks for time limit, debugger or signals.
    require(quantum <= sc_core::sc_time(1, sc_core::SC_MS),
            fmt::format("quantum: {} is longer than 1ms", format_duration(quantum)));
    require(time_limit > sc_core::SC_ZERO_TIME, "time_limit: must be longer than 0");
    require(std::has_single_bit(queue_size) && queue_size >= 2 && queue_size <= 32768,
            fmt::format("virtio.queue_size: {} is not a power of two within 2 to 32768", queue_size));
    require(access_platform || !require_access_platform,
            "virtio.require_access_platform: needs virtio.access_platform");
    require(block_queues <= 64, fmt::format("virtio.block_queues: {} is not within 0 to 64", block_queues));
    require(mtu >= 68 && mtu <= 65535, fmt::format("net.mtu: {} is not within 68 to 65535", mtu));
    require(network_queue_pairs >= 1 && network_queue_pairs <= 64,
            fmt::format("net.queue_pairs: {} is not within 1 to 64", network_queue_pairs));
    require(network_queue_pairs == 1 || network_control,
            fmt::format("net.queue_pairs: {} pairs need net.control", network_queue_pairs));
    for (const timing::cost& cost : timing::costs) {
        const timing::cost_range allowed = timing::range_of(cost);
        require(allowed.contains(costs.*cost.field),
                fmt::format("timing.{}: {} is not within {} to {} {}", cost.name, costs.*cost.field,
                            allowed.least, allowed.most, cost.unit));
    }
    static_cast<void>(watches());
}

std::vector<machine_config::watch> machine_config::watches() const {
    std::vector<watch> result;
    for (const std::string& each : watched_pages) {
        const std::uint64_t number = about("watch-page", [&] { return parse_integer(each); });
        const abi::gfn page = number < memory_size / abi::page_size ? number
                                                                    : abi::gfn_of(abi::phys_addr{number});
        require(
            page < memory_size / abi::page_size,
            fmt::format("watch-page: {} is not in the guest's memory of {}", each, format_size(memory_size)));
        result.push_back({abi::page_base(page), abi::page_size});
    }
    for (const std::string& each : watched_ranges) {
        const std::size_t plus = each.find('+');
        require(plus != std::string::npos, fmt::format("watch-range: '{}' is not BASE+SIZE", each));
        const auto [base, size] = about("watch-range", [&] {
            return std::pair(parse_integer(each.substr(0, plus)), size_of_range(each.substr(plus + 1)));
        });
        require(size != 0 && size <= memory_size && base <= memory_size - size,
                fmt::format("watch-range: {} is not in the guest's memory of {}", each,
                            format_size(memory_size)));
        result.push_back({abi::phys_addr{base}, size});
    }
    return result;
}

}  // namespace pefsim::platform
