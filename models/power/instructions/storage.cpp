// SPDX-License-Identifier: Apache-2.0
#include "power/engine/core.h"
#include "power/instructions/effective_address.h"
#include "power/instructions/instructions.h"
#include "power/instructions/integers.h"
#include "power/int128.h"

namespace pefsim::power::isa {
namespace {

/// Instructions that a processor without caches and with accesses in program order need not do anything for. Stores
/// into code are noticed when they are made.
const op* hint(core& c, const op* o) { return next(c, o); }

/// Blocks of the data cache.
constexpr u64 block = 128;

/// dcbst, dcbf and icbi do as little, but are checked like a load.
const op* check(core& c, const op* o) {
    if (!c.touch(o, address<ea::indexed>(c, o))) [[unlikely]] {
        return c.interrupted();
    }
    return next(c, o);
}

const op* dcbz(core& c, const op* o) {
    const u64 at = address<ea::indexed>(c, o) & ~(block - 1);
    if (!c.cacheable(o, at, access_kind::store, vector::alignment)) [[unlikely]] {
        return c.interrupted();
    }
    for (u64 i = 0; i < block; i += sizeof(uint128)) {
        if (!c.store(o, at + i, uint128{0})) [[unlikely]] {
            return c.interrupted();
        }
    }
    return next(c, o);
}

using enum operand;
using enum facility;
using enum instruction_class;

/// Storage control of problem state: Power ISA 3.0B Book II 4.3 and 4.6.
// clang-format off
constexpr instruction_row rows[] = {
    // Book II 4.3 Cache management
    {"icbi",    x_form(31, 982),   {ra0, rb},       plain, storage,    cache, always<check>},
    {"icbt",    x_form(31, 22),    {ct, ra0, rb},   plain, storage,    cache, always<hint>},
    {"dcbt",    x_form(31, 278),   {ra0, rb, th},   plain, storage,    cache, always<hint>},
    {"dcbtst",  x_form(31, 246),   {ra0, rb, th},   plain, storage,    cache, always<hint>},
    {"dcbz",    x_form(31, 1014),  {ra0, rb},       plain, storage,    cache, always<dcbz>},
    {"dcbst",   x_form(31, 54),    {ra0, rb},       plain, storage,    cache, always<check>},
    {"dcbf",    x_form(31, 86),    {ra0, rb, l_flush}, plain, storage, cache, always<check>},

    // Data streams, phased out: hints without effect, also when MSR[VEC]=0
    {"dst",     x_form(31, 342),   {ra, rb, strm},  plain, storage,    cache, always<hint>},
    {"dstst",   x_form(31, 374),   {ra, rb, strm},  plain, storage,    cache, always<hint>},
    {"dss",     x_form(31, 822),   {strm},          plain, storage,    cache, always<hint>},

    // Book II 4.6.1, 4.6.3, 4.6.4 Synchronisation
    {"isync",   xl_form(19, 150),  {},              plain, storage,    sync, always<hint>},
    {"sync",    x_form(31, 598),   {l_sync},        plain, storage,    sync, always<hint>},
    {"eieio",   x_form(31, 854),   {},              plain, storage,    sync, always<hint>},

    // Reserved no-operations (Book I 1.8.3): 31 with extended opcodes 530, 562 ... 754
    {"rnop",    x_form(31).with(bits(21, 22), 2).with(bits(26, 30), 18), {}, plain, system, reserved_nop, always<hint>},
};
// clang-format on

}  // namespace

std::span<const instruction_row> storage_rows() { return rows; }

}  // namespace pefsim::power::isa
