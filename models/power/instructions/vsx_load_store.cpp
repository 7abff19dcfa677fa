// SPDX-License-Identifier: Apache-2.0
#include "power/engine/core.h"
#include "power/instructions/instructions.h"
#include "power/instructions/integers.h"
#include "power/instructions/single_format.h"
#include "power/instructions/vector_shape.h"

namespace pefsim::power::isa {
namespace {

enum class ea : std::uint8_t { displaced, indexed };

template <ea how>
[[gnu::always_inline]] inline u64 address(const core& c, const op* o) {
    const u64 base = c.state.gpr[o->a];
    return how == ea::displaced ? base + static_cast<u64>(i64{o->imm}) : base + c.state.gpr[o->b];
}

[[gnu::always_inline]] inline bool little_endian(const core& c) { return (c.state.msr & msr_le) != 0; }

// --- Scalars: doubleword 0; loads make doubleword 1 zero.

constexpr auto zero_extended = [](auto value) { return u64{value}; };
constexpr auto sign_extended = [](u32 value) { return static_cast<u64>(i64{static_cast<i32>(value)}); };
constexpr auto low_part = [](u64 dword) { return dword; };

/// VSR[XT].dword[0] <- f(MEM(EA, size of T))
template <typename T, ea how, auto f>
const op* load_scalar(core& c, const op* o) {
    T value{};
    if (!c.load(o, address<how>(c, o), value)) [[unlikely]] {
        return c.interrupted();
    }
    c.state.vsr[o->t] = {.low = 0, .high = f(value)};
    return next(c, o);
}
/// MEM(EA, size of T) <- f(VSR[XS].dword[0])
template <typename T, ea how, auto f>
const op* store_scalar(core& c, const op* o) {
    if (!c.store(o, address<how>(c, o), static_cast<T>(f(c.state.vsr[o->t].high)))) [[unlikely]] {
        return c.interrupted();
    }
    return next(c, o);
}

// --- Quadwords, and vectors of elements

template <ea how>
const op* load_quadword(core& c, const op* o) {
    vector_register value;
    if (!c.load(o, address<how>(c, o), value)) [[unlikely]] {
        return c.interrupted();
    }
    c.state.vsr[o->t] = value;
    return next(c, o);
}
template <ea how>
const op* store_quadword(core& c, const op* o) {
    if (!c.store(o, address<how>(c, o), c.state.vsr[o->t])) [[unlikely]] {
        return c.interrupted();
    }
    return next(c, o);
}

template <typename T>
[[gnu::always_inline]] inline vector_register reversed(vector_in v) {
    return shuffled<T, [](unsigned i) { return elements<T>::count - 1 - i; }>(v, v);
}
template <>
[[gnu::always_inline]] inline vector_register reversed<u8>(vector_in v) {
    return joined(__builtin_bswap64(v.low), __builtin_bswap64(v.high));
}

/// Element 0 stands at the lowest address in both byte orders. As one access of 16 bytes a little-endian core has it
/// the other way round.
template <typename T>
const op* load_elements(core& c, const op* o) {
    vector_register value;
    if (!c.load(o, address<ea::indexed>(c, o), value)) [[unlikely]] {
        return c.interrupted();
    }
    c.state.vsr[o->t] = little_endian(c) ? reversed<T>(value) : value;
    return next(c, o);
}
template <typename T>
const op* store_elements(core& c, const op* o) {
    const vector_register& v = c.state.vsr[o->t];
    if (!c.store(o, address<ea::indexed>(c, o), little_endian(c) ? reversed<T>(v) : v)) [[unlikely]] {
        return c.interrupted();
    }
    return next(c, o);
}

/// The element at EA in all places.
template <typename T>
const op* load_and_splat(core& c, const op* o) {
    T value{};
    if (!c.load(o, address<ea::indexed>(c, o), value)) [[unlikely]] {
        return c.interrupted();
    }
    c.state.vsr[o->t] = splat(value);
    return next(c, o);
}

// --- As many bytes as bits 0:7 of RB say, at most 16. They stand at the left in big-endian mode, and at the right, as
// a little-endian number, in little-endian mode; "left-justified" at the left, from the lowest address, in both.

std::size_t length(const core& c, const op* o) {
    const u64 bytes = c.state.gpr[o->b] >> 56;
    return bytes < 16 ? bytes : 16;
}

/// Not inline: the address of `value` would keep the caller from going on by a sibling call.
template <bool left_justified>
[[gnu::noinline]] bool load_left_part(core& c, const op* o) {
    const std::size_t bytes = length(c, o);
    quadword value = 0;
    if (bytes != 0) {
        if (!c.load_bytes(o, c.state.gpr[o->a], std::bit_cast<std::byte*>(&value), bytes)) {
            return false;
        }
        if (!little_endian(c)) {
            value <<= 8 * (16 - bytes);
        }
    }
    const vector_register result = vector_of(value);
    c.state.vsr[o->t] = left_justified && little_endian(c) ? reversed<u8>(result) : result;
    return true;
}
template <bool left_justified>
[[gnu::noinline]] bool store_left_part(core& c, const op* o) {
    const std::size_t bytes = length(c, o);
    if (bytes == 0) {
        return true;
    }
    const vector_register& v = c.state.vsr[o->t];
    quadword value = quad(left_justified && little_endian(c) ? reversed<u8>(v) : v);
    if (!little_endian(c)) {
        value >>= 8 * (16 - bytes);
    }
    return c.store_bytes(o, c.state.gpr[o->a], std::bit_cast<const std::byte*>(&value), bytes);
}

template <bool left_justified>
const op* load_with_length(core& c, const op* o) {
    return load_left_part<left_justified>(c, o) ? next(c, o) : c.interrupted();
}
template <bool left_justified>
const op* store_with_length(core& c, const op* o) {
    return store_left_part<left_justified>(c, o) ? next(c, o) : c.interrupted();
}

using enum operand;
using enum facility;
using enum instruction_class;

/// For the forms that name a VR: VR n is VSR n + 32.
template <handler run>
handler on_vr(std::uint32_t /*word*/, unsigned /*index*/, op& decoded) {
    decoded.t = static_cast<u8>(decoded.t + 32);
    return guarded<vmx, run>;
}

/// Vector-scalar facility (VSX), access to storage: Power ISA 3.0B Book I 7.6.1.2.
// clang-format off
constexpr instruction_row rows[] = {
    // 7.6.1.2 Load and store
    {"lxsd",        ds_form(57, 2),         {vrt, disp_ds, ra0}, plain, vmx,    load, on_vr<load_scalar<u64, ea::displaced, zero_extended>>},
    {"lxsdx",       xx1_form(31, 588),      {xt, ra0, rb},   plain, vsx,        load, when_available<vsx, load_scalar<u64, ea::indexed, zero_extended>>},
    {"lxsibzx",     xx1_form(31, 781),      {xt, ra0, rb},   plain, vsx_or_vmx, load, when_available<vsx_or_vmx, load_scalar<u8, ea::indexed, zero_extended>>},
    {"lxsihzx",     xx1_form(31, 813),      {xt, ra0, rb},   plain, vsx_or_vmx, load, when_available<vsx_or_vmx, load_scalar<u16, ea::indexed, zero_extended>>},
    {"lxsiwax",     xx1_form(31, 76),       {xt, ra0, rb},   plain, vsx,        load, when_available<vsx, load_scalar<u32, ea::indexed, sign_extended>>},
    {"lxsiwzx",     xx1_form(31, 12),       {xt, ra0, rb},   plain, vsx,        load, when_available<vsx, load_scalar<u32, ea::indexed, zero_extended>>},
    {"lxssp",       ds_form(57, 3),         {vrt, disp_ds, ra0}, plain, vmx,    load, on_vr<load_scalar<u32, ea::displaced, double_of_single>>},
    {"lxsspx",      xx1_form(31, 524),      {xt, ra0, rb},   plain, vsx,        load, when_available<vsx, load_scalar<u32, ea::indexed, double_of_single>>},
    {"lxv",         dq_form(61, 1),         {xt_dq, disp_dq, ra0}, plain, vsx_or_vmx, load, when_available<vsx_or_vmx, load_quadword<ea::displaced>>},
    {"lxvx",        xx1_form(31, 268),      {xt, ra0, rb},   plain, vsx_or_vmx, load, when_available<vsx_or_vmx, load_quadword<ea::indexed>>},
    {"lxvl",        xx1_form(31, 269),      {xt, ra0, rb},   plain, vsx_or_vmx, load, when_available<vsx_or_vmx, load_with_length<false>>},
    {"lxvll",       xx1_form(31, 301),      {xt, ra0, rb},   plain, vsx_or_vmx, load, when_available<vsx_or_vmx, load_with_length<true>>},
    {"lxvwsx",      xx1_form(31, 364),      {xt, ra0, rb},   plain, vsx_or_vmx, load, when_available<vsx_or_vmx, load_and_splat<u32>>},
    {"lxvb16x",     xx1_form(31, 876),      {xt, ra0, rb},   plain, vsx,        load, when_available<vsx, load_elements<u8>>},
    {"lxvd2x",      xx1_form(31, 844),      {xt, ra0, rb},   plain, vsx,        load, when_available<vsx, load_elements<u64>>},
    {"lxvdsx",      xx1_form(31, 332),      {xt, ra0, rb},   plain, vsx,        load, when_available<vsx, load_and_splat<u64>>},
    {"lxvh8x",      xx1_form(31, 812),      {xt, ra0, rb},   plain, vsx,        load, when_available<vsx, load_elements<u16>>},
    {"lxvw4x",      xx1_form(31, 780),      {xt, ra0, rb},   plain, vsx,        load, when_available<vsx, load_elements<u32>>},
    {"stxsd",       ds_form(61, 2),         {vrs, disp_ds, ra0}, plain, vmx,    store, on_vr<store_scalar<u64, ea::displaced, low_part>>},
    {"stxsdx",      xx1_form(31, 716),      {xs, ra0, rb},   plain, vsx,        store, when_available<vsx, store_scalar<u64, ea::indexed, low_part>>},
    {"stxsibx",     xx1_form(31, 909),      {xs, ra0, rb},   plain, vsx_or_vmx, store, when_available<vsx_or_vmx, store_scalar<u8, ea::indexed, low_part>>},
    {"stxsihx",     xx1_form(31, 941),      {xs, ra0, rb},   plain, vsx_or_vmx, store, when_available<vsx_or_vmx, store_scalar<u16, ea::indexed, low_part>>},
    {"stxsiwx",     xx1_form(31, 140),      {xs, ra0, rb},   plain, vsx,        store, when_available<vsx, store_scalar<u32, ea::indexed, low_part>>},
    {"stxssp",      ds_form(61, 3),         {vrs, disp_ds, ra0}, plain, vmx,    store, on_vr<store_scalar<u32, ea::displaced, single_of_double>>},
    {"stxsspx",     xx1_form(31, 652),      {xs, ra0, rb},   plain, vsx,        store, when_available<vsx, store_scalar<u32, ea::indexed, single_of_double>>},
    {"stxv",        dq_form(61, 5),         {xs_dq, disp_dq, ra0}, plain, vsx_or_vmx, store, when_available<vsx_or_vmx, store_quadword<ea::displaced>>},
    {"stxvx",       xx1_form(31, 396),      {xs, ra0, rb},   plain, vsx_or_vmx, store, when_available<vsx_or_vmx, store_quadword<ea::indexed>>},
    {"stxvl",       xx1_form(31, 397),      {xs, ra0, rb},   plain, vsx_or_vmx, store, when_available<vsx_or_vmx, store_with_length<false>>},
    {"stxvll",      xx1_form(31, 429),      {xs, ra0, rb},   plain, vsx_or_vmx, store, when_available<vsx_or_vmx, store_with_length<true>>},
    {"stxvb16x",    xx1_form(31, 1004),     {xs, ra0, rb},   plain, vsx,        store, when_available<vsx, store_elements<u8>>},
    {"stxvd2x",     xx1_form(31, 972),      {xs, ra0, rb},   plain, vsx,        store, when_available<vsx, store_elements<u64>>},
    {"stxvh8x",     xx1_form(31, 940),      {xs, ra0, rb},   plain, vsx,        store, when_available<vsx, store_elements<u16>>},
    {"stxvw4x",     xx1_form(31, 908),      {xs, ra0, rb},   plain, vsx,        store, when_available<vsx, store_elements<u32>>},
};
// clang-format on

}  // namespace

std::span<const instruction_row> vsx_load_store_rows() { return rows; }

}  // namespace pefsim::power::isa
