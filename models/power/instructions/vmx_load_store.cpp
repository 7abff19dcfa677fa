// SPDX-License-Identifier: Apache-2.0
#include "power/engine/core.h"
#include "power/instructions/instructions.h"
#include "power/instructions/integers.h"
#include "power/instructions/vector_shape.h"

namespace pefsim::power::isa {
namespace {

u64 address(const core& c, const op* o) { return c.state.gpr[o->a] + c.state.gpr[o->b]; }

vector_register& vr(core& c, unsigned n) { return c.state.vsr[n + 32U]; }

/// Where the element at EA stands in a register that has been loaded as a quadword in the byte order of MSR[LE].
template <typename T>
unsigned index_at(const core& c, u64 ea) {
    const auto from_aligned = static_cast<unsigned>(ea % 16 / sizeof(T));
    return (c.state.msr & msr_le) != 0 ? elements<T>::count - 1 - from_aligned : from_aligned;
}

/// VRT.T[i] <- MEM(EA); the other elements, undefined by the ISA, stay.
template <typename T>
const op* load_element(core& c, const op* o) {
    const u64 ea = address(c, o) & ~u64{sizeof(T) - 1};
    T value{};
    if (!c.load(o, ea, value)) [[unlikely]] {
        return c.interrupted();
    }
    set_element<T>(vr(c, o->t), index_at<T>(c, ea), value);
    return next(c, o);
}
template <typename T>
const op* store_element(core& c, const op* o) {
    const u64 ea = address(c, o) & ~u64{sizeof(T) - 1};
    if (!c.store(o, ea, element<T>(vr(c, o->t), index_at<T>(c, ea)))) [[unlikely]] {
        return c.interrupted();
    }
    return next(c, o);
}

const op* lvx(core& c, const op* o) {
    vector_register value;
    if (!c.load(o, address(c, o) & ~u64{15}, value)) [[unlikely]] {
        return c.interrupted();
    }
    vr(c, o->t) = value;
    return next(c, o);
}
const op* stvx(core& c, const op* o) {
    if (!c.store(o, address(c, o) & ~u64{15}, vr(c, o->t))) [[unlikely]] {
        return c.interrupted();
    }
    return next(c, o);
}

/// The bytes first .. first + 15 of 0x00 || 0x01 || ... || 0x1f: what vperm needs to align an access at EA.
const op* lvsl(core& c, const op* o) {
    const auto first = static_cast<unsigned>(address(c, o) % 16);
    vr(c, o->t) = build<u8>([&](unsigned i) { return first + i; });
    return next(c, o);
}
const op* lvsr(core& c, const op* o) {
    const auto first = static_cast<unsigned>(16 - address(c, o) % 16);
    vr(c, o->t) = build<u8>([&](unsigned i) { return first + i; });
    return next(c, o);
}

using enum operand;
using enum facility;
using enum instruction_class;

/// Vector facility (VMX), access to storage: Power ISA 3.0B Book I 6.7.
// clang-format off
constexpr instruction_row rows[] = {
    // 6.7 Load and store
    {"lvebx",        x_form(31, 7),          {vrt, ra0, rb},       plain, vmx, load,    when_available<vmx, load_element<u8>>},
    {"lvehx",        x_form(31, 39),         {vrt, ra0, rb},       plain, vmx, load,    when_available<vmx, load_element<u16>>},
    {"lvewx",        x_form(31, 71),         {vrt, ra0, rb},       plain, vmx, load,    when_available<vmx, load_element<u32>>},
    {"lvx",          x_form(31, 103),        {vrt, ra0, rb},       plain, vmx, load,    when_available<vmx, lvx>},
    {"lvxl",         x_form(31, 359),        {vrt, ra0, rb},       plain, vmx, load,    when_available<vmx, lvx>},
    {"stvebx",       x_form(31, 135),        {vrs, ra0, rb},       plain, vmx, store,   when_available<vmx, store_element<u8>>},
    {"stvehx",       x_form(31, 167),        {vrs, ra0, rb},       plain, vmx, store,   when_available<vmx, store_element<u16>>},
    {"stvewx",       x_form(31, 199),        {vrs, ra0, rb},       plain, vmx, store,   when_available<vmx, store_element<u32>>},
    {"stvx",         x_form(31, 231),        {vrs, ra0, rb},       plain, vmx, store,   when_available<vmx, stvx>},
    {"stvxl",        x_form(31, 487),        {vrs, ra0, rb},       plain, vmx, store,   when_available<vmx, stvx>},
    {"lvsl",         x_form(31, 6),          {vrt, ra0, rb},       plain, vmx, permute, when_available<vmx, lvsl>},
    {"lvsr",         x_form(31, 38),         {vrt, ra0, rb},       plain, vmx, permute, when_available<vmx, lvsr>},
};
// clang-format on

}  // namespace

std::span<const instruction_row> vmx_load_store_rows() { return rows; }

}  // namespace pefsim::power::isa
