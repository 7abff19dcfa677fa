// SPDX-License-Identifier: Apache-2.0
#include "power/translator/emitter.h"
#include "power/translator/lowering.h"

namespace pefsim::power::host_code {
namespace {

constexpr int lr_number = 8;
constexpr int ctr_number = 9;

unsigned special_register(std::uint32_t word) {
    return isa::fields::spr.of(word) == lr_number ? link_register : count_register;
}
/// What is no move of a register that anybody may have.
bool is_another(std::uint32_t word) {
    return isa::fields::spr.of(word) != lr_number && isa::fields::spr.of(word) != ctr_number;
}

void mtspr(emitter& to, const guest_op& o) {
    to.set(special_register(o.word), to.source(static_cast<unsigned>(isa::fields::t.of(o.word)), x86::rax));
}
void mfspr(emitter& to, const guest_op& o) {
    to.set(static_cast<unsigned>(isa::fields::t.of(o.word)), to.source(special_register(o.word), x86::rax));
}

/// Power ISA 3.0B Book I 3.3.17.
constexpr lowering rows[] = {
    {.mnemonic = "mtspr", .emit = mtspr, .refuses = is_another},
    {.mnemonic = "mfspr", .emit = mfspr, .refuses = is_another},
};

}  // namespace

std::span<const lowering> fixed_move_lowerings() { return rows; }

}  // namespace pefsim::power::host_code
