// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>
#include <boost/endian/arithmetic.hpp>
#include <fmt/format.h>
#include <string>
#include <vector>

#include "firmware/rtas_service.h"

/// RTAS for system parameters. PAPR 2.8, 7.3.16. A value is its length in two bytes, and that many bytes.
namespace pefsim::firmware {

using abi::rtas_status;

namespace {

constexpr std::uint32_t splpar_characteristics = 20;
constexpr std::uint64_t mebibyte = std::uint64_t{1} << 20;

/// Keywords of a shared-processor partition (7.3.16.5): its processors are all that the platform has.
std::string splpar_text(const parts& here) {
    const int processors = here.host.cpus.size();
    return fmt::format("MaxEntCap={},DesMem={},DesProcs={},MaxPlatProcs={}", 100 * processors,
                       here.ram_size / mebibyte, processors, processors);
}

rtas_status get_system_parameter(parts& here, const rtas_call& of) {
    if (of.argument(0) != splpar_characteristics) {
        return rtas_status::not_there;
    }
    const std::string text = splpar_text(here) + '\0';
    const boost::endian::big_uint16_t length(static_cast<std::uint16_t>(text.size()));
    std::vector<std::byte> value(sizeof length + text.size());
    std::ranges::copy(std::as_bytes(std::span(&length, 1)), value.begin());
    std::ranges::copy(std::as_bytes(std::span(text)), value.begin() + sizeof length);
    if (of.argument(2) < value.size()) {
        return rtas_status::wrong_length;
    }
    return of.write(here, of.argument(1), value) ? rtas_status::success : rtas_status::parameter_error;
}

/// None of them may be set.
rtas_status set_system_parameter(parts& /*here*/, const rtas_call& of) {
    return of.argument(0) == splpar_characteristics ? rtas_status::not_authorized : rtas_status::not_there;
}

constexpr std::array rows{
    rtas_service{abi::rtas::get_system_parameter, get_system_parameter},
    rtas_service{abi::rtas::set_system_parameter, set_system_parameter},
};

}  // namespace

std::span<const rtas_service> system_parameter_services() { return rows; }

}  // namespace pefsim::firmware
