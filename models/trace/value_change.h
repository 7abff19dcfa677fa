// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string_view>

namespace pefsim::trace {

/// A signal's change on its way into a waveform, small enough to be kept by the thousand. Which of `number` and `text`
/// it has is the signal's type to say.
struct value_change {
    std::uint64_t time;  ///< in units of SystemC's time resolution
    union {
        std::uint64_t number;
        const char* text;
    };
    std::uint32_t id;
    std::uint32_t length;  ///< of text

    static value_change of_number(std::uint64_t at, std::uint32_t signal, std::uint64_t value) {
        return {at, {value}, signal, 0};
    }
    /// \param value lives as long as the recorder
    static value_change of_text(std::uint64_t at, std::uint32_t signal, std::string_view value) {
        value_change c{at, {0}, signal, static_cast<std::uint32_t>(value.size())};
        c.text = value.data();
        return c;
    }
    /// By members: one that is just being made is assigned from registers then (recorder::change()).
    [[gnu::always_inline]] void take(const value_change& c) {
        time = c.time;
        number = c.number;  // or text, whose size is the same
        id = c.id;
        length = c.length;
    }
    [[nodiscard]] std::string_view characters() const {
        return length == 0 ? std::string_view() : std::string_view(text, length);
    }
};

}  // namespace pefsim::trace
