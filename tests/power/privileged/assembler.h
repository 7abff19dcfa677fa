// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <initializer_list>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "power/instructions/instruction_table.h"
#include "power/isa/instruction.h"

namespace pefsim::testing {

/// The word of an instruction, from its row: operands in the order of the row, as numbers; missing ones are 0.
inline std::uint32_t assemble(std::string_view mnemonic, std::initializer_list<std::int64_t> operands = {}) {
    using namespace power::isa;  // NOLINT(google-build-using-namespace): the vocabulary of this function
    const instruction* row = find(mnemonic);
    if (row == nullptr) {
        throw std::invalid_argument("no instruction " + std::string(mnemonic));
    }
    std::uint32_t word = row->code.match;
    std::size_t place = 0;
    for (const std::int64_t value : operands) {
        word |= info_of(row->operands.at(place++)).where.put(static_cast<std::int32_t>(value));
    }
    return word;
}

/// A program in the making: words in order.
class program {
public:
    program& operator()(std::string_view mnemonic, std::initializer_list<std::int64_t> operands = {}) {
        words_.push_back(assemble(mnemonic, operands));
        return *this;
    }
    program& word(std::uint32_t value) {
        words_.push_back(value);
        return *this;
    }
    /// RT <- value, by five instructions.
    program& load_immediate(int rt, std::uint64_t value) {
        const auto part = [value](unsigned shift) {
            return static_cast<std::int64_t>(value >> shift & 0xffff);
        };
        (*this)("addis", {rt, 0, static_cast<std::int16_t>(part(48))})("ori", {rt, rt, part(32)});
        word(assemble("rldicr", {rt, rt, 32, 31}));
        return (*this)("oris", {rt, rt, part(16)})("ori", {rt, rt, part(0)});
    }
    [[nodiscard]] const std::vector<std::uint32_t>& words() const { return words_; }

private:
    std::vector<std::uint32_t> words_;
};

/// Numbers of special purpose registers.
namespace spr_number {
inline constexpr int dscr_problem = 3, lr = 8, ctr = 9, dsisr = 18, dar = 19, dec = 22, srr0 = 26, srr1 = 27,
                     amr = 29, pidr = 48, iamr = 61, fscr = 153, tb = 268, sprg0 = 272, pvr = 287;
}  // namespace spr_number

}  // namespace pefsim::testing
