// SPDX-License-Identifier: Apache-2.0
#include <array>
#include <bit>

#include "firmware/client_service.h"

/// Client interface: memory. IEEE 1275-1994, 6.3.2.4. Addresses are real ones of 32 bits: nothing is translated here.
namespace pefsim::firmware {

namespace {

void claim(const client_call& of) {
    const std::uint32_t at = of.argument(0);
    const std::uint32_t size = of.argument(1);
    const std::uint32_t alignment = of.argument(2);
    if (size == 0) {
        return of.result(0, client_failure);
    }
    if (alignment == 0) {
        return of.result(0, of.state.memory.take(at, size) ? at : client_failure);
    }
    constexpr std::uint64_t end = std::uint64_t{1} << 32;
    const auto place = of.state.memory.take_aligned(size, std::bit_ceil(std::uint64_t{alignment}), end);
    of.result(0, place ? static_cast<std::uint32_t>(*place) : client_failure);
}

void release(const client_call& of) { of.state.memory.release(of.argument(0), of.argument(1)); }

constexpr std::array rows{
    client_service{"claim", 3, 1, claim},
    client_service{"release", 2, 0, release},
};

}  // namespace

std::span<const client_service> memory_services() { return rows; }

}  // namespace pefsim::firmware
