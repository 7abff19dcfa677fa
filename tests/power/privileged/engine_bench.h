// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <gtest/gtest.h>
#include <span>
#include <vector>

#include "power/engine/core.h"
#include "power/instructions/power9_decoder.h"
#include "power/mmu/partition.h"
#include "power/mmu/radix_translator.h"
#include "tests/power/privileged/assembler.h"

namespace pefsim::testing {

using power::spr;

/// Flat memory from real address 0 on, and nothing behind it.
class flat_memory : public power::real_storage, public power::mmu::table_storage {
public:
    static constexpr std::uint64_t size = std::uint64_t{16} << 20;

    /// Zero, and the host's only where something was written.
    std::span<std::byte> bytes{static_cast<std::byte*>(std::calloc(size, 1)), size};

    /// Told of each entry of a table that is written.
    std::function<void(std::uint64_t real)> table_written;

    flat_memory() = default;
    ~flat_memory() override { std::free(bytes.data()); }
    flat_memory(const flat_memory&) = delete;
    flat_memory& operator=(const flat_memory&) = delete;

    [[nodiscard]] bool contains(std::uint64_t real) const { return real < size; }
    std::byte* direct(std::uint64_t real, power::access_kind /*kind*/) override {
        return contains(real) ? bytes.data() + (real & power::small_page_mask) : nullptr;
    }
    std::byte* direct_block(std::uint64_t real, power::access_kind /*kind*/) override {
        return contains(real) ? bytes.data() + (real & power::block_mask) : nullptr;
    }
    outcome read(std::uint64_t /*real*/, std::span<std::byte> /*to*/, power::access_kind /*kind*/) override {
        return outcome::machine_check;
    }
    outcome write(std::uint64_t /*real*/, std::span<const std::byte> /*from*/) override {
        return outcome::machine_check;
    }
    bool read(std::uint64_t real, std::uint64_t& value) override {
        if (!contains(real)) {
            return false;
        }
        std::memcpy(&value, &bytes[real], sizeof value);
        value = __builtin_bswap64(value);
        return true;
    }
    bool write(std::uint64_t real, std::uint64_t value) override {
        if (!contains(real)) {
            return false;
        }
        value = __builtin_bswap64(value);
        std::memcpy(&bytes[real], &value, sizeof value);
        if (table_written) {
            table_written(real);
        }
        return true;
    }
    std::uint64_t table_entry(std::uint64_t real) {
        std::uint64_t value = 0;
        read(real, value);
        return value;
    }
    void put(std::uint64_t real, std::span<const std::uint32_t> words, bool little_endian = true) {
        for (std::uint32_t word : words) {
            if (!little_endian) {
                word = __builtin_bswap32(word);
            }
            std::memcpy(&bytes[real], &word, sizeof word);
            real += sizeof word;
        }
    }
    void put(std::uint64_t real, const program& code) { put(real, code.words()); }
};

/// A clock that a test moves.
struct test_clock : power::clock {
    std::uint64_t base = 0;
    std::uint64_t ticks_per_instruction = 0;
    std::uint64_t time_base(std::uint64_t instructions) override {
        return base + ticks_per_instruction * instructions;
    }
};

/// The engine with radix translation and flat memory; little-endian supervisor state in real mode.
struct engine_bench {
    static constexpr std::uint64_t code = 0x10000;

    flat_memory memory;
    power::mmu::partition partition;
    power::mmu::radix_translator mmu{memory, partition, nullptr};
    power::core core{power::isa::power9_decoder(), mmu, memory};

    engine_bench() {
        core.state.msr = power::msr_sf | power::msr_le | power::msr_ri | power::msr_me;
        core.state[spr::lpcr] = power::lpcr::hr | power::lpcr::ld | power::lpcr::gtse | power::lpcr::ile;
        core.state[spr::amor] = ~std::uint64_t{0};
        core.state.nip = code;
        core.msr_changed();
    }
    void set_msr(std::uint64_t value) {
        core.state.msr = value;
        core.msr_changed();
    }
    /// Runs exactly `count` instructions (or interrupts) of `what`, which is put at `code`.
    power::exit_reason execute(const program& what, unsigned count) {
        memory.put(code, what);
        core.forget_real(code);
        power::exit_reason why = power::exit_reason::paused;
        for (unsigned i = 0; i < count; ++i) {
            why = core.step();
        }
        return why;
    }
    power::exit_reason execute(const program& what) {
        return execute(what, static_cast<unsigned>(what.words().size()));
    }
};

}  // namespace pefsim::testing
