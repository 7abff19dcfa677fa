// SPDX-License-Identifier: Apache-2.0
#include "guest/console.h"

#include <algorithm>
#include <array>
#include <cstring>

#include <boost/endian/conversion.hpp>

#include "abi/hcall.h"
#include "abi/platform.h"

namespace pefsim::guest {

namespace {

constexpr std::size_t bytes_per_call = 16;
constexpr unsigned attempts = 100;

/// R6 and R7 of the call: the first character in the most significant byte.
std::array<std::uint64_t, 2> in_registers(std::string_view characters) {
    std::array<std::uint64_t, 2> registers{};
    std::memcpy(registers.data(), characters.data(), characters.size());
    std::ranges::for_each(registers, boost::endian::big_to_native_inplace<std::uint64_t>);
    return registers;
}

bool put(native_cpu& cpu, std::string_view characters) {
    const auto [first, second] = in_registers(characters);
    for (unsigned i = 0; i < attempts; ++i) {
        const abi::h_status status = cpu.hypercall(
            abi::hcall::h_put_term_char, {abi::platform::console_termno, characters.size(), first, second});
        if (status != abi::h_status::h_busy) {
            return status == abi::h_status::h_success;
        }
    }
    return false;
}

}  // namespace

void console::printk(native_cpu& cpu, std::string_view message) {
    const spinlock::guard locked(lock_, cpu);
    messages_.emplace_back(message);
    line_.assign(message);
    line_ += '\n';
    for (std::string_view rest = line_; !rest.empty();
         rest.remove_prefix(std::min(rest.size(), bytes_per_call))) {
        if (!put(cpu, rest.substr(0, bytes_per_call))) {
            return;
        }
    }
}

}  // namespace pefsim::guest
