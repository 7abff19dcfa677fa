// SPDX-License-Identifier: Apache-2.0
#include "firmware/nvram.h"

#include <algorithm>
#include <array>
#include <boost/endian/arithmetic.hpp>
#include <cstring>
#include <string>
#include <string_view>

#include "firmware/rtas_service.h"

/// RTAS for non-volatile memory. PAPR 2.8, 7.3.1: index, buffer, length; how many bytes were moved.
namespace pefsim::firmware {

using abi::rtas_status;

namespace {

/// How a partition begins (8.4.1): what it is, a sum over the rest of the header, its length in blocks of 16 bytes, its
/// name.
struct partition_header {
    std::uint8_t signature;
    std::uint8_t checksum;
    boost::endian::big_uint16_t blocks;
    std::array<char, 12> name;
};
static_assert(sizeof(partition_header) == 16);

constexpr std::uint8_t system_partition = 0x70;
constexpr std::uint8_t free_space = 0x7f;

/// Bytes are added with the carry going round (8.4.1.1).
std::uint8_t checksum_of(const partition_header& header) {
    std::array<std::uint8_t, sizeof header> bytes{};
    std::memcpy(bytes.data(), &header, sizeof header);
    unsigned sum = bytes[0];
    for (std::size_t n = 2; n < bytes.size(); ++n) {
        sum += bytes[n];
        sum = (sum & 0xff) + (sum >> 8);
    }
    return static_cast<std::uint8_t>(sum);
}

void begin_partition(std::span<std::byte> bytes, std::uint8_t signature, std::string_view name) {
    partition_header header{
        signature, 0, static_cast<std::uint16_t>(bytes.size() / sizeof(partition_header)), {}};
    std::ranges::copy(name, header.name.begin());
    header.checksum = checksum_of(header);
    std::memcpy(bytes.data(), &header, sizeof header);
}

rtas_status nvram_fetch(parts& here, const rtas_call& of) {
    const auto bytes = here.store.bytes(of.argument(0), of.argument(2));
    if (!bytes || !of.write(here, of.argument(1), *bytes)) {
        of.result(0, 0);
        return rtas_status::parameter_error;
    }
    of.result(0, of.argument(2));
    return rtas_status::success;
}

rtas_status nvram_store(parts& here, const rtas_call& of) {
    const auto bytes = here.store.bytes(of.argument(0), of.argument(2));
    if (!bytes || !of.read(here, of.argument(1), *bytes)) {
        of.result(0, 0);
        return rtas_status::parameter_error;
    }
    of.result(0, of.argument(2));
    return rtas_status::success;
}

constexpr std::array rows{
    rtas_service{abi::rtas::nvram_fetch, nvram_fetch},
    rtas_service{abi::rtas::nvram_store, nvram_store},
};

}  // namespace

nvram::nvram() {
    constexpr std::size_t for_the_system = 4096;
    const std::span all(bytes_);
    begin_partition(all.first(for_the_system), system_partition, "common");
    begin_partition(all.subspan(for_the_system), free_space, std::string(12, 'w'));
}

std::span<const rtas_service> nvram_services() { return rows; }

}  // namespace pefsim::firmware
