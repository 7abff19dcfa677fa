// SPDX-License-Identifier: Apache-2.0
#include "tests/conformance/known_differences.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <span>

#include "tests/conformance/conditions.h"
#include "tests/conformance/exclusions.h"

namespace pefsim::conformance {
namespace {

using namespace power::isa;  // NOLINT(google-build-using-namespace): the vocabulary of this file

bool faults_beyond_user_space(const sample& s) { return faults(s) && s.ours->address >> 47 != 0; }

// clang-format off
constexpr known_difference environment[] = {
    // The program's environment, not its instructions
    {"*", faults, {{{place::fpscr, drn}}}, "the frame of a signal in qemu-ppc64le keeps 32 bits of FPSCR"},
    {"*", faults_beyond_user_space, {{{place::address}}},
     "for an address that the host cannot form, qemu-ppc64le says 0: DAR has the effective address"},
    {"rnop", nullptr, {{{place::signal}, {place::fpscr, drn}}},
     "Book I 1.8.3: reserved no-op instructions do nothing; qemu finds them illegal"},
    {"icbt", nullptr, {{{place::signal}, {place::fpscr, drn}}},
     "Book II 4.3.1 has it; to qemu it is an instruction of embedded processors"},
};
// clang-format on

void forget(vector_state& state, const sample& s, const part& what) {
    const u64 keep = ~what.bits;
    const unsigned target = target_register(s);
    switch (what.where) {
    case place::nothing:
        break;
    case place::rt:
        state.gpr[fields::t.of(s.word)] &= keep;
        if (std::ranges::find(s.row->operands, operand::rt_pair) != s.row->operands.end()) {
            state.gpr[fields::t.of(s.word) | 1] &= keep;
        }
        break;
    case place::ra:
        state.gpr[fields::a.of(s.word)] &= keep;
        break;
    case place::target:
        for (unsigned i = target; i < 64 && i < target + 2; ++i) {
            state.vsr[i][0] &= keep;
            state.vsr[i][1] &= keep;
        }
        break;
    case place::target0:
        if (target < 64) {
            state.vsr[target][1] &= keep;
        }
        break;
    case place::target1:
        if (target < 64) {
            state.vsr[target][0] &= keep;
        }
        break;
    case place::cr:
        state.cr &= keep;
        break;
    case place::xer:
        state.xer &= keep;
        break;
    case place::fpscr:
        state.fpscr &= keep;
        break;
    case place::vscr:
        state.vscr[0] &= keep;
        break;
    case place::signal:
        state.signal = 0;
        state.nip = 0;
        state.address = 0;
        break;
    case place::address:
        state.address &= keep;
        break;
    case place::memory:
        std::memset(state.memory, 0, sizeof state.memory);
        break;
    }
}

void forget(vector_state& ours, vector_state& theirs, const sample& s, const known_difference& known) {
    for (const part& what : known.parts) {
        forget(ours, s, what);
        forget(theirs, s, what);
    }
}

bool applies(const known_difference& known, const sample& s) {
    return matches(known.rows, s.row->mnemonic) && (known.when == nullptr || known.when(s));
}

/// How many.
std::size_t differing_bits(const vector_state& a, const vector_state& b) {
    const auto bytes_of = [](const vector_state& of) { return std::as_bytes(std::span(&of, 1)); };
    std::size_t count = 0;
    for (std::size_t i = 0; i < sizeof a; ++i) {
        count += static_cast<std::size_t>(
            std::popcount(static_cast<unsigned>(bytes_of(a)[i] ^ bytes_of(b)[i])));
    }
    return count;
}

}  // namespace

unsigned target_register(const sample& s) {
    for (const operand each : s.row->operands) {
        const auto value = static_cast<unsigned>(info_of(each).value(s.word));
        switch (info_of(each).kind) {
        case operand_kind::fpr:
        case operand_kind::vsr:
            return value;
        case operand_kind::vr:
            return value + 32;
        default:
            break;
        }
    }
    return 64;
}

std::span<const known_difference> known_environment() { return environment; }

const std::vector<known_difference>& known_differences() {
    static const std::vector<known_difference> differences = [] {
        std::vector<known_difference> all;
        for (const auto table :
             {known_environment(), known_fixed(), known_floating(), known_decimal(), known_vector()}) {
            all.insert(all.end(), table.begin(), table.end());
        }
        return all;
    }();
    return differences;
}

bool equal_but_for_known(const sample& of) {
    vector_state ours = *of.ours;
    vector_state theirs = *of.theirs;
    for (const known_difference& each : known_differences()) {
        if (applies(each, of)) {
            forget(ours, theirs, of, each);
        }
    }
    return std::memcmp(&ours, &theirs, sizeof ours) == 0;
}

std::vector<std::size_t> covering(const sample& of) {
    std::vector<std::size_t> found;
    const std::vector<known_difference>& all = known_differences();
    for (std::size_t i = 0; i < all.size(); ++i) {
        if (!applies(all[i], of)) {
            continue;
        }
        vector_state ours = *of.ours;
        vector_state theirs = *of.theirs;
        forget(ours, theirs, of, all[i]);
        if (differing_bits(ours, theirs) != differing_bits(*of.ours, *of.theirs)) {
            found.push_back(i);
        }
    }
    return found;
}

}  // namespace pefsim::conformance
