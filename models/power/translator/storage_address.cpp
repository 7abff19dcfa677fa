// SPDX-License-Identifier: Apache-2.0
#include "power/translator/storage_address.h"

#include <algorithm>

namespace pefsim::power::host_code {
namespace {

using asmjit::Imm;

bool displaced(const guest_op& o) {
    return std::ranges::any_of(o.row->operands, [](isa::operand each) {
        return isa::info_of(each).kind == isa::operand_kind::displacement;
    });
}

void add_displacement(emitter& to, unsigned base, std::int32_t displacement) {
    if (base == zero_register) {
        to.as().mov(x86::rax, Imm(std::int64_t{displacement}));
    } else if (const auto own = to.own(base)) {
        to.as().lea(x86::rax, x86::ptr(*own, displacement));
    } else {
        to.load(x86::rax, base);
        if (displacement != 0) {
            to.as().add(x86::rax, Imm(displacement));
        }
    }
}

void add_index(emitter& to, unsigned base, unsigned index) {
    const x86::Gp by = to.source(index, x86::rcx);
    if (const auto own = to.own(base)) {
        to.as().lea(x86::rax, x86::ptr(*own, by));
    } else {
        to.as().mov(x86::rax, by);
        if (base != zero_register) {
            to.as().emit(x86::Inst::kIdAdd, x86::rax, to.operand(base));
        }
    }
}

}  // namespace

void load_address(emitter& to, const guest_op& o) {
    const unsigned base = o.decoded.a;  // general_registers::zero is zero_register
    if (displaced(o)) {
        add_displacement(to, base, o.decoded.imm);
    } else {
        add_index(to, base, o.decoded.b);
    }
}

void update_base(emitter& to, const guest_op& o) {
    load_address(to, o);
    to.set(o.decoded.a, x86::rax);
}

}  // namespace pefsim::power::host_code
