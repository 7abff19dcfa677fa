// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "abi/hcall.h"
#include "abi/ucall.h"

/// Calls by row of their declaration, without a search for the numbers that a running guest uses.
namespace pefsim::cpu {

namespace call_rows {

/// PAPR's calls have multiples of 4 below 0x400; rows by number / 4.
inline constexpr std::size_t papr_calls = 256;
consteval std::array<std::uint8_t, papr_calls> papr_rows() {
    std::array<std::uint8_t, papr_calls> rows{};
    for (std::size_t n = 0; n < papr_calls; ++n) {
        rows[n] = static_cast<std::uint8_t>(abi::hcall_row(4 * n));
    }
    return rows;
}
inline constexpr auto rows = papr_rows();

}  // namespace call_rows

/// The same as abi::hcall_row().
constexpr std::size_t fast_hcall_row(std::uint64_t number) {
    return number % 4 == 0 && number / 4 < call_rows::papr_calls ? call_rows::rows[number / 4]
                                                                 : abi::hcall_row(number);
}

/// Bytes of the registers that the call of this row declares as its input; of an unknown call only its number is.
constexpr std::uint64_t declared_input_bytes(std::size_t row) {
    const unsigned registers = row < abi::hcall_declarations.size() ? abi::hcall_declarations[row].n_in : 1;
    return registers * sizeof(std::uint64_t);
}

/// The services of all chapters by row of their declaration; nullptr where nobody serves the call.
/// \param name_of a call's name, by number  \throws std::logic_error when two serve the same call
template <std::size_t rows, class Service>
std::array<const Service*, rows> services_by_row(std::initializer_list<std::span<const Service>> chapters,
                                                 std::size_t (*row_of)(std::uint64_t),
                                                 std::string_view (*name_of)(std::uint64_t)) {
    std::array<const Service*, rows> table{};
    for (const std::span<const Service> chapter : chapters) {
        for (const Service& each : chapter) {
            const auto number = static_cast<std::uint64_t>(each.number);
            const Service*& place = table.at(row_of(number));
            if (place != nullptr) {
                throw std::logic_error("two functions serve " + std::string(name_of(number)));
            }
            place = &each;
        }
    }
    return table;
}

/// Labels for a report::tally: the names in a table, in order.
template <class table>
std::vector<std::string> names_of(const table& rows) {
    std::vector<std::string> names;
    for (const auto& row : rows) {
        names.emplace_back(row.name);
    }
    return names;
}

/// Labels for a report::tally of calls: the declarations' names in order, and the unknown ones last.
template <class declarations>
std::vector<std::string> call_labels(const declarations& declared, std::string unknown) {
    std::vector<std::string> labels = names_of(declared);
    labels.push_back(std::move(unknown));
    return labels;
}

}  // namespace pefsim::cpu
