// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <utility>

namespace pefsim::ultravisor {

/// Special purpose registers that an enabled Ultravisor keeps from the hypervisor, which reaches them by
/// UV_RESTRICTED_SPR_READ and _WRITE. They are the hypervisor's own values: a secure guest's stand in its registers,
/// and are hidden from it (reflection.h).
class restricted_registers {
public:
    struct info {
        std::uint64_t number;  ///< as in mtspr
        bool readable;
    };
    // clang-format off: a table
    static constexpr std::array registers{
        info{180, true},   // DAWR
        info{187, true},   // CIABR
        info{188, true},   // DAWRX
        info{799, false},  // IMC
        info{850, false},  // LDBAR
    };
    // clang-format on

    /// \returns false: no such register
    bool write(unsigned cpu, std::uint64_t number, std::uint64_t value) {
        for (const info& each : registers) {
            if (each.number == number) {
                values_[{cpu, number}] = value;
                return true;
            }
        }
        return false;
    }
    /// nullopt: no such register, or none that can be read.
    [[nodiscard]] std::optional<std::uint64_t> read(unsigned cpu, std::uint64_t number) const {
        for (const info& each : registers) {
            if (each.number == number && each.readable) {
                const auto found = values_.find({cpu, number});
                return found == values_.end() ? 0 : found->second;
            }
        }
        return std::nullopt;
    }

private:
    std::map<std::pair<unsigned, std::uint64_t>, std::uint64_t> values_;
};

}  // namespace pefsim::ultravisor
