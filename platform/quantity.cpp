// SPDX-License-Identifier: Apache-2.0
#include "platform/quantity.h"

#include <fmt/format.h>

#include <array>
#include <charconv>
#include <cmath>
#include <stdexcept>

namespace pefsim::platform {
namespace {

struct unit {
    std::string_view name;
    double factor;
};

constexpr std::array size_units{unit{"B", 1.0}, unit{"KiB", 0x1p10}, unit{"MiB", 0x1p20}, unit{"GiB", 0x1p30},
                                unit{"TiB", 0x1p40}};
constexpr std::array duration_units{unit{"ps", 1.0}, unit{"ns", 1e3}, unit{"us", 1e6}, unit{"ms", 1e9},
                                    unit{"s", 1e12}};

/// The number at the start of `text` and what follows it, without the blanks between.
std::pair<double, std::string_view> split(std::string_view text, std::string_view what) {
    double number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc{} || !std::isfinite(number) || number < 0) {
        throw std::invalid_argument(fmt::format("'{}' is not a {}", text, what));
    }
    text.remove_prefix(static_cast<std::size_t>(end - text.data()));
    while (!text.empty() && text.front() == ' ') {
        text.remove_prefix(1);
    }
    return {number, text};
}

template <std::size_t N>
double factor_of(std::string_view name, const std::array<unit, N>& units, std::string_view text,
                 std::string_view what) {
    std::string allowed;
    for (const unit& each : units) {
        if (each.name == name) {
            return each.factor;
        }
        allowed += allowed.empty() ? "" : ", ";
        allowed += each.name;
    }
    throw std::invalid_argument(fmt::format("'{}' is not a {}; units: {}", text, what, allowed));
}

}  // namespace

std::uint64_t parse_size(std::string_view text) {
    constexpr std::string_view what = "size";
    const auto [number, name] = split(text, what);
    const double bytes = number * (name.empty() ? 1.0 : factor_of(name, size_units, text, what));
    if (bytes != std::floor(bytes) || bytes >= 0x1p63) {
        throw std::invalid_argument(fmt::format("'{}' is not a whole number of bytes below 2^63", text));
    }
    return static_cast<std::uint64_t>(bytes);
}

sc_core::sc_time parse_duration(std::string_view text) {
    constexpr std::string_view what = "duration";
    const auto [number, name] = split(text, what);
    if (number == 0 && name.empty()) {
        return sc_core::SC_ZERO_TIME;
    }
    const double picoseconds = number * factor_of(name, duration_units, text, what);
    if (picoseconds >= 0x1p63) {
        throw std::invalid_argument(fmt::format("'{}' is too long", text));
    }
    return sc_core::sc_time(picoseconds, sc_core::SC_PS);
}

std::uint64_t parse_integer(std::string_view text) {
    const bool hexadecimal = text.starts_with("0x") || text.starts_with("0X");
    const std::string_view digits = hexadecimal ? text.substr(2) : text;
    std::uint64_t value = 0;
    const char* const end = digits.data() + digits.size();
    const auto [stop, error] = std::from_chars(digits.data(), end, value, hexadecimal ? 16 : 10);
    if (error != std::errc() || stop != end) {
        throw std::invalid_argument(
            fmt::format("'{}' is not a number of at most 64 bits, decimal or with 0x", text));
    }
    return value;
}

std::string format_size(std::uint64_t bytes) {
    std::size_t best = 0;
    while (best + 1 < size_units.size() && bytes != 0 &&
           bytes % static_cast<std::uint64_t>(size_units[best + 1].factor) == 0) {
        ++best;
    }
    return fmt::format("{}{}", bytes / static_cast<std::uint64_t>(size_units[best].factor),
                       size_units[best].name);
}

std::string format_duration(const sc_core::sc_time& duration) {
    const double picoseconds = duration.to_seconds() * 1e12;
    std::size_t best = 0;
    while (best + 1 < duration_units.size() && picoseconds >= duration_units[best + 1].factor) {
        ++best;
    }
    return fmt::format("{:.6g}{}", picoseconds / duration_units[best].factor, duration_units[best].name);
}

}  // namespace pefsim::platform
