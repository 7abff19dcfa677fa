// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace pefsim::exposure {

/// Chains of calls by number: a place, and where those who called return to, innermost first. Their numbers are origins
/// of an attribution: neither program counters nor names have bit 1 set and bit 0 not.
class call_chains {
public:
    /// A number for where the callers of a place return to; equal ones have equal numbers, none have 0.
    std::uint32_t callers(std::span<const std::uint64_t> returns);
    /// The origin for a place with these callers.
    std::uint64_t origin(std::uint64_t place, std::uint32_t callers);

    [[nodiscard]] static bool is_chain(std::uint64_t origin) { return (origin & 3) == 2; }
    /// Of an origin that is a chain.
    [[nodiscard]] std::uint64_t place(std::uint64_t origin) const { return chains_.at(origin >> 2).first; }
    [[nodiscard]] std::span<const std::uint64_t> returns(std::uint64_t origin) const {
        return *returns_.at(chains_.at(origin >> 2).second);
    }

private:
    static inline const std::vector<std::uint64_t> nobody{};

    std::vector<const std::vector<std::uint64_t>*> returns_{&nobody};
    std::map<std::vector<std::uint64_t>, std::uint32_t> number_of_returns_{{nobody, 0}};
    std::vector<std::pair<std::uint64_t, std::uint32_t>> chains_;
    std::map<std::pair<std::uint64_t, std::uint32_t>, std::uint64_t> number_of_chain_;
};

/// A function by which Linux comes into the kernel: what was interrupted there has called nobody.
bool enters_the_kernel(std::string_view function);

/// The function on whose account the innermost one of a chain works: the first that belongs neither to copying and
/// clearing, nor to Linux's DMA API (SWIOTLB included), nor to its virtio core. Empty: all do, or nobody called.
/// \param functions innermost first
std::string driver_of(std::span<const std::string> functions);

}  // namespace pefsim::exposure
