// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "power/isa/instruction.h"
#include "power/translator/region.h"

namespace pefsim::power::host_code {

class emitter;

/// How host code is made for an instruction, beside the row of models/power/instructions that says what it does. An
/// instruction without a lowering is executed by its handler.
struct lowering {
    std::string_view mnemonic;
    void (*emit)(emitter& to, const guest_op& o) = nullptr;
    bool leaves = false;  ///< its handler may be called, or it may cause an interrupt
    /// Words for which there is no host code; null: there is some for all.
    bool (*refuses)(std::uint32_t word) = nullptr;
    bool reads_cr_bit = false;  ///< the one that BC names
    /// FPSCR[FR FI FPRF] do not matter before it: its handler sets all of them, too, as long as no exception that
    /// suppresses results is enabled.
    bool sets_float_status = false;

    [[nodiscard]] std::uint8_t cr_reads(std::uint32_t word) const {
        const unsigned field = static_cast<unsigned>(isa::info_of(isa::operand::bc).value(word)) / 4;
        return static_cast<std::uint8_t>(reads_cr_bit ? 1U << field : 0U);
    }
};

/// The lowering of an instruction word, or null.
const lowering* lowering_of(const isa::instruction& row, std::uint32_t word);

// Tables, by chapters of the Power ISA as in instructions/.
std::span<const lowering> fixed_arithmetic_lowerings();
std::span<const lowering> fixed_compare_lowerings();
std::span<const lowering> fixed_load_store_lowerings();
std::span<const lowering> fixed_logical_lowerings();
std::span<const lowering> fixed_move_lowerings();
std::span<const lowering> fixed_rotate_lowerings();
std::span<const lowering> floating_lowerings();
std::span<const lowering> vector_lowerings();

}  // namespace pefsim::power::host_code
