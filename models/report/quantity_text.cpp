// SPDX-License-Identifier: Apache-2.0
#include "report/quantity_text.h"

#include <array>
#include <cmath>
#include <fmt/format.h>

namespace pefsim::report {

namespace {

// Three significant digits of what is shown, so that 9.996 becomes 10.0.
std::string three_digits(double value) {
    if (value < 9.995) {
        return fmt::format("{:.2f}", value);
    }
    return value < 99.95 ? fmt::format("{:.1f}", value) : fmt::format("{:.0f}", value);
}

}  // namespace

double in_ns(const sc_core::sc_time& t) {
    const double ticks_per_second = static_cast<double>(sc_core::sc_time(1, sc_core::SC_SEC).value());
    return static_cast<double>(t.value()) / (ticks_per_second / 1e9);
}

std::string count_text(std::uint64_t value) {
    std::string digits = std::to_string(value);
    for (std::size_t at = digits.size(); at > 3;) {
        at -= 3;
        digits.insert(at, 1, ',');
    }
    return digits;
}

std::string number_text(double value) {
    if (value < 0) {
        return "-" + number_text(-value);
    }
    if (value >= 999.5) {
        return count_text(static_cast<std::uint64_t>(std::llround(value)));
    }
    return value != 0 && value < 0.0995 ? fmt::format("{:.3g}", value) : three_digits(value);
}

std::string bytes_text(std::uint64_t bytes) {
    constexpr std::array<std::string_view, 5> units{"KiB", "MiB", "GiB", "TiB", "PiB"};
    if (bytes < 1024) {
        return fmt::format("{} B", bytes);
    }
    double value = static_cast<double>(bytes) / 1024;
    std::size_t unit = 0;
    for (; value >= 1023.5 && unit + 1 < units.size(); value /= 1024) {
        ++unit;
    }
    return fmt::format("{} {}", three_digits(value), units[unit]);
}

std::string time_text(double nanoseconds) {
    constexpr std::array<std::string_view, 4> units{"ns", "us", "ms", "s"};
    if (nanoseconds == 0) {
        return "0 ns";
    }
    if (nanoseconds < 0.0995) {
        return fmt::format("{} ps", three_digits(1000 * nanoseconds));
    }
    std::size_t unit = 0;
    for (; nanoseconds >= 999.5 && unit + 1 < units.size(); nanoseconds /= 1000) {
        ++unit;
    }
    return fmt::format("{} {}", three_digits(nanoseconds), units[unit]);
}

std::string share_text(std::uint64_t part, std::uint64_t whole) {
    return whole == 0 ? std::string()
                      : fmt::format("{:.1f} %", 100 * static_cast<double>(part) / static_cast<double>(whole));
}

std::string quantity_text(std::uint64_t value, std::string_view unit) {
    if (unit == "bytes") {
        return bytes_text(value);
    }
    if (unit == "ns") {
        return time_text(static_cast<double>(value));
    }
    return fmt::format("{} {}", count_text(value), unit);
}

std::string rate_text(std::uint64_t value, std::string_view unit, double seconds) {
    constexpr std::array<std::string_view, 5> prefixes{"", "k", "M", "G", "T"};
    double rate = seconds > 0 ? static_cast<double>(value) / seconds : 0;
    std::size_t prefix = 0;
    for (; rate >= 999.5 && prefix + 1 < prefixes.size(); rate /= 1000) {
        ++prefix;
    }
    if (unit == "bytes") {
        return fmt::format("{} {}B/s", three_digits(rate), prefixes[prefix]);
    }
    return fmt::format("{} {}{}{}/s", three_digits(rate), prefixes[prefix], prefix == 0 ? "" : " ", unit);
}

}  // namespace pefsim::report
