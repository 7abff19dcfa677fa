// SPDX-License-Identifier: Apache-2.0
#include "power/debug/gdb_registers.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <stdexcept>
#include <string_view>

#include "power/debug/register_file.h"

namespace pefsim::power::debug::gdb {
namespace {

static_assert(std::endian::native == std::endian::little);

/// Kinds of registers, in the order of their numbers.
enum class file : std::uint8_t {
    gpr,
    fpr,
    pc,
    msr,
    cr,
    lr,
    ctr,
    xer,
    fpscr,
    orig_r3,
    trap,
    vr,
    vscr,
    vrsave,
    vsr_low
};

struct bank {
    file kind;
    std::size_t first;
    std::size_t count;
    std::size_t size;  // bytes
    const char* name;  // with {} for the number within the bank
    const char* type;
};

// clang-format off
constexpr bank banks[] = {
    {file::gpr,     0,   32, 8,  "r{}",     "uint64"},
    {file::fpr,     32,  32, 8,  "f{}",     "ieee_double"},
    {file::pc,      64,  1,  8,  "pc",      "code_ptr"},
    {file::msr,     65,  1,  8,  "msr",     "uint64"},
    {file::cr,      66,  1,  4,  "cr",      "uint32"},
    {file::lr,      67,  1,  8,  "lr",      "code_ptr"},
    {file::ctr,     68,  1,  8,  "ctr",     "uint64"},
    {file::xer,     69,  1,  4,  "xer",     "uint32"},
    {file::fpscr,   70,  1,  8,  "fpscr",   "uint64"},
    {file::orig_r3, 71,  1,  8,  "orig_r3", "int"},
    {file::trap,    72,  1,  8,  "trap",    "int"},
    {file::vr,      73,  32, 16, "vr{}",    "vec128"},
    {file::vscr,    105, 1,  4,  "vscr",    "uint32"},
    {file::vrsave,  106, 1,  4,  "vrsave",  "uint32"},
    {file::vsr_low, 107, 32, 8,  "vs{}h",   "uint64"},
};

/// Features and what belongs to them: gdb's names (gdb/features/rs6000).
struct feature {
    const char* name;
    std::initializer_list<file> kinds;
};
const feature features[] = {
    {"org.gnu.gdb.power.core",    {file::gpr, file::pc, file::msr, file::cr, file::lr, file::ctr, file::xer}},
    {"org.gnu.gdb.power.fpu",     {file::fpr, file::fpscr}},
    {"org.gnu.gdb.power.linux",   {file::orig_r3, file::trap}},
    {"org.gnu.gdb.power.altivec", {file::vr, file::vscr, file::vrsave}},
    {"org.gnu.gdb.power.vsx",     {file::vsr_low}},
};
// clang-format on

constexpr const char* vector_types = R"(
    <vector id="v4f" type="ieee_single" count="4"/>
    <vector id="v4i32" type="int32" count="4"/>
    <vector id="v8i16" type="int16" count="8"/>
    <vector id="v16i8" type="int8" count="16"/>
    <union id="vec128">
      <field name="uint128" type="uint128"/>
      <field name="v4_float" type="v4f"/>
      <field name="v4_int32" type="v4i32"/>
      <field name="v8_int16" type="v8i16"/>
      <field name="v16_int8" type="v16i8"/>
    </union>)";

const bank* bank_of(std::size_t number) {
    const auto found = std::ranges::find_if(
        banks, [=](const bank& each) { return number >= each.first && number < each.first + each.count; });
    return found == std::end(banks) ? nullptr : found;
}

/// Those that no feature of gdb's has.
const std::vector<const single_register*>& special_registers() {
    static const std::vector<const single_register*> all = [] {
        constexpr std::array<std::string_view, 9> known{"nip", "msr", "cr",  "fpscr", "vscr",
                                                        "lr",  "ctr", "xer", "vrsave"};
        std::vector<const single_register*> others;
        for (const single_register& each : single_registers()) {
            if (std::ranges::find(known, each.name) == known.end()) {
                others.push_back(&each);
            }
        }
        return others;
    }();
    return all;
}

const single_register* special_at(std::size_t number) {
    const std::size_t n = number - register_count;
    return number >= register_count && n < special_registers().size() ? special_registers()[n] : nullptr;
}

using quadword = vector_register;  // little-endian: a register of n bytes is the first n of it

quadword get(const registers& state, const bank& of, std::size_t n) {
    switch (of.kind) {
    case file::gpr:
        return {.low = state.gpr[n]};
    case file::fpr:
        return {.low = state.vsr[n].high};
    case file::pc:
        return {.low = state.nip};
    case file::msr:
        return {.low = state.msr};
    case file::cr:
        return {.low = std::uint32_t{state.cr}};
    case file::lr:
        return {.low = state[spr::lr]};
    case file::ctr:
        return {.low = state[spr::ctr]};
    case file::xer:
        return {.low = state[spr::xer]};
    case file::fpscr:
        return {.low = state.fpscr};
    case file::vr:
        return state.vsr[32 + n];
    case file::vscr:
        return {.low = state.vscr};
    case file::vrsave:
        return {.low = state[spr::vrsave]};
    case file::vsr_low:
        return {.low = state.vsr[n].low};
    default:
        return {};
    }
}

void set(registers& state, const bank& of, std::size_t n, const quadword& value) {
    switch (of.kind) {
    case file::gpr:
        state.gpr[n] = value.low;
        break;
    case file::fpr:
        state.vsr[n].high = value.low;
        break;
    case file::pc:
        state.nip = value.low & ~std::uint64_t{3};
        break;
    case file::msr:
        state.msr = value.low;
        break;
    case file::cr:
        state.cr = static_cast<std::uint32_t>(value.low);
        break;
    case file::lr:
        state[spr::lr] = value.low;
        break;
    case file::ctr:
        state[spr::ctr] = value.low;
        break;
    case file::xer:
        state[spr::xer] = value.low;
        break;
    case file::fpscr:
        state.fpscr = value.low;
        break;
    case file::vr:
        state.vsr[32 + n] = value;
        break;
    case file::vscr:
        state.vscr = static_cast<std::uint32_t>(value.low);
        break;
    case file::vrsave:
        state[spr::vrsave] = value.low;
        break;
    case file::vsr_low:
        state.vsr[n].low = value.low;
        break;
    default:
        break;
    }
}

std::string describe(const bank& each) {
    std::string out;
    for (std::size_t n = 0; n < each.count; ++n) {
        out += fmt::format("\n    <reg name=\"{}\" bitsize=\"{}\" regnum=\"{}\" type=\"{}\"/>",
                           fmt::format(fmt::runtime(each.name), n), each.size * 8, each.first + n, each.type);
    }
    return out;
}

}  // namespace

std::size_t register_size(std::size_t number) {
    if (const single_register* special = special_at(number); special != nullptr) {
        return special->bits <= 32 ? 4 : 8;
    }
    const bank* of = bank_of(number);
    return of == nullptr ? 0 : of->size;
}

std::vector<std::byte> read_register(core& of, std::size_t number, byte_order order) {
    std::vector<std::byte> bytes(register_size(number));
    if (bytes.empty()) {
        return bytes;
    }
    quadword value;
    if (const single_register* special = special_at(number); special != nullptr) {
        value.low = debug::read_register(of, *special);
    } else {
        const bank& in = *bank_of(number);
        value = get(of.state, in, number - in.first);
    }
    std::memcpy(bytes.data(), &value, bytes.size());
    if (order == byte_order::big) {
        std::ranges::reverse(bytes);
    }
    return bytes;
}

bool write_register(core& of, std::size_t number, byte_order order, std::span<const std::byte> value) {
    if (value.empty() || value.size() != register_size(number)) {
        return false;
    }
    std::vector<std::byte> bytes(value.begin(), value.end());
    if (order == byte_order::big) {
        std::ranges::reverse(bytes);
    }
    quadword wide;
    std::memcpy(&wide, bytes.data(), bytes.size());
    const single_register* special = special_at(number);
    if (special == nullptr) {
        const bank& in = *bank_of(number);
        set(of.state, in, number - in.first, wide);
        return true;
    }
    try {
        debug::write_register(of, special->name, wide);
    } catch (const std::invalid_argument&) {
        return false;
    }
    return true;
}

const std::string& target_description() {
    static const std::string text = [] {
        std::string out =
            "<?xml version=\"1.0\"?>\n<!DOCTYPE target SYSTEM \"gdb-target.dtd\">\n<target version=\"1.0\">\n"
            "  <architecture>powerpc:common64</architecture>\n";
        for (const feature& each : features) {
            out += fmt::format("  <feature name=\"{}\">", each.name);
            for (const file kind : each.kinds) {
                const bank& of = *std::ranges::find(banks, kind, &bank::kind);
                out += (kind == file::vr ? vector_types : "") + describe(of);
            }
            out += "\n  </feature>\n";
        }
        out += "  <feature name=\"org.pefsim.power.spr\">";
        for (std::size_t n = 0; n < special_registers().size(); ++n) {
            const std::size_t number = register_count + n;
            const std::size_t size = register_size(number);
            out += fmt::format(
                "\n    <reg name=\"{}\" bitsize=\"{}\" regnum=\"{}\" type=\"uint{}\" group=\"spr\" "
                "save-restore=\"no\"/>",
                special_registers()[n]->name, size * 8, number, size * 8);
        }
        out += "\n  </feature>\n";
        return out + "</target>\n";
    }();
    return text;
}

}  // namespace pefsim::power::debug::gdb
