// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <span>
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

    // --- samples of a profile
    using callstack = std::uint64_t;
    struct frame {
        std::string_view function{};
        std::uint64_t address = 0;  ///< where it begins; 0: not known
    };
    /// The first packet of a profile, in place of clear_state(). \param program whose samples they are
    /// \param counter what is counted  \param period how many of that from one sample to the next
    void begin_profile(std::string_view program, std::string_view counter, std::uint64_t period);
    /// \param outermost_first not empty
    callstack add_callstack(std::span<const frame> outermost_first);
    void sample(callstack at, std::uint64_t ns);

private:
    enum class event_type : std::uint8_t { slice_begin = 1, slice_end = 2, instant = 3, counter = 4 };
    /// Looked up by what need not be a string of its own.
    struct name_hash : std::hash<std::string_view> {
        using is_transparent = void;
    };
    using interned = std::unordered_map<std::string, std::uint64_t, name_hash, std::equal_to<>>;

    void named(event_type type, track on, std::uint64_t ns, std::string_view name, const details& more);
    /// What is new is told before it is used.
    std::uint64_t number_of(interned& in, std::string_view name, std::uint32_t field);
    std::uint64_t number_of(const frame& what);
    void tell_name(std::uint32_t field, std::uint64_t number, std::string_view name);

    std::string& to_;
    track last_track_ = 0;
    callstack last_callstack_ = 0;
    std::int32_t last_rank_ = 0;
    category last_category_ = 0;
    interned names_;
    interned functions_;  // and each function is a frame with the same number
};

}  // namespace pefsim::trace
