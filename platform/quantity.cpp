// SPDX-License-Identifier: Apache-2.0
#include "platform/quantity.h"

#include <fmt/format.h>

#include <array>
#include <charconv>
#include <cmath>
#include <span>
#include <stdexcept>

namespace pefsim::platform {
namespace {

struct unit {
    std::string_view name;
    std::uint64_t factor;
};

constexpr std::array size_units{unit{"B", 1},
                                unit{"KiB", std::uint64_t{1} << 10},
                                unit{"MiB", std::uint64_t{1} << 20},
                                unit{"GiB", std::uint64_t{1} << 30},
                                unit{"TiB", std::uint64_t{1} << 40},
                                unit{"kB", 1'000},
                                unit{"MB", 1'000'000},
                                unit{"GB", 1'000'000'000},
                                unit{"TB", 1'000'000'000'000}};
constexpr std::size_t binary_size_units = 5;
constexpr std::size_t smallest_decimal_unit_shown = 6;  // 1000 bytes are "1000B"
constexpr std::array duration_units{unit{"ps", 1}, unit{"ns", 1'000}, unit{"us", 1'000'000},
                                    unit{"ms", 1'000'000'000}, unit{"s", 1'000'000'000'000}};

/// The number at the start of `text` and what follows it, without the blanks between.
std::pair<long double, std::string_view> split(std::string_view text, std::string_view what) {
    long double number = 0;  // its 64 bits hold every number of picoseconds
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
std::uint64_t factor_of(std::string_view name, const std::array<unit, N>& units, std::string_view text,
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
    const long double bytes = number * (name.empty() ? 1 : factor_of(name, size_units, text, what));
    if (bytes != std::floor(bytes) || bytes >= 0x1p63L) {
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
    const long double picoseconds = number * factor_of(name, duration_units, text, what);
    if (picoseconds >= 0x1p63L) {
        throw std::invalid_argument(fmt::format("'{}' is too long", text));
    }
    const auto per_picosecond = sc_core::sc_time(1, sc_core::SC_PS).value();
    return sc_core::sc_time::from_value(static_cast<std::uint64_t>(std::llround(picoseconds)) *
                                        per_picosecond);
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
    const std::span units(size_units);
    const unit* best = &units.front();
    const auto choose_among = [&](std::span<const unit> some) {
        for (const unit& each : some) {
            best = bytes != 0 && bytes % each.factor == 0 ? &each : best;
        }
    };
    choose_among(units.first(binary_size_units));
    if (best == &units.front()) {
        choose_among(units.subspan(smallest_decimal_unit_shown));
    }
    return fmt::format("{}{}", bytes / best->factor, best->name);
}

std::string format_duration(const sc_core::sc_time& duration) {
    const std::uint64_t picoseconds = duration.value() / sc_core::sc_time(1, sc_core::SC_PS).value();
    const unit* best = &duration_units.front();
    for (const unit& each : duration_units) {
        best = picoseconds >= each.factor ? &each : best;
    }
    const std::uint64_t scale = duration_units.back().factor / best->factor;
    std::string fraction = fmt::format("{:012}", picoseconds % best->factor * scale);
    fraction.erase(fraction.find_last_not_of('0') + 1);
    return fmt::format("{}{}{}{}", picoseconds / best->factor, fraction.empty() ? "" : ".", fraction,
                       best->name);
}

}  // namespace pefsim::platform
