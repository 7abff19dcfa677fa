// SPDX-License-Identifier: Apache-2.0
//
// Every implemented instruction of VMX and VSX with its facility switched off, and with its target among its sources.
#include <gtest/gtest.h>

#include <optional>
#include <random>
#include <string>

#include "power/instructions/instruction_table.h"
#include "tests/power/encodings.h"
#include "tests/power/flat_core.h"

namespace pefsim::power {
namespace {

struct switched_off {
    std::uint64_t msr_bit = 0;
    vector interrupt = vector::program;
};

/// The first VSR that a word names, or its first operand.
int first_vsr(const isa::instruction& row, std::uint32_t word) {
    for (const isa::operand each : row.operands) {
        if (isa::info_of(each).kind == isa::operand_kind::vsr) {
            return isa::info_of(each).value(word);
        }
    }
    return isa::info_of(row.operands[0]).value(word);
}

/// What controls an instruction that names VSR `target` first; nothing: another test's business.
std::optional<switched_off> controlling(isa::facility needs, int target) {
    constexpr switched_off vmx{msr_vec, vector::vector_unavailable};
    constexpr switched_off vsx{msr_vsx, vector::vsx_unavailable};
    switch (needs) {
    case isa::facility::vmx:
        return vmx;
    case isa::facility::vsx:
        return vsx;
    case isa::facility::vsx_or_vmx:
        return target < 32 ? vsx : vmx;
    default:
        return std::nullopt;
    }
}

TEST(vmx_facility, an_instruction_without_its_facility_causes_its_interrupt) {
    isa::encodings random(1);
    unsigned tried = 0;
    for (const isa::instruction& row : isa::instructions()) {
        for (unsigned i = 0; i < 8 && isa::selector_of(row) != nullptr; ++i) {
            const std::uint32_t word = random.of(row);
            const auto control = controlling(row.needs, first_vsr(row, word));
            if (!control) {
                break;
            }
            ++tried;
            flat_core machine;
            machine.state().msr &= ~control->msr_bit;
            const registers saved = machine.state();
            ASSERT_FALSE(machine.execute(word)) << row.mnemonic;
            EXPECT_EQ(machine.cause().which, control->interrupt) << row.mnemonic;
            EXPECT_EQ(machine.cause().srr1, 0U) << row.mnemonic;
            EXPECT_EQ(machine.state().nip, flat_core::code) << row.mnemonic;
            EXPECT_EQ(machine.state().vsr, saved.vsr) << row.mnemonic;
            EXPECT_EQ(machine.state().gpr, saved.gpr) << row.mnemonic;
        }
    }
    EXPECT_GT(tried, 2000U);
}

/// The register operands that a word could share with its target.
bool names_vectors(isa::operand which) {
    const isa::operand_kind kind = isa::info_of(which).kind;
    return kind == isa::operand_kind::vr || kind == isa::operand_kind::vsr;
}

TEST(vmx_facility, a_target_may_be_a_source) {
    std::mt19937_64 bits(2);
    for (const isa::instruction& row : isa::instructions()) {
        const bool vector_row = controlling(row.needs, 0).has_value() && isa::selector_of(row) != nullptr;
        const bool reads_target = row.mnemonic.starts_with("vinsert") || row.mnemonic.ends_with("mi") ||
                                  row.mnemonic.starts_with("xxperm") || row.mnemonic == "xxinsertw" ||
                                  row.mnemonic.find("madd") != std::string_view::npos ||
                                  row.mnemonic.find("msub") != std::string_view::npos;
        if (!vector_row || reads_target || !names_vectors(row.operands[0]) ||
            !names_vectors(row.operands[1])) {
            continue;
        }
        for (unsigned place = 1; place < row.operands.size() && names_vectors(row.operands[place]); ++place) {
            flat_core machine;
            for (vector_register& each : machine.state().vsr) {
                each = {.low = bits(), .high = bits()};
            }
            std::uint32_t word = row.code.match | isa::info_of(row.operands[0]).where.put(1);
            for (unsigned n = 1; n < row.operands.size() && names_vectors(row.operands[n]); ++n) {
                word |= isa::info_of(row.operands[n]).where.put(static_cast<int>(1 + n));
            }
            const isa::field& target = isa::info_of(row.operands[0]).where;
            const std::uint32_t shared = (word & ~target.mask()) | target.put(static_cast<int>(1 + place));
            const auto saved = machine.state().vsr;
            const unsigned first = isa::info_of(row.operands[0]).kind == isa::operand_kind::vr ? 32 : 0;
            ASSERT_TRUE(machine.execute(word)) << row.mnemonic;
            const vector_register expected = machine.state().vsr[first + 1];
            machine.state().vsr = saved;
            ASSERT_TRUE(machine.execute(shared)) << row.mnemonic;
            EXPECT_EQ(machine.state().vsr[first + 1 + place], expected)
                << row.mnemonic << " operand " << place;
        }
    }
}

}  // namespace
}  // namespace pefsim::power
