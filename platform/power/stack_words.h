// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>

#include "memory/memory_bus.h"
#include "power/debug/call_chain.h"
#include "power/mmu/partition.h"
#include "power/mmu/radix_tree.h"
#include "power/registers.h"

namespace pefsim::platform {

/// A core's stacks, for profiles: doublewords by effective address as guest_view has them, but whatever the protection
/// of their pages, and by a walk of the tables each: what was looked up before does not matter.
class stack_words final : public power::debug::stack_storage, private power::mmu::table_storage {
public:
    /// All outlive it. \param state of the core; PIDR is read from it
    stack_words(const power::registers& state, const memory::memory_bus& memory,
                const power::mmu::partition& partition)
        : state_(state),
          memory_(memory),
          partition_(partition) {}

    [[nodiscard]] std::optional<std::uint64_t> doubleword(std::uint64_t ea, std::uint64_t msr) override;
    /// Where `ea` leads, as data; nullopt: nowhere.
    [[nodiscard]] std::optional<std::uint64_t> real_address(std::uint64_t ea, std::uint64_t msr);

private:
    bool read(std::uint64_t real, std::uint64_t& value) override;
    bool write(std::uint64_t /*real*/, std::uint64_t /*value*/) override { return true; }

    const power::registers& state_;
    const memory::memory_bus& memory_;
    const power::mmu::partition& partition_;
};

}  // namespace pefsim::platform
