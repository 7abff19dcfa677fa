// SPDX-License-Identifier: Apache-2.0
#include <type_traits>

#include "power/instructions/integers.h"
#include "power/translator/emitter.h"
#include "power/translator/lowering.h"

namespace pefsim::power::host_code {
namespace {

using asmjit::Imm;
using isa::operand;

enum class ea : std::uint8_t { d, ds, indexed };

/// (RA|0) + displacement, or + RB, to rax.
template <ea how>
void address(emitter& to, const guest_op& o) {
    const unsigned base = o.decoded.a;  // general_registers::zero is zero_register
    if constexpr (how == ea::indexed) {
        const x86::Gp index = to.source(o.decoded.b, x86::rcx);
        if (const auto own = to.own(base)) {
            to.as().lea(x86::rax, x86::ptr(*own, index));
        } else {
            to.as().mov(x86::rax, index);
            if (base != zero_register) {
                to.as().emit(x86::Inst::kIdAdd, x86::rax, to.operand(base));
            }
        }
    } else {
        constexpr operand which = how == ea::d ? operand::disp : operand::disp_ds;
        const std::int32_t displacement = isa::info_of(which).value(o.word);
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
}

/// RA <- EA, behind an access whose address rax no longer is.
template <ea how>
void update(emitter& to, const guest_op& o) {
    address<how>(to, o);
    to.set(o.decoded.a, x86::rax);
}

/// RT <- MEM(EA), as T, in the host's byte order or the other one.
template <typename T, ea how, bool updates, bool reversed>
void load(emitter& to, const guest_op& o) {
    address<how>(to, o);
    const x86::Mem from = to.reach(emitter::access::load, sizeof(T));
    const x86::Gp result = updates ? x86::Gp(x86::rdx) : to.target(o.decoded.t, x86::rcx);  // RB may be RT
    constexpr bool is_signed = std::is_signed_v<T>;
    if constexpr (sizeof(T) == 8) {
        to.as().mov(result, from);
    } else if constexpr (is_signed && sizeof(T) == 4) {
        to.as().movsxd(result, from);
    } else if constexpr (is_signed) {
        to.as().movsx(result, from);
    } else if constexpr (sizeof(T) == 4) {
        to.as().mov(result.r32(), from);
    } else {
        to.as().movzx(result.r32(), from);
    }
    if constexpr (reversed && sizeof(T) == 2) {
        to.as().rol(result.r16(), 8);
    } else if constexpr (reversed && sizeof(T) == 4) {
        to.as().bswap(result.r32());
    } else if constexpr (reversed) {
        to.as().bswap(result);
    }
    if constexpr (updates) {
        update<how>(to, o);
    }
    to.set(o.decoded.t, result);
}

template <typename T, ea how, bool updates, bool reversed>
void store(emitter& to, const guest_op& o) {
    address<how>(to, o);
    const x86::Mem where = to.reach(emitter::access::store, sizeof(T));
    x86::Gp value = to.source(o.decoded.t, x86::rcx);
    if constexpr (reversed) {
        to.as().mov(x86::rcx, value);
        value = x86::rcx;
        if constexpr (sizeof(T) == 2) {
            to.as().rol(x86::cx, 8);
        } else if constexpr (sizeof(T) == 4) {
            to.as().bswap(x86::ecx);
        } else {
            to.as().bswap(x86::rcx);
        }
    }
    if constexpr (sizeof(T) == 8) {
        to.as().mov(where, value);
    } else if constexpr (sizeof(T) == 4) {
        to.as().mov(where, value.r32());
    } else if constexpr (sizeof(T) == 2) {
        to.as().mov(where, value.r16());
    } else {
        to.as().mov(where, value.r8());
    }
    if constexpr (updates) {
        update<how>(to, o);
    }
}

using isa::i16, isa::i32, isa::u8, isa::u16, isa::u32, isa::u64;

/// An invalid form, in which RA gets the last word.
bool loads_its_base(std::uint32_t word) { return isa::fields::a.of(word) == isa::fields::t.of(word); }

template <typename T, ea how, bool updates = false, bool reversed = false>
constexpr lowering load_row(std::string_view mnemonic) {
    return {.mnemonic = mnemonic,
            .emit = load<T, how, updates, reversed>,
            .leaves = true,
            .refuses = updates ? loads_its_base : nullptr};
}
template <typename T, ea how, bool updates = false, bool reversed = false>
constexpr lowering store_row(std::string_view mnemonic) {
    return {.mnemonic = mnemonic, .emit = store<T, how, updates, reversed>, .leaves = true};
}

/// Power ISA 3.0B Book I 3.3.2 to 3.3.5.
constexpr lowering rows[] = {
    // 3.3.2 Load instructions
    load_row<u8, ea::d>("lbz"),
    load_row<u8, ea::indexed>("lbzx"),
    load_row<u8, ea::d, true>("lbzu"),
    load_row<u8, ea::indexed, true>("lbzux"),
    load_row<u16, ea::d>("lhz"),
    load_row<u16, ea::indexed>("lhzx"),
    load_row<u16, ea::d, true>("lhzu"),
    load_row<u16, ea::indexed, true>("lhzux"),
    load_row<i16, ea::d>("lha"),
    load_row<i16, ea::indexed>("lhax"),
    load_row<i16, ea::d, true>("lhau"),
    load_row<i16, ea::indexed, true>("lhaux"),
    load_row<u32, ea::d>("lwz"),
    load_row<u32, ea::indexed>("lwzx"),
    load_row<u32, ea::d, true>("lwzu"),
    load_row<u32, ea::indexed, true>("lwzux"),
    load_row<i32, ea::ds>("lwa"),
    load_row<i32, ea::indexed>("lwax"),
    load_row<i32, ea::indexed, true>("lwaux"),
    load_row<u64, ea::ds>("ld"),
    load_row<u64, ea::indexed>("ldx"),
    load_row<u64, ea::ds, true>("ldu"),
    load_row<u64, ea::indexed, true>("ldux"),

    // 3.3.3 Store instructions
    store_row<u8, ea::d>("stb"),
    store_row<u8, ea::indexed>("stbx"),
    store_row<u8, ea::d, true>("stbu"),
    store_row<u8, ea::indexed, true>("stbux"),
    store_row<u16, ea::d>("sth"),
    store_row<u16, ea::indexed>("sthx"),
    store_row<u16, ea::d, true>("sthu"),
    store_row<u16, ea::indexed, true>("sthux"),
    store_row<u32, ea::d>("stw"),
    store_row<u32, ea::indexed>("stwx"),
    store_row<u32, ea::d, true>("stwu"),
    store_row<u32, ea::indexed, true>("stwux"),
    store_row<u64, ea::ds>("std"),
    store_row<u64, ea::indexed>("stdx"),
    store_row<u64, ea::ds, true>("stdu"),
    store_row<u64, ea::indexed, true>("stdux"),

    // 3.3.5 Load and store with byte reversal
    load_row<u16, ea::indexed, false, true>("lhbrx"),
    load_row<u32, ea::indexed, false, true>("lwbrx"),
    load_row<u64, ea::indexed, false, true>("ldbrx"),
    store_row<u16, ea::indexed, false, true>("sthbrx"),
    store_row<u32, ea::indexed, false, true>("stwbrx"),
    store_row<u64, ea::indexed, false, true>("stdbrx"),
};

}  // namespace

std::span<const lowering> fixed_load_store_lowerings() { return rows; }

}  // namespace pefsim::power::host_code
