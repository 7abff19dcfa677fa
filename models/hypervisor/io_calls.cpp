// SPDX-License-Identifier: Apache-2.0
#include <array>
#include <bit>
#include <boost/endian/conversion.hpp>
#include <cstring>

#include "abi/platform.h"
#include "hypervisor/hypervisor.h"

/// Hypercalls of cache-inhibited memory (PAPR 2.8, 14.5.4.1) and of the virtual terminal (16.6).
namespace pefsim::hypervisor {

using abi::h_status;

namespace {

bool valid_ci_access(std::uint64_t size, std::uint64_t at) {
    return size <= 8 && std::has_single_bit(size) && at % size == 0;
}

}  // namespace

h_status hypervisor::h_logical_ci_load(registers& state, trap_context& context) {
    const std::uint64_t size = state.gpr[4];
    const abi::phys_addr at{state.gpr[5]};
    std::uint64_t value = 0;
    if (!valid_ci_access(size, at.value()) || guest_.contains(at) ||
        !mmio_access(false, at, size, value, context)) {
        return h_status::h_parameter;
    }
    state.gpr[4] = abi::logical_ci_value(value, size);
    return h_status::h_success;
}

h_status hypervisor::h_logical_ci_store(registers& state, trap_context& context) {
    const std::uint64_t size = state.gpr[4];
    const abi::phys_addr at{state.gpr[5]};
    if (!valid_ci_access(size, at.value()) || guest_.contains(at)) {
        return h_status::h_parameter;
    }
    std::uint64_t value = abi::logical_ci_value(state.gpr[6], size);
    return mmio_access(true, at, size, value, context) ? h_status::h_success : h_status::h_parameter;
}

h_status hypervisor::h_put_term_char(registers& state, trap_context& context) {
    std::array<char, virtual_terminal::characters_per_call> characters{};
    const std::uint64_t length = state.gpr[5];
    if (state.gpr[4] != abi::platform::console_termno || length > characters.size()) {
        return h_status::h_parameter;
    }
    // The first character stands in the most significant byte.
    const std::array words{boost::endian::native_to_big(state.gpr[6]),
                           boost::endian::native_to_big(state.gpr[7])};
    std::memcpy(characters.data(), words.data(), sizeof words);
    terminal_.put(std::span(characters).first(length), context.now());
    return h_status::h_success;
}

h_status hypervisor::h_get_term_char(registers& state, trap_context& /*context*/) {
    if (state.gpr[4] != abi::platform::console_termno) {
        return h_status::h_parameter;
    }
    std::array<char, virtual_terminal::characters_per_call> characters{};
    state.gpr[4] = terminal_.get(characters);
    std::array<std::uint64_t, 2> words{};
    std::memcpy(words.data(), characters.data(), sizeof words);
    state.gpr[5] = boost::endian::big_to_native(words[0]);
    state.gpr[6] = boost::endian::big_to_native(words[1]);
    return h_status::h_success;
}

}  // namespace pefsim::hypervisor
