// SPDX-License-Identifier: Apache-2.0
#include <type_traits>

#include "power/instructions/integers.h"
#include "power/translator/emitter.h"
#include "power/translator/lowering.h"
#include "power/translator/storage_address.h"

namespace pefsim::power::host_code {
namespace {

/// RT <- MEM(EA), as T, in the host's byte order or the other one.
template <typename T, bool updates, bool reversed>
void load(emitter& to, const guest_op& o) {
    load_address(to, o);
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
        update_base(to, o);
    }
    to.set(o.decoded.t, result);
}

template <typename T, bool updates, bool reversed>
void store(emitter& to, const guest_op& o) {
    load_address(to, o);
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
        update_base(to, o);
    }
}

using isa::i16, isa::i32, isa::u8, isa::u16, isa::u32, isa::u64;

/// An invalid form, in which RA gets the last word.
bool loads_its_base(std::uint32_t word) { return isa::fields::a.of(word) == isa::fields::t.of(word); }

template <typename T, bool updates = false, bool reversed = false>
constexpr lowering load_row(std::string_view mnemonic) {
    return {.mnemonic = mnemonic,
            .emit = load<T, updates, reversed>,
            .leaves = true,
            .refuses = updates ? loads_its_base : nullptr};
}
template <typename T, bool updates = false, bool reversed = false>
constexpr lowering store_row(std::string_view mnemonic) {
    return {.mnemonic = mnemonic, .emit = store<T, updates, reversed>, .leaves = true};
}

/// Power ISA 3.0B Book I 3.3.2 to 3.3.5.
constexpr lowering rows[] = {
    // 3.3.2 Load instructions
    load_row<u8>("lbz"),
    load_row<u8>("lbzx"),
    load_row<u8, true>("lbzu"),
    load_row<u8, true>("lbzux"),
    load_row<u16>("lhz"),
    load_row<u16>("lhzx"),
    load_row<u16, true>("lhzu"),
    load_row<u16, true>("lhzux"),
    load_row<i16>("lha"),
    load_row<i16>("lhax"),
    load_row<i16, true>("lhau"),
    load_row<i16, true>("lhaux"),
    load_row<u32>("lwz"),
    load_row<u32>("lwzx"),
    load_row<u32, true>("lwzu"),
    load_row<u32, true>("lwzux"),
    load_row<i32>("lwa"),
    load_row<i32>("lwax"),
    load_row<i32, true>("lwaux"),
    load_row<u64>("ld"),
    load_row<u64>("ldx"),
    load_row<u64, true>("ldu"),
    load_row<u64, true>("ldux"),

    // 3.3.3 Store instructions
    store_row<u8>("stb"),
    store_row<u8>("stbx"),
    store_row<u8, true>("stbu"),
    store_row<u8, true>("stbux"),
    store_row<u16>("sth"),
    store_row<u16>("sthx"),
    store_row<u16, true>("sthu"),
    store_row<u16, true>("sthux"),
    store_row<u32>("stw"),
    store_row<u32>("stwx"),
    store_row<u32, true>("stwu"),
    store_row<u32, true>("stwux"),
    store_row<u64>("std"),
    store_row<u64>("stdx"),
    store_row<u64, true>("stdu"),
    store_row<u64, true>("stdux"),

    // 3.3.5 Load and store with byte reversal
    load_row<u16, false, true>("lhbrx"),
    load_row<u32, false, true>("lwbrx"),
    load_row<u64, false, true>("ldbrx"),
    store_row<u16, false, true>("sthbrx"),
    store_row<u32, false, true>("stwbrx"),
    store_row<u64, false, true>("stdbrx"),
};

}  // namespace

std::span<const lowering> fixed_load_store_lowerings() { return rows; }

}  // namespace pefsim::power::host_code
