// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <unordered_map>

namespace pefsim::trace {

/// Packets of perfetto.protos.Trace, one sequence of them, appended to a buffer. Names are interned.
class perfetto_packets {
public:
    using track = std::uint64_t;
    using category = std::uint64_t;

    /// What a span or an instant says besides its name; numbers of 0 are not said.
    struct details {
        category in = 0;
        std::uint64_t correlation = 0;
        std::uint64_t flow = 0;     ///< an arrow from or through here
        bool flow_ends = false;     ///< or to here
        std::uint64_t request = 0;  ///< annotation
    };

    explicit perfetto_packets(std::string& to) : to_(to) {}

    void clear_state(std::uint64_t ns);  ///< the first packet
    category add_category(std::string_view name);
    track add_process(std::string_view name);
    track add_track(track within, std::string_view name);
    track add_counter(track within, std::string_view name, std::string_view unit);
    void begin(track on, std::uint64_t ns, std::string_view name, const details& more);
    void end(track on, std::uint64_t ns);
    void instant(track on, std::uint64_t ns, std::string_view name, const details& more);
    void value(track on, std::uint64_t ns, std::uint64_t value);

private:
    enum class event_type : std::uint8_t { slice_begin = 1, slice_end = 2, instant = 3, counter = 4 };
    /// Looked up by what need not be a string of its own.
    struct name_hash : std::hash<std::string_view> {
        using is_transparent = void;
    };
    using interned = std::unordered_map<std::string, std::uint64_t, name_hash, std::equal_to<>>;

    void named(event_type type, track on, std::uint64_t ns, std::string_view name, const details& more);
    std::uint64_t number_of(std::string_view name);
    void tell_name(std::uint32_t field, std::uint64_t number, std::string_view name);

    std::string& to_;
    track last_track_ = 0;
    std::int32_t last_rank_ = 0;
    category last_category_ = 0;
    interned names_;
};

}  // namespace pefsim::trace
