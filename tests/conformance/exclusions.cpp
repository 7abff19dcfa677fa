// SPDX-License-Identifier: Apache-2.0
#include "tests/conformance/exclusions.h"

#include <fnmatch.h>

#include <algorithm>

#include <string>

namespace pefsim::conformance {
namespace {

using power::isa::facility;

constexpr exclusion table[] = {
    {"sc scv", "calls the operating system"},
    {"wait", "waits for an interrupt that a program does not see"},
    {"attn", "stops the processor"},
    {"darn", "a random number"},
    {"mftb", "the time"},
    {"lmw stmw lswi lswx stswi stswx",
     "in little-endian mode an alignment interrupt, on which qemu-ppc64le gives up"},
    {"copy paste. cpabort",
     "needs a real address that accelerators own; to ordinary storage it fails as an implementation likes"},
};

}  // namespace

std::span<const exclusion> exclusions() { return table; }

std::string_view exclusion_of(const power::isa::instruction& row) {
    switch (row.needs) {
    case facility::privileged:
    case facility::hypervisor:
    case facility::ultravisor:
    case facility::tm_privileged:
        return "privileged";
    case facility::ebb:
        return "event-based branches are switched off for programs";
    case facility::tm:
        return "transactional memory is unavailable here; qemu lets each transaction fail";
    default:
        break;
    }
    for (const exclusion& each : table) {
        if (matches(each.rows, row.mnemonic)) {
            return each.reason;
        }
    }
    return {};
}

bool matches(std::string_view patterns, std::string_view mnemonic) {
    while (!patterns.empty()) {
        const std::string_view first = patterns.substr(0, patterns.find(' '));
        if (fnmatch(std::string(first).c_str(), std::string(mnemonic).c_str(), 0) == 0) {
            return true;
        }
        patterns.remove_prefix(std::min(patterns.size(), first.size() + 1));
    }
    return false;
}

}  // namespace pefsim::conformance
