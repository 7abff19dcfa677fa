// SPDX-License-Identifier: Apache-2.0
#include <array>
#include <type_traits>

#include "power/engine/core.h"
#include "power/instructions/effective_address.h"
#include "power/instructions/facility.h"
#include "power/instructions/fixed_result.h"
#include "power/instructions/instructions.h"
#include "power/instructions/integers.h"

namespace pefsim::power::isa {
namespace {

// --- Book II 4.4 Copy-paste facility

constexpr std::uint32_t wrong_function =
    0x0000'0004;                                 ///< DSISR: an atomic memory operation that does not exist
constexpr std::uint32_t to_store = 0x0200'0000;  ///< DSISR

[[gnu::cold, gnu::noinline]] const op* data_storage(core& c, const op* o, u64 at, std::uint32_t dsisr) {
    return c.raise(o, {.which = vector::data_storage,
                       .has_dar = true,
                       .dar = at & c.ea_mask(),
                       .has_dsisr = true,
                       .dsisr = dsisr});
}

/// CR0 <- 0b00 || store performed || SO
void say_stored(core& c, bool stored) {
    c.state.cr.field[0] = static_cast<std::uint8_t>((stored ? 2U : 0U) | xer_bit(c, xer::so));
}

/// The copy buffer <- MEM(EA, 128)
const op* copy(core& c, const op* o) {
    const u64 at = address<ea::indexed>(c, o);
    if (at % sizeof c.copied != 0) {
        return misaligned(c, o, at);
    }
    if (!c.cacheable(o, at, access_kind::load)) {
        return c.interrupted();
    }
    std::array<u64, 16> block{};
    for (std::size_t i = 0; i < block.size(); ++i) {
        if (!c.load(o, at + i * sizeof block[i], block[i])) {
            return c.interrupted();
        }
    }
    c.copied = block;
    c.copy_pending = true;
    return next(c, o);
}
/// MEM(EA, 128) <- the copy buffer. Without a copy before it the operation fails. CR0 <- 0b00 || done || SO
const op* paste(core& c, const op* o) {
    const u64 at = address<ea::indexed>(c, o);
    if (at % sizeof c.copied != 0) {
        return misaligned(c, o, at);
    }
    if (!c.cacheable(o, at, access_kind::store)) {
        return c.interrupted();
    }
    const bool done = c.copy_pending;
    for (std::size_t i = 0; done && i < c.copied.size(); ++i) {
        if (!c.store(o, at + i * sizeof c.copied[i], c.copied[i])) {
            return c.interrupted();
        }
    }
    c.copy_pending = false;
    say_stored(c, done);
    return next(c, o);
}
const op* cpabort(core& c, const op* o) {
    c.copy_pending = false;
    return next(c, o);
}

// --- Book II 4.5 Atomic memory operations. The function code is op::b.

namespace function {
enum code : std::uint8_t {
    add = 0,
    bit_xor = 1,
    bit_or = 2,
    bit_and = 3,
    max_unsigned = 4,
    max_signed = 5,
    min_unsigned = 6,
    min_signed = 7,
    swap = 8,  // loads only
    compare_and_swap_not_equal = 16,
    increment_bounded = 24,  // loads; of stores it is store_twin
    increment_equal = 25,
    decrement_bounded = 28,
};
constexpr std::uint8_t store_twin = 24;
}  // namespace function

/// What the functions up to swap leave in storage.
template <typename T>
T combined(std::uint8_t code, T memory, T operand) {
    using signed_t = std::make_signed_t<T>;
    const bool less = memory < operand;
    const bool signed_less = static_cast<signed_t>(memory) < static_cast<signed_t>(operand);
    switch (code) {
    case function::add:
        return static_cast<T>(memory + operand);
    case function::bit_xor:
        return memory ^ operand;
    case function::bit_or:
        return memory | operand;
    case function::bit_and:
        return memory & operand;
    case function::max_unsigned:
        return less ? operand : memory;
    case function::max_signed:
        return signed_less ? operand : memory;
    case function::min_unsigned:
        return less ? memory : operand;
    case function::min_signed:
        return signed_less ? memory : operand;
    default:
        return operand;
    }
}

/// The operands of an operation at `at` of `size` bytes that also uses the neighbour at `at + offset` are aligned, and
/// lie in one block of 32 bytes.
constexpr bool well_placed(u64 at, u64 size, u64 offset) {
    constexpr u64 block = 32;
    return at % size == 0 && at / block == (at + offset) / block;
}

/// The register RT+n, around from 31 to 0.
u64 register_behind(const core& c, const op* o, unsigned n) { return c.state.gpr[(o->t + n) % 32]; }

/// RT <- MEM(EA), and storage is changed, with RT+1 and RT+2 as operands. Operations that depend on a neighbour and
/// leave storage alone set RT to the least number instead.
template <typename T>
const op* load_atomic(core& c, const op* o) {
    constexpr T least = static_cast<T>(T{1} << (8 * sizeof(T) - 1));
    const u64 at = address<ea::direct>(c, o);
    const std::uint8_t code = o->b;
    const bool bounded = code == function::increment_bounded || code == function::increment_equal ||
                         code == function::decrement_bounded;
    if (code > function::swap && code != function::compare_and_swap_not_equal && !bounded) {
        return data_storage(c, o, at, wrong_function);
    }
    const u64 offset = !bounded ? 0 : code == function::decrement_bounded ? -u64{sizeof(T)} : sizeof(T);
    if (!well_placed(at, sizeof(T), offset)) {
        return misaligned(c, o, at);
    }
    T memory;
    T neighbour = 0;
    if (!c.cacheable(o, at, access_kind::load) || !c.load(o, at, memory) ||
        (bounded && !c.load(o, at + offset, neighbour))) {
        return c.interrupted();
    }
    const T operand_1 = static_cast<T>(register_behind(c, o, 1));
    bool stores = true;
    T result;
    switch (code) {
    case function::compare_and_swap_not_equal:
        stores = memory != operand_1;
        result = static_cast<T>(register_behind(c, o, 2));
        break;
    case function::increment_bounded:
        stores = memory != neighbour;
        result = static_cast<T>(memory + 1);
        break;
    case function::increment_equal:
        stores = memory == neighbour;
        result = static_cast<T>(memory + 1);
        break;
    case function::decrement_bounded:
        stores = memory != neighbour;
        result = static_cast<T>(memory - 1);
        break;
    default:
        result = combined(code, memory, operand_1);
        break;
    }
    if (stores && !c.store(o, at, result)) {
        return c.interrupted();
    }
    c.state.gpr[o->t] = bounded && !stores ? least : memory;
    return next(c, o);
}

/// MEM(EA) <- MEM(EA) op RS. Store twin: when the two neighbours are equal, both become RS.
template <typename T>
const op* store_atomic(core& c, const op* o) {
    const u64 at = address<ea::direct>(c, o);
    const std::uint8_t code = o->b;
    const bool twin = code == function::store_twin;
    if (code > function::min_signed && !twin) {
        return data_storage(c, o, at, wrong_function | to_store);
    }
    if (!well_placed(at, sizeof(T), twin ? sizeof(T) : 0)) {
        return misaligned(c, o, at);
    }
    const T operand_1 = static_cast<T>(c.state.gpr[o->t]);
    T memory;
    T neighbour = 0;
    if (!c.cacheable(o, at, access_kind::store) || !c.load(o, at, memory) ||
        (twin && !c.load(o, at + sizeof(T), neighbour))) {
        return c.interrupted();
    }
    const bool stores = !twin || memory == neighbour;
    const T result = twin ? operand_1 : combined(code, memory, operand_1);
    if (stores && (!c.store(o, at, result) || (twin && !c.store(o, at + sizeof(T), result)))) {
        return c.interrupted();
    }
    return next(c, o);
}

// --- Book II 4.6.2 Load and reserve, store conditional

template <typename T>
const op* load_and_reserve(core& c, const op* o) {
    const u64 at = address<ea::indexed>(c, o);
    if (at % sizeof(T) != 0) [[unlikely]] {
        return misaligned(c, o, at);
    }
    T value;
    if (!c.cacheable(o, at, access_kind::load) || !c.load(o, at, value) || !c.reserve(o, at, sizeof(T)))
        [[unlikely]] {
        return c.interrupted();
    }
    c.state.gpr[o->t] = value;
    return next(c, o);
}

/// False: as core::store().
template <typename T>
bool store_if_reserved(core& c, const op* o, u64 at) {
    bool held = false;
    if (!c.take_reservation(o, at, sizeof(T), held) ||
        (held && !c.store(o, at, static_cast<T>(c.state.gpr[o->t])))) [[unlikely]] {
        return false;
    }
    say_stored(c, held);
    return true;
}
template <typename T>
const op* store_conditional(core& c, const op* o) {
    const u64 at = address<ea::indexed>(c, o);
    if (at % sizeof(T) != 0) [[unlikely]] {
        return misaligned(c, o, at);
    }
    return store_if_reserved<T>(c, o, at) ? next(c, o) : c.interrupted();
}

/// Quadwords stand in a pair of registers, the more significant half in the even one.
const op* lqarx(core& c, const op* o) {
    const u64 at = address<ea::indexed>(c, o);
    if (at % 16 != 0) [[unlikely]] {
        return misaligned(c, o, at);
    }
    u64 first;
    u64 second;
    if (!c.cacheable(o, at, access_kind::load) || !c.load(o, at, first) || !c.load(o, at + 8, second) ||
        !c.reserve(o, at, 16)) [[unlikely]] {
        return c.interrupted();
    }
    c.state.gpr[o->t] = little_endian(c) ? second : first;
    c.state.gpr[o->t + 1U] = little_endian(c) ? first : second;
    return next(c, o);
}
bool store_pair_if_reserved(core& c, const op* o, u64 at) {
    const u64 high = c.state.gpr[o->t];
    const u64 low = c.state.gpr[o->t + 1U];
    bool held = false;
    if (!c.take_reservation(o, at, 16, held) ||
        (held && (!c.store(o, at, little_endian(c) ? low : high) ||
                  !c.store(o, at + 8, little_endian(c) ? high : low)))) [[unlikely]] {
        return false;
    }
    say_stored(c, held);
    return true;
}
const op* stqcx(core& c, const op* o) {
    const u64 at = address<ea::indexed>(c, o);
    if (at % 16 != 0) [[unlikely]] {
        return misaligned(c, o, at);
    }
    return store_pair_if_reserved(c, o, at) ? next(c, o) : c.interrupted();
}
handler select_lqarx(std::uint32_t /*word*/, unsigned /*index*/, op& decoded) {
    return decoded.t % 2 != 0 || decoded.t == decoded.a || decoded.t == decoded.b ? illegal : lqarx;
}
handler select_stqcx(std::uint32_t /*word*/, unsigned /*index*/, op& decoded) {
    return decoded.t % 2 != 0 ? illegal : stqcx;
}

using enum operand;
using enum facility;
using enum instruction_class;

/// Copying and pasting, atomic memory operations and reservations: Power ISA 3.0B Book II 4.4 to 4.6.2.
// clang-format off
constexpr instruction_row rows[] = {
    // Book II 4.4 Copy-paste facility
    {"copy",    x_form(31, 774).with(bit(10), 1), {ra0, rb},     plain,  storage, atomic, always<copy>},
    {"paste.",  x_form(31, 902).dot().with(bit(10), 1), {ra0, rb}, plain, storage, atomic, always<paste>},
    {"cpabort", x_form(31, 838),       {},                       plain,  storage, atomic, always<cpabort>},

    // Book II 4.5 Atomic memory operations
    {"lwat",    x_form(31, 582),       {rt, ra0, fc},            plain,  storage, atomic, always<load_atomic<u32>>},
    {"ldat",    x_form(31, 614),       {rt, ra0, fc},            plain,  storage, atomic, always<load_atomic<u64>>},
    {"stwat",   x_form(31, 710),       {rs, ra0, fc},            plain,  storage, atomic, always<store_atomic<u32>>},
    {"stdat",   x_form(31, 742),       {rs, ra0, fc},            plain,  storage, atomic, always<store_atomic<u64>>},

    // Book II 4.6.2 Load and reserve, store conditional
    {"lbarx",   x_form(31, 52),        {rt, ra0, rb, eh},        plain,  storage, atomic, always<load_and_reserve<std::uint8_t>>},
    {"lharx",   x_form(31, 116),       {rt, ra0, rb, eh},        plain,  storage, atomic, always<load_and_reserve<std::uint16_t>>},
    {"lwarx",   x_form(31, 20),        {rt, ra0, rb, eh},        plain,  storage, atomic, always<load_and_reserve<u32>>},
    {"ldarx",   x_form(31, 84),        {rt, ra0, rb, eh},        plain,  storage, atomic, always<load_and_reserve<u64>>},
    {"lqarx",   x_form(31, 276),       {rt_pair, ra_not_rt, rb_not_rt, eh}, plain, storage, atomic, select_lqarx},
    {"stbcx.",  x_form(31, 694).dot(), {rs, ra0, rb},            plain,  storage, atomic, always<store_conditional<std::uint8_t>>},
    {"sthcx.",  x_form(31, 726).dot(), {rs, ra0, rb},            plain,  storage, atomic, always<store_conditional<std::uint16_t>>},
    {"stwcx.",  x_form(31, 150).dot(), {rs, ra0, rb},            plain,  storage, atomic, always<store_conditional<u32>>},
    {"stdcx.",  x_form(31, 214).dot(), {rs, ra0, rb},            plain,  storage, atomic, always<store_conditional<u64>>},
    {"stqcx.",  x_form(31, 182).dot(), {rs_pair, ra0, rb},       plain,  storage, atomic, select_stqcx},
};
// clang-format on

}  // namespace

std::span<const instruction_row> atomic_rows() { return rows; }

}  // namespace pefsim::power::isa
