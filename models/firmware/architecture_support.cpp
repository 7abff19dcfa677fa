// SPDX-License-Identifier: Apache-2.0
#include "firmware/architecture_support.h"

#include <array>
#include <boost/endian/arithmetic.hpp>
#include <optional>
#include <span>

#include "firmware/machine_tree.h"

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
constexpr option exploits_xive{23, 0x40};
constexpr option radix_translation{24, 0x40};
constexpr option guest_invalidates{26, 0x40};  // GTSE

option_vector_5 chosen_options(bool xive) {
    option_vector_5 vector{last_byte - 1};
    for (const option& each : {logical_partition, shared_processors, radix_translation, guest_invalidates}) {
        vector[each.byte] |= each.bits;
    }
    vector[exploits_xive.byte] |= xive ? exploits_xive.bits : 0;
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

/// \returns where the list of option vectors begins; nothing when no version is this processor's
std::optional<std::uint32_t> past_processors(const client_call& of, std::uint32_t at) {
    constexpr unsigned most = 512;
    bool found = false;
    for (unsigned n = 0; n < most; ++n, at += sizeof(version_pair)) {
        version_pair pair{};
        if (!of.read(at, std::as_writable_bytes(std::span(&pair, 1)))) {
            return std::nullopt;
        }
        if (pair.is_last()) {
            return found ? std::optional(at + std::uint32_t{sizeof pair}) : std::nullopt;
        }
        for (const std::uint32_t version : versions) {
            found |= pair.names(version);
        }
    }
    return std::nullopt;
}

/// A byte of one of the option vectors; 0 where the operating system says nothing.
/// \param at the list: the number of vectors less one, then each as its length less one and its bytes from number 1 on
std::uint8_t option_byte(const client_call& of, std::uint32_t at, unsigned vector, unsigned byte) {
    const auto read = [&](std::uint32_t from) {
        std::uint8_t value = 0;
        return of.read(from, std::as_writable_bytes(std::span(&value, 1))) ? value : std::uint8_t{0};
    };
    if (vector > read(at) + 1U) {
        return 0;
    }
    ++at;
    for (unsigned each = 1; each < vector; ++each) {
        at += read(at) + 2U;
    }
    return byte > read(at) + 1U ? 0 : read(at + byte);
}

/// Either of the two is what firmware decides; XICS is what it has been so far.
bool asks_for_xive(const client_call& of, std::uint32_t vectors) {
    constexpr std::uint8_t mask = 0xc0;
    return (option_byte(of, vectors, 5, exploits_xive.byte) & mask) == exploits_xive.bits;
}

}  // namespace

void choose_architecture(device_tree::tree& tree, interrupt::interrupt_controllers& interrupts, bool xive,
                         const sc_core::sc_time& when) {
    using interrupt::controller_kind;
    interrupts.choose(xive ? controller_kind::xive : controller_kind::xics, when);
    describe_interrupt_controller(tree, xive);
    const option_vector_5 vector = chosen_options(xive);
    if (device_tree::node* chosen = tree.find("/chosen"); chosen != nullptr) {
        chosen->set("ibm,architecture-vec-5", std::as_bytes(std::span(vector)));
    }
}

std::uint32_t client_architecture_support(const client_call& of) {
    const auto vectors = of.arguments.size() < 3 ? std::nullopt : past_processors(of, of.argument(2));
    if (!vectors) {
        return client_failure;
    }
    of.result(1, 0);
    interrupt::interrupt_controllers& interrupts = of.host.controllers;
    choose_architecture(of.state.tree, interrupts, asks_for_xive(of, *vectors) && interrupts.has_xive(),
                        of.trap.context.now());
    return 0;
}

}  // namespace pefsim::firmware
