// SPDX-License-Identifier: Apache-2.0
#include <array>
#include <boost/endian/conversion.hpp>
#include <cstring>

#include "abi/platform.h"
#include "hypervisor/services.h"

/// Hypercalls of the virtual terminal: PAPR 2.8, 16.6; H_VIO_SIGNAL, which is every virtual device's: 16.2.1. Sixteen
/// characters stand in two registers, the first in the most significant byte.
namespace pefsim::hypervisor {

using abi::h_status;

namespace {

h_status h_put_term_char(host& here, const call& of) {
    std::array<char, virtual_terminal::characters_per_call> characters{};
    const std::uint64_t length = of.argument(1);
    if (of.argument(0) != abi::platform::console_termno || length > characters.size()) {
        return h_status::h_parameter;
    }
    const std::array words{boost::endian::native_to_big(of.argument(2)),
                           boost::endian::native_to_big(of.argument(3))};
    std::memcpy(characters.data(), words.data(), sizeof words);
    here.terminal.put(std::span(characters).first(length), of.context.now());
    return h_status::h_success;
}

h_status h_get_term_char(host& here, const call& of) {
    if (of.argument(0) != abi::platform::console_termno) {
        return h_status::h_parameter;
    }
    std::array<char, virtual_terminal::characters_per_call> characters{};
    of.result(0, here.terminal.get(characters));
    std::array<std::uint64_t, 2> words{};
    std::memcpy(words.data(), characters.data(), sizeof words);
    of.result(1, boost::endian::big_to_native(words[0]));
    of.result(2, boost::endian::big_to_native(words[1]));
    return h_status::h_success;
}

/// Bit 63 of the mode is the device's first interrupt; PAPR has the hypervisor ignore bits that are no interrupt's. The
/// non-volatile memory has none.
h_status h_vio_signal(host& here, const call& of) {
    const std::uint64_t unit = of.argument(0);
    if (unit != abi::platform::console_termno && unit != abi::platform::nvram_unit) {
        return h_status::h_parameter;
    }
    if (unit == abi::platform::console_termno) {
        here.terminal.enable_interrupt((of.argument(1) & big_endian_bit(63)) != 0);
    }
    return h_status::h_success;
}

constexpr std::array rows{
    service{abi::hcall::h_get_term_char, h_get_term_char},
    service{abi::hcall::h_put_term_char, h_put_term_char},
    service{abi::hcall::h_vio_signal, h_vio_signal},
};

}  // namespace

std::span<const service> terminal_services() { return rows; }

}  // namespace pefsim::hypervisor
