// SPDX-License-Identifier: Apache-2.0
#include "power/debug/register_file.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <stdexcept>

#include "power/instructions/special_registers.h"

namespace pefsim::power::debug {
namespace {

constexpr std::size_t before_special = 5;

// clang-format off
/// The special purpose registers stand here in the order of `spr`.
constexpr std::array registers_by_name{
    single_register{"nip"}, single_register{"msr"}, single_register{"cr", 32},
    single_register{"fpscr"}, single_register{"vscr", 32},
    single_register{"lr"}, single_register{"ctr"}, single_register{"xer"}, single_register{"cfar"},
    single_register{"tar"}, single_register{"srr0"}, single_register{"srr1"}, single_register{"hsrr0"},
    single_register{"hsrr1"}, single_register{"dec"},
    single_register{"sprg0"}, single_register{"sprg1"}, single_register{"sprg2"}, single_register{"sprg3"},
    single_register{"dar"}, single_register{"dsisr", 32}, single_register{"hdar"}, single_register{"hdsisr", 32},
    single_register{"asdr"}, single_register{"heir", 32},
    single_register{"amr"}, single_register{"iamr"}, single_register{"uamor"}, single_register{"dscr"},
    single_register{"ppr"}, single_register{"pspb", 32}, single_register{"vrsave", 32}, single_register{"tidr"},
    single_register{"ciabr"}, single_register{"dawr0"}, single_register{"dawrx0", 32},
    single_register{"purr", 64, false}, single_register{"spurr", 64, false},
    single_register{"ebbhr"}, single_register{"ebbrr"}, single_register{"sdar"}, single_register{"siar"},
    single_register{"sier"}, single_register{"pmc1", 32}, single_register{"pmc2", 32}, single_register{"pmc3", 32},
    single_register{"pmc4", 32}, single_register{"pmc5", 32}, single_register{"pmc6", 32}, single_register{"mmcrc"},
    single_register{"trace"},
    single_register{"lpidr", 32}, single_register{"pidr", 32},
    single_register{"bescr"}, single_register{"fscr"}, single_register{"lpcr"}, single_register{"ctrl"},
    single_register{"mmcr0", 32}, single_register{"mmcr1"}, single_register{"mmcr2"}, single_register{"mmcra"},
    single_register{"amor"}, single_register{"dpdes"},
    single_register{"tfhar"}, single_register{"tfiar"}, single_register{"pir"}, single_register{"psscr"},
    single_register{"tb", 64, false}, single_register{"vtb", 64, false}, single_register{"ic", 64, false},
    single_register{"pvr", 32, false},
};
// clang-format on
constexpr std::size_t behind_special = before_special + spr_count;
static_assert(registers_by_name[before_special + static_cast<std::size_t>(spr::dec)].name == "dec");
static_assert(registers_by_name[before_special + static_cast<std::size_t>(spr::lpidr)].name == "lpidr");
static_assert(registers_by_name[behind_special - 1].name == "psscr");

std::size_t row_of(const single_register& which) {
    return static_cast<std::size_t>(&which - registers_by_name.data());
}

spr special(std::size_t row) { return static_cast<spr>(row - before_special); }

/// "31" behind the name of a class that has `count` registers.
std::optional<std::size_t> number_in(std::string_view name, std::string_view prefix, std::size_t count) {
    if (!name.starts_with(prefix)) {
        return std::nullopt;
    }
    name.remove_prefix(prefix.size());
    std::size_t number = 0;
    const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), number);
    const bool good = error == std::errc() && end == name.data() + name.size() && number < count &&
                      (name.size() == 1 || name.front() != '0');
    return good ? std::optional(number) : std::nullopt;
}

void check_width(std::string_view name, unsigned bits, const vector_register& value) {
    if (bits < 128 && (value.high != 0 || (bits < 64 && value.low >> bits != 0))) {
        throw std::invalid_argument(fmt::format("{} has {} bits; the value does not fit", name, bits));
    }
}

void write_single(core& of, std::size_t row, std::uint64_t value) {
    registers& state = of.state;
    switch (row) {
    case 0:
        state.nip = value;
        break;
    case 1:
        state.msr = value;
        break;
    case 2:
        state.cr = static_cast<std::uint32_t>(value);
        break;
    case 3:
        state.fpscr = value;
        break;
    case 4:
        state.vscr = static_cast<std::uint32_t>(value);
        break;
    default:
        state[special(row)] = value;
        if (special(row) == spr::dec) {
            of.dec.set(value, of.time_base(), of.decrementer_width());
        }
        break;
    }
}

}  // namespace

std::span<const single_register> single_registers() { return registers_by_name; }

std::uint64_t read_register(core& of, const single_register& which) {
    const registers& state = of.state;
    const std::size_t row = row_of(which);
    switch (row) {
    case 0:
        return state.nip;
    case 1:
        return state.msr;
    case 2:
        return std::uint32_t{state.cr};
    case 3:
        return state.fpscr;
    case 4:
        return state.vscr;
    case behind_special:
    case behind_special + 1:
        return of.time_base();
    case behind_special + 2:
        return of.instructions();
    case behind_special + 3:
        return isa::processor_version;
    default:
        break;
    }
    switch (special(row)) {
    case spr::dec:
        return of.dec.value(of.time_base(), of.decrementer_width());
    case spr::purr:
    case spr::spurr:
        return of.time_base();
    default:
        return state[special(row)];
    }
}

void write_register(core& of, std::string_view name, const vector_register& value) {
    if (const auto number = number_in(name, "r", 32)) {
        check_width(name, 64, value);
        of.state.gpr[*number] = value.low;
    } else if (const auto fpr = number_in(name, "f", 32)) {
        check_width(name, 64, value);
        of.state.vsr[*fpr].high = value.low;
    } else if (const auto vr = number_in(name, "v", 32)) {
        of.state.vsr[32 + *vr] = value;
    } else if (const auto vsr = number_in(name, "vs", 64)) {
        of.state.vsr[*vsr] = value;
    } else {
        const auto* const found = std::ranges::find(registers_by_name, name == "pc" ? "nip" : name,
                                                    &single_register::name);
        if (found == registers_by_name.end()) {
            throw std::invalid_argument(fmt::format("there is no register '{}'; r0..r31, f0..f31, v0..v31, "
                                                    "vs0..vs63, pc, msr, cr, fpscr, vscr and "
                                                    "special purpose registers by name are allowed",
                                                    name));
        }
        if (!found->writable) {
            throw std::invalid_argument(fmt::format("{} cannot be written", name));
        }
        check_width(name, found->bits, value);
        write_single(of, row_of(*found), value.low);
    }
    of.msr_changed();
}

}  // namespace pefsim::power::debug
