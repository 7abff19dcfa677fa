// SPDX-License-Identifier: Apache-2.0
#include "firmware/architecture_support.h"

#include <array>
#include <boost/endian/arithmetic.hpp>
#include <optional>
#include <span>

namespace pefsim::firmware {
namespace {

/// Option vector 5 as firmware answers it: how many bytes follow less one, and the bytes, each known by its number.
constexpr std::size_t last_byte = 26;
using option_vector_5 = std::array<std::uint8_t, last_byte + 1>;

struct option {
    std::size_t byte;
    std::uint8_t bits;
};
constexpr option logical_partition{2, 0x80};
constexpr option shared_processors{2, 0x40};
constexpr option radix_translation{24, 0x40};
constexpr option guest_invalidates{26, 0x40};  // GTSE

constexpr option_vector_5 chosen_options() {
    option_vector_5 vector{last_byte - 1};
    for (const option& each : {logical_partition, shared_processors, radix_translation, guest_invalidates}) {
        vector[each.byte] |= each.bits;
    }
    return vector;
}

/// Processor versions that an operating system may name: POWER9's own, and its architecture level's.
constexpr std::array<std::uint32_t, 2> versions{0x004e'1202, 0x0f00'0005};

/// What it says of processors: each pair is a mask and a version.
struct version_pair {
    boost::endian::big_uint32_t mask;
    boost::endian::big_uint32_t version;
    [[nodiscard]] bool names(std::uint32_t which) const { return (which & mask) == version; }
    [[nodiscard]] bool is_last() const { return (version & ~mask) != 0; }
};

bool supports_this_processor(const client_call& of, std::uint32_t at) {
    constexpr unsigned most = 512;
    bool found = false;
    for (unsigned n = 0; n < most; ++n, at += sizeof(version_pair)) {
        version_pair pair{};
        if (!of.read(at, std::as_writable_bytes(std::span(&pair, 1)))) {
            return false;
        }
        if (pair.is_last()) {
            return found;
        }
        for (const std::uint32_t version : versions) {
            found |= pair.names(version);
        }
    }
    return false;
}

}  // namespace

void choose_architecture(device_tree::tree& tree) {
    static constexpr option_vector_5 vector = chosen_options();
    if (device_tree::node* chosen = tree.find("/chosen"); chosen != nullptr) {
        chosen->set("ibm,architecture-vec-5", std::as_bytes(std::span(vector)));
    }
}

std::uint32_t client_architecture_support(const client_call& of) {
    if (of.arguments.size() < 3 || !supports_this_processor(of, of.argument(2))) {
        return client_failure;
    }
    of.result(1, 0);
    choose_architecture(of.state.tree);
    return 0;
}

}  // namespace pefsim::firmware
