// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>

#include "memory/memory_bus.h"
#include "memory/smf_check.h"
#include "power/engine/environment.h"
#include "power/mmu/partition.h"
#include "power/mmu/radix_translator.h"
#include "power/registers.h"

namespace pefsim::platform {

/// What a core that stands still reaches by its effective addresses, for people who look: no access is made, nothing of
/// the machine is changed, no reference bit and no metric.
class guest_view : private power::mmu::table_storage {
public:
    /// All outlive it. \param state of the core, which must stay as it is
    guest_view(const power::registers& state, const memory::memory_bus& memory,
               const power::mmu::partition& partition);

    /// The instruction at `ea`, if the core could fetch it now.
    [[nodiscard]] std::optional<std::uint32_t> instruction(std::uint64_t ea);
    /// The doubleword at `ea`, aligned, in the core's byte order, if the core could load it now.
    [[nodiscard]] std::optional<std::uint64_t> doubleword(std::uint64_t ea);

private:
    template <class T>
    [[nodiscard]] std::optional<T> at_real(std::uint64_t real, memory::access_kind kind) const;
    template <class T>
    [[nodiscard]] std::optional<T> at(std::uint64_t ea, power::access_kind kind);
    bool read(std::uint64_t real, std::uint64_t& value) override;
    bool write(std::uint64_t /*real*/, std::uint64_t /*value*/) override { return true; }

    const power::registers& state_;
    const memory::memory_bus& memory_;
    power::mmu::partition tables_;  // without members: nobody is told anything
    power::mmu::radix_translator addresses_{*this, tables_, nullptr};
};

}  // namespace pefsim::platform
