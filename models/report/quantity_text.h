// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <systemc>

/// Quantities for people: three or four significant digits and a unit.
namespace pefsim::report {

/// A division of whole numbers: 141 ps are 0.141 ns, not a neighbour of it.
double in_ns(const sc_core::sc_time& t);

std::string count_text(std::uint64_t value);                      ///< "1,234,567"
std::string bytes_text(std::uint64_t bytes);                      ///< "512 B", "4.00 KiB", "64.0 MiB"
std::string time_text(double nanoseconds);                        ///< "0.263 ns", "12.3 us", "1.50 s"
std::string share_text(std::uint64_t part, std::uint64_t whole);  ///< "97.6 %"; empty when `whole` is 0
/// A figure of any unit: bytes and ns as above, others as a count with its unit.
std::string quantity_text(std::uint64_t value, std::string_view unit);
/// The same per second: "333 MB/s", "83.1 k requests/s".
std::string rate_text(std::uint64_t value, std::string_view unit, double seconds);
/// "1.23", "12.3", "123", "1,234".
std::string number_text(double value);

}  // namespace pefsim::report
