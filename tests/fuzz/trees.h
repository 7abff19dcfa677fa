// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <vector>

#include "tests/conformance/operand_values.h"

/// Radix trees of a process table, as the doublewords of real::tables.
namespace pefsim::fuzz {

/// A process table and trees of three processes that map RAM at low addresses, mostly where it is, and the device where
/// it is: pages of 4 KiB, 64 KiB and 2 MiB with all kinds of access authority and attributes, holes, and real addresses
/// where nothing is.
std::vector<std::uint64_t> valid_trees(conformance::operand_values& random);

/// Doublewords of which some are entries that lead anywhere.
std::vector<std::uint64_t> hostile_trees(conformance::operand_values& random);

}  // namespace pefsim::fuzz
