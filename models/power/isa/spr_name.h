// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

namespace pefsim::power::isa {

/// How GNU binutils names the moves of a special purpose register.
enum class spr_mnemonics : std::uint8_t {
    number,  ///< mfspr, mtspr and its number
    from,    ///< mfNAME; written by number
    to,      ///< mtNAME; read by number
    both,    ///< mfNAME and mtNAME
};

/// A special purpose register of a POWER9 under one of its numbers (Power ISA 3.0B Book III 4.4.4, POWER9
/// Processor User's Manual). Some have a second number for problem state, for reading or for writing.
struct spr_name {
    std::uint16_t number;
    std::string_view
        name;  ///< lower case; a problem-state number has a u before the name where the ISA has none
    spr_mnemonics mnemonics = spr_mnemonics::number;
};

/// All of them, by number.
std::span<const spr_name> spr_names();

/// The register of that number, or null.
const spr_name* find_spr(unsigned number);

}  // namespace pefsim::power::isa
