// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "power/engine/core.h"
#include "power/mmu/partition.h"
#include "power/mmu/radix_translator.h"

namespace pefsim::fuzz {

/// A number that depends on all bits of two others.
constexpr std::uint64_t mixed(std::uint64_t a, std::uint64_t b) {
    std::uint64_t z = a + 0x9e37'79b9'7f4a'7c15 * (b + 1);
    z = (z ^ z >> 30) * 0xbf58'476d'1ce4'e5b9;
    z = (z ^ z >> 27) * 0x94d0'49bb'1331'11eb;
    return z ^ z >> 31;
}

/// Where things stand in real storage. Nothing answers elsewhere.
namespace real {
inline constexpr std::uint64_t ram_size = 64 * power::small_page;
inline constexpr std::uint64_t device = 0x1000'0000;  ///< a small page that is a device's
inline constexpr std::uint64_t tables = 0x2000'0000;  ///< trees that only the processor's walks reach
inline constexpr std::uint64_t tables_size = 16 * power::small_page;
}  // namespace real

/// What a store to the device does, by bits 52:57 of its address: the rest of the world, in the middle of an
/// instruction.
enum class device_register : std::uint8_t {
    plain,
    stops = 0x20,            ///< the virtual machine ends
    fails = 0x21,            ///< nothing answers
    changes_code = 0x22,     ///< another processor stores into RAM
    pauses = 0x23,           ///< run() is to be left
    watches_stores = 0x24,   ///< another processor has begun to decode code
    shoots_down = 0x25,      ///< another processor's tlbie
    takes_page_away = 0x26,  ///< a small page will be withdrawn, or given back, when the run has ended
};

/// RAM, a device, radix trees and time around an engine; counts what it is asked for.
class machine : public power::translator,
                public power::real_storage,
                public power::mmu::table_storage,
                public power::clock {
public:
    machine(std::span<const std::byte> ram, std::span<const std::uint64_t> tables,
            const power::mmu::partition::process_table& processes);
    /// The engine, which exists later.
    void serve(power::core& processor) { core_ = &processor; }

    power::translation translate(const power::registers& state, std::uint64_t ea,
                                 power::access_kind kind) override;
    void invalidate(const power::tlb_invalidation& what) override { mmu_.invalidate(what); }
    /// Another processor's tlbie.
    void shoot_down(const power::tlb_invalidation& what);
    std::byte* direct(std::uint64_t real, power::access_kind kind) override;
    std::byte* direct_block(std::uint64_t real, power::access_kind kind) override;
    outcome read(std::uint64_t real, std::span<std::byte> to, power::access_kind kind) override;
    outcome write(std::uint64_t real, std::span<const std::byte> from) override;
    outcome prepare_fetch(std::uint64_t real) override;
    bool read(std::uint64_t real, std::uint64_t& value) override;
    bool write(std::uint64_t real, std::uint64_t value) override;
    std::uint64_t time_base(std::uint64_t instructions) override {
        return time + ticks_per_instruction * instructions;
    }
    void decrementer_changed() override { decrementer_written = true; }

    /// Another processor, or a device, stores 8 bytes.
    void store_by_other(std::uint64_t real, std::uint64_t value);
    /// Between runs: takes a small page of RAM away, or gives it back, so that accesses need the machine's help.
    void toggle(std::uint64_t number);
    /// Between runs: what the device was asked to do then.
    void do_what_is_due();

    /// Of everything that stands in storage, and of all that has been done to the device.
    [[nodiscard]] std::uint64_t digest() const;

    std::uint64_t time = 0;
    std::uint64_t ticks_per_instruction = 0;
    bool decrementer_written = false;
    std::uint64_t requests = 0;  ///< of the engine

private:
    struct aligned_free {
        void operator()(std::byte* bytes) const {
            ::operator delete[](bytes, std::align_val_t{power::small_page});
        }
    };

    outcome load_from_device(std::uint64_t offset, std::span<std::byte> to);
    outcome store_to_device(std::uint64_t offset, std::span<const std::byte> from);

    std::unique_ptr<std::byte[], aligned_free> ram_;
    std::vector<std::uint64_t> tables_;  // values, not their bytes
    std::array<bool, real::ram_size / power::small_page> withdrawn_{};
    std::vector<std::uint64_t> due_;  // small pages to toggle
    power::mmu::partition partition_;
    power::mmu::radix_translator mmu_{*this, partition_, nullptr};
    power::core* core_ = nullptr;
    std::uint64_t device_digest_ = 0;
};

}  // namespace pefsim::fuzz
