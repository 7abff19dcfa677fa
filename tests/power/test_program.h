// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <initializer_list>
#include <memory>
#include <span>
#include <stdexcept>
#include <string_view>
#include <vector>

#include "power/engine/core.h"
#include "power/instructions/instruction_table.h"
#include "power/instructions/power9_decoder.h"

namespace pefsim::power {

/// An instruction with the values of its operands in the order of assembly language, and bits besides (Rc, OE).
inline std::uint32_t word_of(std::string_view mnemonic, std::initializer_list<int> operands,
                             std::uint32_t bits = 0) {
    const isa::instruction* row = isa::find(mnemonic);
    if (row == nullptr) {
        throw std::invalid_argument("no such instruction");
    }
    std::uint32_t word = row->code.match | bits;
    std::size_t place = 0;
    for (const int value : operands) {
        word |= isa::info_of(row->operands.at(place++)).where.put(value);
    }
    return word;
}
inline constexpr std::uint32_t dot = 1;
inline constexpr std::uint32_t oe = 1U << 10;

/// A core and 64 KiB of storage at 0, in which a few instructions run. Interrupts leave run().
class test_program : translator, real_storage {
public:
    static constexpr std::uint64_t code = 0x1000;
    static constexpr std::uint64_t data = 0x4000;
    static constexpr std::uint64_t size = 0x10000;

    explicit test_program(std::uint64_t msr = msr_sf | msr_le) : cpu(isa::power9_decoder(), *this, *this) {
        cpu.interrupts_leave(true);
        cpu.state.msr = msr;
        cpu.msr_changed();
    }

    /// Puts the words at `code`, an undefined one behind them, and runs until an interrupt. \returns its vector: HEA at
    /// the end
    vector run(const std::vector<std::uint32_t>& words) {
        std::uint64_t at = code;
        for (const std::uint32_t each : words) {
            put(at, each);
            at += 4;
        }
        put(at, std::uint32_t{0});
        cpu.forget_real(code);
        cpu.state.nip = code;
        reason = exit_reason::paused;
        for (int i = 0; i < 100 && reason == exit_reason::paused; ++i) {
            reason = cpu.run(1000);
        }
        return cpu.interrupt().which;
    }
    /// The same for words that are to reach their end.
    bool completes(const std::vector<std::uint32_t>& words) {
        return run(words) == vector::hypervisor_emulation_assistance && reason == exit_reason::interrupt &&
               cpu.state.nip == code + 4 * words.size();
    }

    /// Storage, in the byte order of MSR[LE].
    template <typename T>
    void put(std::uint64_t at, T value) {
        std::array<std::byte, sizeof(T)> raw;
        std::memcpy(raw.data(), &value, sizeof value);
        order(raw);
        std::memcpy(&bytes_.at(at), raw.data(), sizeof value);
    }
    template <typename T>
    T get(std::uint64_t at) {
        std::array<std::byte, sizeof(T)> raw;
        std::memcpy(raw.data(), &bytes_.at(at), raw.size());
        order(raw);
        T value;
        std::memcpy(&value, raw.data(), sizeof value);
        return value;
    }

    core cpu;
    registers& state = cpu.state;
    exit_reason reason = exit_reason::paused;

private:
    void order(std::span<std::byte> raw) const {
        if ((cpu.state.msr & msr_le) == 0) {
            for (std::size_t i = 0; i < raw.size() / 2; ++i) {
                std::swap(raw[i], raw[raw.size() - 1 - i]);
            }
        }
    }
    translation translate(const registers& /*state*/, std::uint64_t ea, access_kind /*kind*/) override {
        return ea < size ? translation{.real = ea}
                         : translation{.error = storage_error::storage, .status = 0x4000'0000};
    }
    std::byte* direct(std::uint64_t real, access_kind /*kind*/) override {
        return &bytes_.at(real & small_page_mask);
    }
    outcome read(std::uint64_t /*real*/, std::span<std::byte> /*to*/, access_kind /*kind*/) override {
        return outcome::machine_check;
    }
    outcome write(std::uint64_t /*real*/, std::span<const std::byte> /*from*/) override {
        return outcome::machine_check;
    }

    alignas(small_page) std::array<std::byte, size> bytes_{};
};

}  // namespace pefsim::power
