// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>
#include <boost/endian/arithmetic.hpp>

#include "abi/rtas.h"
#include "firmware/architecture_support.h"
#include "firmware/client_service.h"

/// The methods of packages that call-method reaches.
namespace pefsim::firmware {
namespace {

/// Puts the code of RTAS at a place of the client's choice, in memory that it has claimed (PAPR 2.8, B.6.3.1).
std::uint32_t instantiate_rtas(const client_call& of) {
    constexpr abi::firmware_entry code = abi::entry_to(static_cast<std::uint16_t>(abi::hcall::h_rtas));
    if (of.arguments.size() < 3) {
        return client_failure;
    }
    const std::uint32_t at = of.argument(2);
    std::array<boost::endian::big_uint32_t, code.size()> words;
    std::ranges::copy(code, words.begin());
    if (!of.write(at, std::as_bytes(std::span(words)))) {
        return client_failure;
    }
    of.result(1, at);
    return 0;
}

constexpr std::array methods{
    client_method{"/", "ibm,client-architecture-support", client_architecture_support},
    client_method{"/rtas", "instantiate-rtas", instantiate_rtas},
};

}  // namespace

std::span<const client_method> client_methods() { return methods; }

}  // namespace pefsim::firmware
