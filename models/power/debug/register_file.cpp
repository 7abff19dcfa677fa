// SPDX-License-Identifier: Apache-2.0
#include "power/debug/register_file.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <stdexcept>
#include <vector>

#include "power/instructions/special_registers.h"

namespace pefsim::power::debug {
namespace {

/// Those that are no special purpose registers, then the special purpose registers in the order of `spr`, then what the
/// core can tell besides.
constexpr std::array before_special{single_register{"nip"}, single_register{"msr"}, single_register{"cr", 32},
                                    single_register{"fpscr"}, single_register{"vscr", 32}};
enum class told : std::uint8_t { tb, vtb, ic, pvr };
constexpr std::array numbers_of_told{268U, 849U, 848U, 287U};
constexpr std::size_t behind_special = before_special.size() + spr_count;

bool told_by_time(spr which) { return which == spr::purr || which == spr::spurr; }

std::vector<single_register> make_registers() {
    std::vector<single_register> all(before_special.begin(), before_special.end());
    for (std::size_t i = 0; i < spr_count; ++i) {
        const auto which = static_cast<spr>(i);
        const isa::special_register& row = isa::special_register_of(which);
        all.push_back({row.name, row.bits, !told_by_time(which)});
    }
    for (const unsigned number : numbers_of_told) {
        const isa::special_register& row = *isa::find_special_register(number);
        all.push_back({row.name, row.bits, false});
    }
    return all;
}

const std::vector<single_register>& registers_by_name() {
    static const std::vector<single_register> all = make_registers();
    return all;
}

std::size_t row_of(const single_register& which) {
    return static_cast<std::size_t>(&which - registers_by_name().data());
}

spr special(std::size_t row) { return static_cast<spr>(row - before_special.size()); }

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

std::uint64_t read_told(core& of, told which) {
    switch (which) {
    case told::tb:
    case told::vtb:
        return of.time_base();
    case told::ic:
        return of.instructions();
    case told::pvr:
        return isa::processor_version;
    }
    return 0;
}

}  // namespace

std::span<const single_register> single_registers() { return registers_by_name(); }

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
    default:
        break;
    }
    if (row >= behind_special) {
        return read_told(of, static_cast<told>(row - behind_special));
    }
    if (special(row) == spr::dec) {
        return of.dec.value(of.time_base(), of.decrementer_width());
    }
    return told_by_time(special(row)) ? of.time_base() : state[special(row)];
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
        const auto found = std::ranges::find(registers_by_name(), name == "pc" ? "nip" : name,
                                             &single_register::name);
        if (found == registers_by_name().end()) {
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
