// SPDX-License-Identifier: Apache-2.0
#include "esm/measurements.h"

#include <algorithm>
#include <boost/endian/conversion.hpp>
#include <fmt/format.h>
#include <limits>
#include <stdexcept>

#include "abi/hcall.h"
#include "abi/rtas.h"

namespace pefsim::esm {

bytes image_as_loaded(const power::elf_image& kernel) {
    std::uint64_t end = kernel.lowest();
    for (const power::elf_image::segment& each : kernel.segments()) {
        end = std::max(end, each.content.empty() ? end : each.address + each.content.size());
    }
    bytes image(end - kernel.lowest());
    for (const power::elf_image::segment& each : kernel.segments()) {
        std::ranges::copy(each.content,
                          image.begin() + static_cast<std::ptrdiff_t>(each.address - kernel.lowest()));
    }
    return image;
}

bytes rtas_code() {
    constexpr abi::firmware_entry words = abi::entry_to(static_cast<std::uint16_t>(abi::hcall::h_rtas));
    bytes code(sizeof(words));
    for (std::size_t n = 0; n < words.size(); ++n) {
        boost::endian::store_big_u32(octets(code.data()) + n * sizeof(words[0]), words[n]);
    }
    return code;
}

measurements measure(byte_view kernel, byte_view initrd, std::string_view bootargs) {
    if (kernel.size() > std::numeric_limits<std::uint32_t>::max()) {
        throw std::invalid_argument(
            fmt::format("a kernel of {} bytes is too large for a blob", kernel.size()));
    }
    return {.rtas = digest_of(rtas_code()),
            .kernel = digest_of(kernel),
            .kernel_size = static_cast<std::uint32_t>(kernel.size()),
            .initrd = digest_of(initrd),
            .bootargs = digest_of(bytes_of(bootargs))};
}

}  // namespace pefsim::esm
