// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <systemc>

/// Sizes and durations as people write them on a command line and in a configuration file.
namespace pefsim::platform {

/// "4096", "4KiB", "64 MiB", "1GiB" (powers of 1024), "1GB" (powers of 1000: kB, MB, GB, TB) as bytes. "KB", which is
/// either, is refused.
/// \throws std::invalid_argument saying what is wrong with `text`
std::uint64_t parse_size(std::string_view text);

/// "10us", "1.5 ms", "250ns" (ps, ns, us, ms, s) as simulated time; the unit is required, except for 0.
/// \throws std::invalid_argument saying what is wrong with `text`
sc_core::sc_time parse_duration(std::string_view text);

/// "4660", "0x1234" or "0X1234". \throws std::invalid_argument saying what is wrong with `text`
std::uint64_t parse_integer(std::string_view text);

/// The largest unit that keeps `bytes` a whole number: 65536 is "64KiB". A power of 1000 from MB on, where no power of
/// 1024 does: 10^9 is "1GB".
std::string format_size(std::uint64_t bytes);

/// The largest unit that keeps the number at least 1, exactly, without trailing zeros: "10us", "34.087595ms".
std::string format_duration(const sc_core::sc_time& duration);

}  // namespace pefsim::platform
