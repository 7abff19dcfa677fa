// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <span>
#include <string>
#include <string_view>

#include "power/engine/core.h"
#include "power/isa/instruction.h"

namespace pefsim::power {

/// A core with a few pages of storage at effective addresses that are real ones, for tests of single instructions.
/// Interrupts leave run().
class flat_core : translator, real_storage {
public:
    static constexpr std::uint64_t code = 0x10000;
    static constexpr std::uint64_t data = 0x20000;
    static constexpr std::size_t data_size = 2 * small_page;  ///< behind it, and before it, nothing is mapped

    explicit flat_core(bool little_endian = true);

    power::core& core() { return core_; }
    registers& state() { return core_.state; }
    std::span<std::uint8_t> storage() { return data_; }

    /// Executes one instruction; false: it has caused an interrupt, cause() tells which.
    bool execute(std::uint32_t word);
    [[nodiscard]] const interrupt_cause& cause() const { return core_.interrupt(); }

private:
    translation translate(const registers& state, std::uint64_t ea, access_kind kind) override;
    std::byte* direct(std::uint64_t real, access_kind kind) override;
    outcome read(std::uint64_t real, std::span<std::byte> to, access_kind kind) override;
    outcome write(std::uint64_t real, std::span<const std::byte> from) override;

    alignas(16) std::array<std::uint8_t, small_page> code_{};
    alignas(16) std::array<std::uint8_t, data_size> data_{};
    power::core core_;
};

/// The word of an instruction with the values of its operands, in the order of assembly language.
std::uint32_t assemble(std::string_view mnemonic, std::initializer_list<int> operands, bool dot = false);

/// "00112233445566778899aabbccddeeff", byte element 0 first, as a register, and back.
vector_register vector_from(std::string_view hex);
std::string hex_of(const vector_register& v);

}  // namespace pefsim::power
