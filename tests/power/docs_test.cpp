// SPDX-License-Identifier: Apache-2.0
//
// docs/instructions.md says what the table says. With PEFSIM_UPDATE_DOCS=1 in the environment it is
// rewritten.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "power/instructions/instruction_table.h"
#include "power/instructions/special_registers.h"
#include "tests/power/known_differences.h"

namespace pefsim::power::isa {
namespace {

/// A stretch of an instruction word and what the ISA's figures write into it.
struct cell {
    bit_range bits;
    std::string text;
};

void add_cells(std::vector<cell>& cells, const field& where, const std::string& text) {
    for (unsigned i = 0; i < where.piece_count; ++i) {
        cells.push_back({where.pieces[i], text});
    }
}

/// The opcode bits `mask` as numbers: one for each stretch of neighbours.
void add_opcode(std::vector<cell>& cells, const encoding& code, std::uint32_t mask) {
    for (std::uint8_t first = 0; first < 32; ++first) {
        const auto is_opcode = [mask](unsigned number) { return (mask >> (31 - number) & 1) != 0; };
        if (!is_opcode(first)) {
            continue;
        }
        std::uint8_t last = first;
        while (last < 31 && is_opcode(last + 1U)) {
            ++last;
        }
        const bit_range stretch{first, last};
        cells.push_back({stretch, fmt::format("{}", (code.match & stretch.mask()) >> stretch.shift())});
        first = last;
    }
}

/// The word of a row as the ISA draws it: opcodes as numbers, fields by name, reserved stretches as "/".
std::string picture_of(const instruction& row) {
    std::vector<cell> cells;
    // Fields that stand next to each other are numbers of their own.
    std::uint32_t rest = row.code.mask;
    for (const field& part :
         {primary_opcode, layout_of(row.code.format).record, layout_of(row.code.format).extended_opcode}) {
        if (part.mask() != 0 && (rest & part.mask()) == part.mask()) {
            add_opcode(cells, row.code, part.mask());
            rest &= ~part.mask();
        }
    }
    add_opcode(cells, row.code, rest);
    for (const operand each : row.operands) {
        add_cells(cells, info_of(each).where, std::string(info_of(each).name));
    }
    const auto add_variant = [&](flag_set flag, const field& where, const char* name) {
        if (row.flags.has(flag)) {
            add_cells(cells, where, name);
        }
    };
    add_variant(rc, layout_of(row.code.format).record, "Rc");
    add_variant(oe, overflow_enable, "OE");
    add_variant(lk, link, "LK");
    add_variant(aa, absolute, "AA");
    add_variant(ro, round_to_odd, "RO");
    add_variant(ex, round_to_odd, "EX");

    std::ranges::sort(cells, {}, [](const cell& each) { return each.bits.first; });
    std::string picture;
    unsigned next = 0;
    for (const cell& each : cells) {
        picture += each.bits.first > next ? "/ " : "";
        picture += each.text + ' ';
        next = each.bits.last + 1U;
    }
    picture += next < 32 ? "/ " : "";
    picture.pop_back();
    return picture;
}

std::string operands_of(const instruction& row) {
    std::string text;
    for (const operand each : row.operands) {
        if (each != operand::none) {
            text += (text.empty() ? "" : ", ") + std::string(info_of(each).name);
        }
    }
    return text;
}

std::string flags_of(const instruction& row) {
    constexpr std::pair<flag_set, std::string_view> names[] = {
        {rc, "Rc"}, {oe, "OE"},          {lk, "LK"},      {aa, "AA"},         {ro, "RO"},
        {ex, "EX"}, {ca_in, "reads CA"}, {ca, "sets CA"}, {update, "update"},
    };
    std::string text;
    for (const auto& [flag, name] : names) {
        if (row.flags.has(flag)) {
            text += (text.empty() ? "" : ", ") + std::string(name);
        }
    }
    return text;
}

std::string instruction_table() {
    std::string table = fmt::format("\n{} instructions.\n\n"
                                    "| mnemonic | operands | form | encoding | flags | facility | class |\n"
                                    "|---|---|---|---|---|---|---|\n",
                                    instructions().size());
    for (const instruction& row : instructions()) {
        fmt::format_to(std::back_inserter(table), "| `{}` | {} | {} | `{}` | {} | {} | {} |\n", row.mnemonic,
                       operands_of(row), layout_of(row.code.format).name, picture_of(row), flags_of(row),
                       name_of(row.needs), name_of(row.kind));
    }
    return table + '\n';
}

std::string_view name_of(privilege least) {
    constexpr std::array<std::string_view, 5> names{"all", "supervisor", "hypervisor", "ultravisor",
                                                    "nobody"};
    return names[static_cast<std::size_t>(least)];
}

/// Those that the processor has.
std::string special_register_table() {
    std::string table = "\n| number | name | bits | read by | written by | |\n|---|---|---|---|---|---|\n";
    for (const special_register& row : special_registers()) {
        if (find_special_register(row.number) == nullptr) {
            continue;
        }
        const std::string more = row.needs == 0
                                     ? ""
                                     : fmt::format("in problem state with FSCR[{}]", 63 - row.needs);
        fmt::format_to(std::back_inserter(table), "| {} | {} | {} | {} | {} | {} |\n", row.number,
                       row.name.empty() ? "reserved" : fmt::format("`{}`", row.name), row.bits,
                       name_of(row.reads), name_of(row.writes), more);
    }
    return table + '\n';
}

std::string difference_table() {
    std::string table = "\n| word & mask | = | objdump writes | why not here |\n|---|---|---|---|\n";
    for (const known_difference& each : known_differences()) {
        fmt::format_to(std::back_inserter(table), "| `{:08x}` | `{:08x}` | `{}` | {} |\n", each.mask,
                       each.match, each.objdump, each.reason);
    }
    return table + '\n';
}

TEST(docs, instructions_lists_every_row) {
    const std::filesystem::path path = std::filesystem::path(PEFSIM_SOURCE_DIR) / "docs" / "instructions.md";
    std::ifstream stream(path);
    ASSERT_TRUE(stream) << path;
    const std::string text{std::istreambuf_iterator<char>(stream), {}};
    std::string wanted = text;
    std::size_t from = 0;
    for (const std::string& table : {instruction_table(), special_register_table(), difference_table()}) {
        const std::size_t begin = wanted.find("(PEFSIM_UPDATE_DOCS=1) -->\n", from);
        const std::size_t end = wanted.find("<!-- end -->", begin);
        ASSERT_NE(end, std::string::npos) << path << " lacks a mark";
        const std::size_t inner = wanted.find('\n', begin) + 1;
        wanted.replace(inner, end - inner, table);
        from = inner + table.size();
    }
    if (std::getenv("PEFSIM_UPDATE_DOCS") != nullptr) {
        std::ofstream(path) << wanted;
    } else {
        EXPECT_TRUE(text == wanted) << "run the test with PEFSIM_UPDATE_DOCS=1";
    }
}

TEST(docs, encodings_are_drawn_as_in_the_isa) {
    EXPECT_EQ(picture_of(*find("add")), "31 RT RA RB OE 266 Rc");
    EXPECT_EQ(picture_of(*find("stwcx.")), "31 RS RA RB 150 1");
    EXPECT_EQ(picture_of(*find("mulhw")), "31 RT RA RB / 75 Rc");
    EXPECT_EQ(picture_of(*find("rldicl")), "30 RS RA SH MB MB 0 SH Rc");
    EXPECT_EQ(picture_of(*find("xxsel")), "60 XT XA XB XC 3 XC XA XB XT");
    EXPECT_EQ(picture_of(*find("vctzd")), "4 VRT 31 VRB 1538");
    EXPECT_EQ(picture_of(*find("sc")), "17 / LEV / 1 /");
}

}  // namespace
}  // namespace pefsim::power::isa
