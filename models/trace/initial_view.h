// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "trace/recorder.h"
#include "trace/signal_groups.h"

namespace pefsim::trace {

/// What a viewer shows at first. Times are in units of SystemC's time resolution.
struct initial_view {
    std::uint64_t from;
    std::uint64_t to;
    struct marker {
        std::uint64_t at;
        std::string name;
    };
    std::vector<marker> markers{};    ///< at most most_markers are shown
    std::vector<bool> changed{};      ///< signals that have changed, by id; empty: all have
    std::string device{};             ///< whose requests' journey stands on top: "virtio-blk0"; empty: none
    std::uint64_t waveform_from = 0;  ///< all of it
    std::uint64_t waveform_to = 0;

    static constexpr std::size_t most_markers = 26;
    [[nodiscard]] std::span<const marker> shown_markers() const {
        return std::span(markers).first(markers.size() < most_markers ? markers.size() : most_markers);
    }
};

/// The signals that a request's journey touches, then all signals, a group per title (trace/signal_groups.h); a group
/// in which nothing has changed is folded.
std::vector<grouped_signals> viewed_groups(const recorder& of, const initial_view& view);

/// How people read a signal's values.
enum class radix : std::uint8_t { bit, decimal, hexadecimal, text };
/// Addresses, and numbers whose bits have meanings of their own, are hexadecimal.
radix radix_of(const signal_declaration& signal);

}  // namespace pefsim::trace
