// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <initializer_list>
#include <memory>
#include <span>
#include <vector>

#include "power/engine/core.h"
#include "power/instructions/power9_decoder.h"

namespace pefsim::power::debug {

/// A megabyte of RAM at effective address 0, and cores without anything else around them: interrupts leave the engine.
class debug_machine : private translator, private real_storage {
public:
    static constexpr std::uint64_t ram_size = 1 << 20;

    explicit debug_machine(std::size_t cores = 1) : ram_(ram_size) {
        for (std::size_t n = 0; n < cores; ++n) {
            cores_.push_back(std::make_unique<class core>(isa::power9_decoder(), addresses(), storage()));
            cores_.back()->interrupts_leave(true);
        }
    }

    class core& core(std::size_t n = 0) {
        return *cores_[n];
    }
    translator& addresses() { return *this; }
    real_storage& storage() { return *this; }

    void put(std::uint64_t at, std::initializer_list<std::uint32_t> words) {
        std::memcpy(ram_.data() + at, words.begin(), words.size() * 4);
    }
    std::uint64_t doubleword(std::uint64_t at) const {
        std::uint64_t value = 0;
        std::memcpy(&value, ram_.data() + at, sizeof value);
        return value;
    }

private:
    translation translate(const registers& /*state*/, std::uint64_t ea, access_kind /*kind*/) override {
        return ea < ram_size ? translation{.real = ea}
                             : translation{.error = storage_error::storage, .status = 0x4000'0000};
    }
    std::byte* direct(std::uint64_t real, access_kind /*kind*/) override {
        return real < ram_size ? ram_.data() + (real & small_page_mask) : nullptr;
    }
    outcome read(std::uint64_t /*real*/, std::span<std::byte> /*to*/, access_kind /*kind*/) override {
        return outcome::machine_check;
    }
    outcome write(std::uint64_t /*real*/, std::span<const std::byte> /*from*/) override {
        return outcome::machine_check;
    }

    std::vector<std::byte> ram_;
    std::vector<std::unique_ptr<class core>> cores_;
};

/// A loop that adds 7 to r3 five times, stores it at 0(r5) and loads it into r6; then an endless loop.
namespace sums {
inline constexpr std::uint64_t begin = 0x1000;
inline constexpr std::uint64_t loop = 0x100c;
inline constexpr std::uint64_t store = 0x1010;
inline constexpr std::uint64_t load = 0x1014;
inline constexpr std::uint64_t end = 0x101c;
inline constexpr std::uint64_t data = 0x8000;
inline constexpr std::uint64_t length = 3 + 5 * 4;  ///< instructions before `end`

inline void put(debug_machine& machine, std::size_t core = 0, std::uint64_t at = data) {
    machine.put(begin, {
                           0x38600000,  // li   r3,0
                           0x38800005,  // li   r4,5
                           0x7c8903a6,  // mtctr r4
                           0x38630007,  // loop: addi r3,r3,7
                           0xf8650000,  // std  r3,0(r5)
                           0xe8c50000,  // ld   r6,0(r5)
                           0x4200fff4,  // bdnz loop
                           0x48000000,  // end:  b .
                       });
    machine.core(core).state.nip = begin;
    machine.core(core).state.gpr[5] = at;
}
}  // namespace sums

}  // namespace pefsim::power::debug
