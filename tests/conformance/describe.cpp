// SPDX-License-Identifier: Apache-2.0
#include "tests/conformance/describe.h"

#include <fmt/format.h>

#include <array>
#include <iterator>

#include "power/debug/disassembler.h"

namespace pefsim::conformance {
namespace {

using namespace power::isa;  // NOLINT(google-build-using-namespace): the vocabulary of this file

struct scalar {
    std::string_view name;
    std::uint64_t vector_state::*value;
};
constexpr std::array scalars{
    scalar{"lr", &vector_state::lr},       scalar{"ctr", &vector_state::ctr},
    scalar{"xer", &vector_state::xer},     scalar{"cr", &vector_state::cr},
    scalar{"fpscr", &vector_state::fpscr}, scalar{"signal", &vector_state::signal},
    scalar{"nip", &vector_state::nip},     scalar{"address", &vector_state::address},
};

std::string vsr_text(const std::uint64_t (&value)[2]) {
    return fmt::format("{:016x}.{:016x}", value[1], value[0]);
}

void append_operand(std::string& out, const vector_state& before, const operand_info& operand,
                    unsigned number) {
    const bool pair = operand.where.zeros != 0;
    switch (operand.kind) {
    case operand_kind::gpr:
    case operand_kind::gpr_or_zero:
        fmt::format_to(std::back_inserter(out), "    r{:<5} {:016x}\n", number, before.gpr[number]);
        break;
    case operand_kind::vr:
        number += 32;
        [[fallthrough]];
    case operand_kind::fpr:
    case operand_kind::vsr:
        for (unsigned i = number; i <= number + (pair ? 1 : 0); ++i) {
            fmt::format_to(std::back_inserter(out), "    vs{:<4} {}\n", i, vsr_text(before.vsr[i]));
        }
        break;
    default:
        break;
    }
}

}  // namespace

std::string describe(const sample& of) {
    std::string out = fmt::format(
        "  {:08x}  {}\n", of.word,
        power::debug::disassemble(of.word, 0, power::debug::unwritable::as_instructions));
    const auto to = std::back_inserter(out);
    for (const operand each : of.row->operands) {
        append_operand(out, *of.before, info_of(each), static_cast<unsigned>(info_of(each).value(of.word)));
    }
    fmt::format_to(to, "    xer {:08x}  cr {:08x}  fpscr {:x}  vscr {:x}  lr {:x}  ctr {:x}\n",
                   of.before->xer, of.before->cr, of.before->fpscr, of.before->vscr[0], of.before->lr,
                   of.before->ctr);
    const auto differs = [&](std::string_view name, const std::string& ours, const std::string& theirs) {
        if (ours != theirs) {
            fmt::format_to(to, "    -> {:<7} engine {}  other {}\n", name, ours, theirs);
        }
    };
    const auto hex = [](std::uint64_t value) { return fmt::format("{:016x}", value); };
    for (unsigned i = 0; i < 32; ++i) {
        differs(fmt::format("r{}", i), hex(of.ours->gpr[i]), hex(of.theirs->gpr[i]));
    }
    for (unsigned i = 0; i < 64; ++i) {
        differs(fmt::format("vs{}", i), vsr_text(of.ours->vsr[i]), vsr_text(of.theirs->vsr[i]));
    }
    for (const scalar& each : scalars) {
        differs(each.name, hex(of.ours->*each.value), hex(of.theirs->*each.value));
    }
    differs("vscr", vsr_text(of.ours->vscr), vsr_text(of.theirs->vscr));
    for (unsigned i = 0; i < VECTOR_MEMORY_SIZE; ++i) {
        differs(fmt::format("[{}]", i), fmt::format("{:02x}", of.ours->memory[i]),
                fmt::format("{:02x}", of.theirs->memory[i]));
    }
    return out;
}

}  // namespace pefsim::conformance
