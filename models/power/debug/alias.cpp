// SPDX-License-Identifier: Apache-2.0
#include "power/debug/alias.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <stdexcept>
#include <string_view>
#include <utility>
#include <vector>

#include "power/instructions/instruction_table.h"
#include "power/instructions/special_registers.h"

namespace pefsim::power::debug {
namespace {

using isa::bit;
using isa::bits;
using isa::field;
using isa::info_of;
using isa::instruction;
using isa::link;
using isa::operand;
using isa::operand_list;
using enum isa::operand;

consteval alias_condition operator&&(const alias_condition& a, const alias_condition& b) {
    if ((a.mask & b.mask) != 0 || (a.also != nullptr && b.also != nullptr)) {
        throw std::logic_error("conditions on the same bits, or two relations");
    }
    return {a.match | b.match, a.mask | b.mask, a.also != nullptr ? a.also : b.also};
}

/// The field has that value.
consteval alias_condition eq(const field& where, std::int32_t value) {
    return {where.put(value), where.mask()};
}
consteval alias_condition eq(operand which, std::int32_t value) { return eq(info_of(which).where, value); }

/// Two fields have the same value.
template <operand A, operand B>
constexpr alias_condition same{
    .also = [](std::uint32_t word) { return info_of(A).value(word) == info_of(B).value(word); }};

/// The values of two fields have that sum.
template <operand A, operand B, std::int32_t Sum>
constexpr alias_condition sum{
    .also = [](std::uint32_t word) { return info_of(A).value(word) + info_of(B).value(word) == Sum; }};

constexpr alias_condition all_bits_same{.also = [](std::uint32_t word) {
    return info_of(bt).value(word) == info_of(ba).value(word) &&
           info_of(bt).value(word) == info_of(bb).value(word);
}};

struct alias_row {
    std::string_view mnemonic;
    std::string_view base;
    alias_condition when;
    operand_list operands{};
};

// clang-format off
constexpr std::array alias_rows{
    // fixed point: arithmetic, compare, select
    alias_row{"li",      "addi",    eq(ra0, 0),                                   {rt, si}},
    alias_row{"lis",     "addis",   eq(ra0, 0),                                   {rt, si}},
    alias_row{"lnia",    "addpcis", eq(d_dx, 0),                                  {rt}},
    alias_row{"cmpwi",   "cmpi",    eq(l, 0),                                     {bf_or_cr0, ra, si}},
    alias_row{"cmpdi",   "cmpi",    eq(l, 1),                                     {bf_or_cr0, ra, si}},
    alias_row{"cmpw",    "cmp",     eq(l, 0),                                     {bf_or_cr0, ra, rb}},
    alias_row{"cmpd",    "cmp",     eq(l, 1),                                     {bf_or_cr0, ra, rb}},
    alias_row{"cmplwi",  "cmpli",   eq(l, 0),                                     {bf_or_cr0, ra, ui}},
    alias_row{"cmpldi",  "cmpli",   eq(l, 1),                                     {bf_or_cr0, ra, ui}},
    alias_row{"cmplw",   "cmpl",    eq(l, 0),                                     {bf_or_cr0, ra, rb}},
    alias_row{"cmpld",   "cmpl",    eq(l, 1),                                     {bf_or_cr0, ra, rb}},
    alias_row{"isellt",  "isel",    eq(bc, 0) && eq(bit(31), 0),                   {rt, ra0, rb}},
    alias_row{"iselgt",  "isel",    eq(bc, 1) && eq(bit(31), 0),                   {rt, ra0, rb}},
    alias_row{"iseleq",  "isel",    eq(bc, 2) && eq(bit(31), 0),                   {rt, ra0, rb}},
    alias_row{"trap",    "tw",      eq(to, 31) && eq(ra, 0) && eq(rb, 0),         {}},

    // fixed point: logical, hints in the guise of or
    alias_row{"nop",     "ori",     eq(ra, 0) && eq(rs, 0) && eq(ui, 0),          {}},
    alias_row{"xnop",    "xori",    eq(ra, 0) && eq(rs, 0) && eq(ui, 0),          {}},
    alias_row{"exser",   "ori",     eq(ra, 31) && eq(rs, 31) && eq(ui, 0),        {}},
    alias_row{"miso",    "or",      eq(ra, 26) && eq(rs, 26) && eq(rb, 26) && eq(link, 0), {}},
    alias_row{"yield",   "or",      eq(ra, 27) && eq(rs, 27) && eq(rb, 27) && eq(link, 0), {}},
    alias_row{"mdoio",   "or",      eq(ra, 29) && eq(rs, 29) && eq(rb, 29) && eq(link, 0), {}},
    alias_row{"mdoom",   "or",      eq(ra, 30) && eq(rs, 30) && eq(rb, 30) && eq(link, 0), {}},
    alias_row{"mr",      "or",      same<rs, rb>,                                 {ra, rs}},
    alias_row{"not",     "nor",     same<rs, rb>,                                 {ra, rs}},

    // fixed point: rotate and shift
    alias_row{"rotlwi",  "rlwinm",  eq(mb, 0) && eq(me, 31),                      {ra, rs, sh}},
    alias_row{"clrlwi",  "rlwinm",  eq(sh, 0) && eq(me, 31),                      {ra, rs, mb}},
    alias_row{"clrrwi",  "rlwinm",  eq(sh, 0) && eq(mb, 0),                       {ra, rs, me_from_31}},
    alias_row{"slwi",    "rlwinm",  eq(mb, 0) && sum<sh, me, 31>,                 {ra, rs, sh}},
    alias_row{"srwi",    "rlwinm",  eq(me, 31) && sum<sh, mb, 32>,                {ra, rs, mb}},
    alias_row{"rotlw",   "rlwnm",   eq(mb, 0) && eq(me, 31),                      {ra, rs, rb}},
    alias_row{"rotldi",  "rldicl",  eq(mb6, 0),                                   {ra, rs, sh6}},
    alias_row{"clrldi",  "rldicl",  eq(sh6, 0),                                   {ra, rs, mb6}},
    alias_row{"srdi",    "rldicl",  sum<sh6, mb6, 64>,                            {ra, rs, mb6}},
    alias_row{"clrrdi",  "rldicr",  eq(sh6, 0),                                   {ra, rs, me_from_63}},
    alias_row{"sldi",    "rldicr",  sum<sh6, mb6, 63>,                            {ra, rs, sh6}},
    alias_row{"rotld",   "rldcl",   eq(mb6, 0),                                   {ra, rs, rb}},

    // condition register
    alias_row{"crclr",   "crxor",   all_bits_same,                                {bt}},
    alias_row{"crset",   "creqv",   all_bits_same,                                {bt}},
    alias_row{"crnot",   "crnor",   same<ba, bb>,                                 {bt, ba}},
    alias_row{"crmove",  "cror",    same<ba, bb>,                                 {bt, ba}},
    alias_row{"mtcr",    "mtcrf",   eq(fxm, 255),                                 {rs}},

    // special purpose and vector-scalar registers
    alias_row{"mfsprg",  "mfspr",   eq(bits(16, 20) || bits(11, 13), 272 / 4),  {rt, sprg}},
    alias_row{"mtsprg",  "mtspr",   eq(bits(16, 20) || bits(11, 13), 272 / 4),  {sprg, rs}},
    // numbers that a POWER9 does not have, by the names that they had elsewhere
    alias_row{"mfrtcu", "mfspr",  eq(spr, 4),                                   {rt}},
    alias_row{"mtrtcu", "mtspr",  eq(spr, 20),                                  {rs}},
    alias_row{"mfrtcl", "mfspr",  eq(spr, 5),                                   {rt}},
    alias_row{"mtrtcl", "mtspr",  eq(spr, 21),                                  {rs}},
    alias_row{"mfsdr1",  "mfspr",   eq(spr, 25),                                  {rt}},
    alias_row{"mtsdr1",  "mtspr",   eq(spr, 25),                                  {rs}},
    alias_row{"mfasr",   "mfspr",   eq(spr, 280),                                 {rt}},
    alias_row{"mtasr",   "mtspr",   eq(spr, 280),                                 {rs}},
    alias_row{"mfear",   "mfspr",   eq(spr, 282),                                 {rt}},
    alias_row{"mtear",   "mtspr",   eq(spr, 282),                                 {rs}},
    alias_row{"mfibatu", "mfspr",  eq(bits(16, 20) || bits(11, 12), 66) && eq(bit(15), 0), {rt, bat}},
    alias_row{"mtibatu", "mtspr",  eq(bits(16, 20) || bits(11, 12), 66) && eq(bit(15), 0), {bat, rs}},
    alias_row{"mfibatl", "mfspr",  eq(bits(16, 20) || bits(11, 12), 66) && eq(bit(15), 1), {rt, bat}},
    alias_row{"mtibatl", "mtspr",  eq(bits(16, 20) || bits(11, 12), 66) && eq(bit(15), 1), {bat, rs}},
    alias_row{"mfdbatu", "mfspr",  eq(bits(16, 20) || bits(11, 12), 67) && eq(bit(15), 0), {rt, bat}},
    alias_row{"mtdbatu", "mtspr",  eq(bits(16, 20) || bits(11, 12), 67) && eq(bit(15), 0), {bat, rs}},
    alias_row{"mfdbatl", "mfspr",  eq(bits(16, 20) || bits(11, 12), 67) && eq(bit(15), 1), {rt, bat}},
    alias_row{"mtdbatl", "mtspr",  eq(bits(16, 20) || bits(11, 12), 67) && eq(bit(15), 1), {bat, rs}},
    alias_row{"mftb",    "mftb",    eq(tbr, 268),                                 {rt}},
    alias_row{"mftbu",   "mftb",    eq(tbr, 269),                                 {rt}},
    alias_row{"mffprd",  "mfvsrd",  eq(bit(31), 0),                               {ra, frs}},
    alias_row{"mfvrd",   "mfvsrd",  eq(bit(31), 1),                               {ra, vrs}},
    alias_row{"mffprwz", "mfvsrwz", eq(bit(31), 0),                               {ra, frs}},
    alias_row{"mfvrwz",  "mfvsrwz", eq(bit(31), 1),                               {ra, vrs}},
    alias_row{"mtfprd",  "mtvsrd",  eq(bit(31), 0),                               {frt, ra}},
    alias_row{"mtvrd",   "mtvsrd",  eq(bit(31), 1),                               {vrt, ra}},
    alias_row{"mtfprwa", "mtvsrwa", eq(bit(31), 0),                               {frt, ra}},
    alias_row{"mtvrwa",  "mtvsrwa", eq(bit(31), 1),                               {vrt, ra}},
    alias_row{"mtfprwz", "mtvsrwz", eq(bit(31), 0),                               {frt, ra}},
    alias_row{"mtvrwz",  "mtvsrwz", eq(bit(31), 1),                               {vrt, ra}},

    // vector and vector-scalar
    alias_row{"vmr",     "vor",     same<vra, vrb>,                               {vrt, vra}},
    alias_row{"vnot",    "vnor",    same<vra, vrb>,                               {vrt, vra}},
    alias_row{"xvmovdp", "xvcpsgndp", same<xa, xb>,                               {xt, xa}},
    alias_row{"xvmovsp", "xvcpsgnsp", same<xa, xb>,                               {xt, xa}},
    alias_row{"xxmr",    "xxlor",   same<xa, xb>,                                 {xt, xa}},
    alias_row{"xxlnot",  "xxlnor",  same<xa, xb>,                                 {xt, xa}},
    alias_row{"xxspltd", "xxpermdi", eq(dm, 0) && same<xa, xb>,                   {xt, xa, splat_dm}},
    alias_row{"xxspltd", "xxpermdi", eq(dm, 3) && same<xa, xb>,                   {xt, xa, splat_dm}},
    alias_row{"xxmrghd", "xxpermdi", eq(dm, 0),                                   {xt, xa, xb}},
    alias_row{"xxswapd", "xxpermdi", eq(dm, 2) && same<xa, xb>,                   {xt, xa}},
    alias_row{"xxmrgld", "xxpermdi", eq(dm, 3),                                   {xt, xa, xb}},

    // storage control, transactions
    alias_row{"hwsync",  "sync",    eq(l_sync, 0),                                {}},
    alias_row{"lwsync",  "sync",    eq(l_sync, 1),                                {}},
    alias_row{"ptesync", "sync",    eq(l_sync, 2),                                {}},
    alias_row{"dcbfl",   "dcbf",    eq(l_flush, 1),                               {ra0, rb}},
    alias_row{"dcbflp",  "dcbf",    eq(l_flush, 3),                               {ra0, rb}},
    alias_row{"dcbzl",   "dcbz",    eq(bit(10), 1),                               {ra0, rb}},
    alias_row{"dcbtct",  "dcbt",    eq(bits(6, 7), 0),                            {ra0, rb, th_or_0}},
    alias_row{"dcbtds",  "dcbt",    eq(bits(6, 7), 1),                            {ra0, rb, th_or_8}},
    alias_row{"dcbtt",   "dcbt",    eq(th, 16),                                   {ra0, rb}},
    alias_row{"dcbtstct", "dcbtst", eq(bits(6, 7), 0),                            {ra0, rb, th_or_0}},
    alias_row{"dcbtstds", "dcbtst", eq(bits(6, 7), 1),                            {ra0, rb, th_or_8}},
    alias_row{"dcbtstt", "dcbtst",  eq(th, 16),                                   {ra0, rb}},
    alias_row{"dstt",    "dst",     eq(bit(6), 1),                                {ra, rb, strm}},
    alias_row{"dststt",  "dstst",   eq(bit(6), 1),                                {ra, rb, strm}},
    alias_row{"dssall",  "dss",     eq(bit(6), 1),                                {}},
    alias_row{"tendall.", "tend.",  eq(a_tm, 1),                                  {}},
    alias_row{"tsuspend.", "tsr.",  eq(l_tm, 0),                                  {}},
    alias_row{"tresume.", "tsr.",   eq(l_tm, 1),                                  {}},
};

/// What follows tw and td, and stands inside twi and tdi (Book I appendix C.6).
constexpr std::array<std::pair<std::string_view, int>, 11> trap_conditions{{
    {"lt", 16}, {"le", 20}, {"eq", 4}, {"ge", 12}, {"gt", 8}, {"ne", 24},
    {"llt", 2}, {"lle", 6}, {"lge", 5}, {"lgt", 1}, {"u", 31},
}};

/// Conditions of branches (Book I appendix C.2): a letter per bit of BO and BI, - where it may be either.
struct branch_condition {
    std::string_view mnemonic;
    std::string_view bo;
    std::string_view bi;
    operand condition;  ///< what of BI is written
};
constexpr std::array branch_conditions{
    branch_condition{"bdnzf", "0000-", "-----", bi},
    branch_condition{"bdzf",  "0001-", "-----", bi},
    branch_condition{"bge",   "001--", "---00", bi_field},
    branch_condition{"ble",   "001--", "---01", bi_field},
    branch_condition{"bne",   "001--", "---10", bi_field},
    branch_condition{"bns",   "001--", "---11", bi_field},
    branch_condition{"bdnzt", "0100-", "-----", bi},
    branch_condition{"bdzt",  "0101-", "-----", bi},
    branch_condition{"blt",   "011--", "---00", bi_field},
    branch_condition{"bgt",   "011--", "---01", bi_field},
    branch_condition{"beq",   "011--", "---10", bi_field},
    branch_condition{"bso",   "011--", "---11", bi_field},
    branch_condition{"bdnz",  "1-00-", "00000", none},
    branch_condition{"bdz",   "1-01-", "00000", none},
    branch_condition{"b",     "10100", "00000", none},
};
// clang-format on

/// The condition that `pattern` ('0', '1' or '-' a bit) states about the bits that begin at `first`.
alias_condition pattern_at(unsigned first, std::string_view pattern) {
    alias_condition condition;
    for (std::size_t i = 0; i < pattern.size(); ++i) {
        const std::uint32_t one = 0x80000000U >> (first + i);
        condition.mask |= pattern[i] == '-' ? 0 : one;
        condition.match |= pattern[i] == '1' ? one : 0;
    }
    return condition;
}

struct alias_table {
    std::vector<alias> all;
    std::vector<std::pair<std::size_t, std::size_t>> range_of_row;

    alias_table() {
        for (const alias_row& row : alias_rows) {
            add(std::string(row.mnemonic), row.base, row.when, row.operands);
        }
        add_traps();
        add_special_purpose_registers();
        add_branches();
        sort();
    }

private:
    void add(std::string mnemonic, std::string_view base, const alias_condition& when,
             const operand_list& operands) {
        const instruction* const row = isa::find(base);
        if (row == nullptr) {
            throw std::logic_error("debug: an alias of an instruction that is not in the table: " +
                                   std::string(base));
        }
        all.push_back({std::move(mnemonic), row, when, operands});
    }

    void add_traps() {
        for (const auto& [condition, number] : trap_conditions) {
            const alias_condition when{info_of(to).where.put(number), info_of(to).where.mask()};
            for (const std::string unit : {"tw", "td"}) {
                add(unit + std::string(condition), unit, when, {ra, rb});
                add(unit + std::string(condition) + "i", unit + "i", when, {ra, si});
            }
        }
    }

    void add_special_purpose_registers() {
        for (const isa::special_register& each : isa::special_registers()) {
            const alias_condition when{info_of(spr).where.put(each.number), info_of(spr).where.mask()};
            if (each.mnemonics == isa::spr_mnemonics::from || each.mnemonics == isa::spr_mnemonics::both) {
                add("mf" + std::string(each.name), "mfspr", when, {rt});
            }
            if (each.mnemonics == isa::spr_mnemonics::to || each.mnemonics == isa::spr_mnemonics::both) {
                add("mt" + std::string(each.name), "mtspr", when, {rs});
            }
        }
    }

    void add_branches() {
        for (const branch_condition& each : branch_conditions) {
            alias_condition when = pattern_at(6, each.bo);
            const alias_condition on_bi = pattern_at(11, each.bi);
            when.match |= on_bi.match;
            when.mask |= on_bi.mask;
            const bool unconditional = each.mnemonic == "b";
            if (!unconditional) {
                add(std::string(each.mnemonic), "bc", when, after(each.condition, target_b));
            }
            // Assemblers write reserved values of BO for no other branch than bc.
            when.also = [](std::uint32_t word) { return !isa::invalid::bo_reserved(word); };
            const bool counts = each.bo[2] == '0';  // CTR cannot be counter and target at once
            for (const std::string to_register : {"lr", "ctr", "tar"}) {
                if (to_register != "ctr" || !counts) {
                    add(std::string(each.mnemonic) + to_register, "bc" + to_register, when,
                        after(each.condition, bh));
                }
            }
        }
    }

    static operand_list after(operand condition, operand last) {
        return condition == none ? operand_list{last} : operand_list{condition, last};
    }

    void sort() {
        std::ranges::stable_sort(all, {}, [](const alias& each) { return isa::index_of(*each.base); });
        range_of_row.resize(isa::instructions().size());
        for (std::size_t i = 0; i < all.size(); ++i) {
            auto& [begin, end] = range_of_row[isa::index_of(*all[i].base)];
            begin = end == 0 ? i : begin;
            end = i + 1;
        }
    }
};

}  // namespace

std::span<const alias> aliases_of(const instruction& row) {
    static const alias_table table;
    const auto [begin, end] = table.range_of_row[isa::index_of(row)];
    return std::span(table.all).subspan(begin, end - begin);
}

}  // namespace pefsim::power::debug
