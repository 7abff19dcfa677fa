// SPDX-License-Identifier: Apache-2.0
#include "tests/conformance/known_differences.h"

#include <algorithm>
#include <cstring>

#include "tests/conformance/conditions.h"
#include "tests/conformance/exclusions.h"

namespace pefsim::conformance {
namespace {

using namespace cpu::power::isa;  // NOLINT(google-build-using-namespace): the vocabulary of this file

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

std::vector<known_difference> known_differences() {
    std::vector<known_difference> all;
    for (const auto table :
         {known_environment(), known_fixed(), known_floating(), known_decimal(), known_vector()}) {
        all.insert(all.end(), table.begin(), table.end());
    }
    return all;
}

bool equal_but_for_known(const sample& of) {
    vector_state ours = *of.ours;
    vector_state theirs = *of.theirs;
    static const std::vector<known_difference> all = known_differences();
    for (const known_difference& each : all) {
        if (!matches(each.rows, of.row->mnemonic) || (each.when != nullptr && !each.when(of))) {
            continue;
        }
        for (const part& what : each.parts) {
            forget(ours, of, what);
            forget(theirs, of, what);
        }
    }
    return std::memcmp(&ours, &theirs, sizeof ours) == 0;
}

}  // namespace pefsim::conformance
