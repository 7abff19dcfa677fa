// SPDX-License-Identifier: Apache-2.0
#include "trace/initial_view.h"

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

namespace pefsim::trace {

namespace {

/// Numbers whose bits have meanings of their own.
constexpr std::array<std::string_view, 6> bit_fields{"features",   "status",  "isr",
                                                     "mmio_value", "pending", "msr"};

/// The stations of a block request or a frame of "virtio-blk0": the end of a scope ("%" is the device, "_" the same as
/// its driver's scope has it), and signals there, in order of the journey.
struct station {
    std::string_view scope;
    std::array<std::string_view, 6> names;
};
constexpr std::array stations{
    station{".cpu0", {"msr_s", "driver_call", "call", "interrupt"}},
    station{".kernel._", {"dma_ops", "request_state", "submitted", "completed", "sent", "received"}},
    station{".swiotlb", {"copy_direction", "copy_bytes", "copy_request", "pool_used"}},
    station{".iommu", {"tces_in_use"}},
    station{".ultravisor", {"hypercall"}},
    station{".hypervisor", {"mmio_address"}},
    station{".%.", {"doorbell", "request", "avail_idx", "used_idx", "interrupt"}},
    station{".memory",
            {"host_access_initiator", "host_access_request", "host_access_kind", "host_access_address",
             "host_access_bytes"}},
};

bool is_of(const station& where, std::string_view scope, const std::string& device) {
    std::string driver = device;
    std::ranges::replace(driver, '-', '_');
    if (where.scope == ".%.") {
        return scope.find("." + device + ".") != std::string_view::npos && scope.ends_with(".queue0");
    }
    std::string wanted(where.scope);
    if (wanted.ends_with('_')) {
        wanted.replace(wanted.size() - 1, 1, driver);
    }
    return scope.ends_with(wanted);
}

grouped_signals journey_of(const recorder& of, const initial_view& view) {
    grouped_signals group{{}, "Journey of a request", false, {}};
    for (const station& each : stations) {
        for (const std::string_view name : each.names) {
            for (std::uint32_t id = 0; id < of.signals().size() && !view.device.empty() && !name.empty();
                 ++id) {
                const signal_declaration& s = of.signals()[id];
                const bool moves = view.changed.empty() || view.changed[id];
                if (moves && s.name == name && is_of(each, s.scope, view.device)) {
                    group.signals.push_back(id);
                }
            }
        }
    }
    return group;
}

bool has_changed(const grouped_signals& group, const initial_view& view) {
    return view.changed.empty() ||
           std::ranges::any_of(group.signals, [&](std::uint32_t id) { return view.changed[id]; });
}

}  // namespace

std::vector<grouped_signals> viewed_groups(const recorder& of, const initial_view& view) {
    std::vector<grouped_signals> groups = signal_groups(of);
    if (grouped_signals journey = journey_of(of, view); !journey.signals.empty()) {
        groups.insert(groups.begin(), std::move(journey));
    }
    for (grouped_signals& group : groups) {
        group.folded = group.folded || !has_changed(group, view);
    }
    return groups;
}

radix radix_of(const signal_declaration& signal) {
    switch (signal.type) {
    case signal_type::bit:
    case signal_type::event:
        return radix::bit;
    case signal_type::unsigned_integer:
        return std::ranges::count(bit_fields, signal.name) != 0 ? radix::hexadecimal : radix::decimal;
    case signal_type::address:
        return radix::hexadecimal;
    case signal_type::text:
        break;
    }
    return radix::text;
}

}  // namespace pefsim::trace
