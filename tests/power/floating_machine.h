// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <stdexcept>
#include <string_view>

#include "power/engine/core.h"
#include "power/instructions/instruction_table.h"
#include "power/instructions/power9_decoder.h"

namespace pefsim::power {

/// A core with one small page of code and one of data at their real addresses, in which interrupts leave the engine.
class floating_machine : translator, real_storage {
public:
    static constexpr std::uint64_t code = 0x10000;
    static constexpr std::uint64_t data = 0x20000;

    core cpu{isa::power9_decoder(), *this, *this};
    registers& state = cpu.state;

    floating_machine() {
        cpu.interrupts_leave(true);
        state.msr |= msr_fp | msr_vec | msr_vsx;
        cpu.msr_changed();
    }

    std::array<std::byte, small_page>& memory() { return data_; }

    /// Executes one word. True: it completed; false: it was interrupted, by cpu.interrupt().
    bool execute(std::uint32_t word) {
        if (word != word_) {
            word_ = word;
            std::memcpy(code_.data(), &word, sizeof word);
            cpu.forget_real(code);
        }
        state.nip = code;
        cpu.run(1);  // up to the word of zeros behind it, which is no instruction
        return state.nip == code + 4;
    }

    /// The word of `mnemonic` with operands in the places of T, A, B and C; VSRs of XX-forms up to 63.
    static std::uint32_t word(std::string_view mnemonic, unsigned t, unsigned a, unsigned b, unsigned c = 0) {
        const isa::instruction* row = isa::find(mnemonic);
        if (row == nullptr) {
            throw std::logic_error("floating_machine::word: no such instruction");
        }
        std::uint32_t result = row->code.match;
        for (const isa::operand each : row->operands) {
            const isa::field& where = isa::info_of(each).where;
            if (where.piece_count == 0) {
                continue;
            }
            switch (where.pieces[where.piece_count - 1].first) {
            case 6:
                result |= where.put(static_cast<std::int32_t>(t));
                break;
            case 11:
                result |= where.put(static_cast<std::int32_t>(a));
                break;
            case 16:
                result |= where.put(static_cast<std::int32_t>(b));
                break;
            case 21:
                result |= where.put(static_cast<std::int32_t>(c));
                break;
            default:
                break;
            }
        }
        return result;
    }

private:
    translation translate(const registers& /*state*/, std::uint64_t ea, access_kind /*kind*/) override {
        return {.real = ea};
    }
    std::byte* direct(std::uint64_t real, access_kind /*kind*/) override {
        return (real & small_page_mask) == code   ? code_.data()
               : (real & small_page_mask) == data ? data_.data()
                                                  : nullptr;
    }
    outcome read(std::uint64_t, std::span<std::byte>, access_kind) override { return outcome::machine_check; }
    outcome write(std::uint64_t, std::span<const std::byte>) override { return outcome::machine_check; }

    std::uint32_t word_ = 0;
    std::array<std::byte, small_page> code_{};
    std::array<std::byte, small_page> data_{};
};

}  // namespace pefsim::power
