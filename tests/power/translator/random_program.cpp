// SPDX-License-Identifier: Apache-2.0
#include "tests/power/translator/random_program.h"

#include <algorithm>
#include <array>
#include <initializer_list>
#include <limits>
#include <optional>
#include <string_view>
#include <utility>

#include "power/engine/interrupt.h"
#include "power/instructions/instruction_table.h"
#include "power/translator/lowering.h"
#include "power/translator/register_use.h"
#include "tests/power/privileged/assembler.h"

namespace pefsim::testing {
namespace {

using namespace power;       // NOLINT(google-build-using-namespace): what programs are made of
using namespace power::isa;  // NOLINT(google-build-using-namespace)

constexpr int lr = spr_number::lr;
constexpr int ctr = spr_number::ctr;
constexpr int xer_number = 1;
constexpr int tar = 815;
constexpr std::uint32_t record = 1;  // Rc, in most forms; LK of branches
constexpr unsigned bo_always = 20;
constexpr std::uint64_t stride = 0x20'0000;  // the reach of a TLB: such addresses have an entry in common

using rows = std::vector<const instruction*>;

rows select(bool (*wanted)(const instruction& row)) {
    rows found;
    for (const instruction& row : instructions()) {
        if (wanted(row)) {
            found.push_back(&row);
        }
    }
    return found;
}

bool is_access(const instruction& row) {
    using enum instruction_class;
    return row.kind == load || row.kind == store || row.kind == atomic;
}
bool is_register_kind(const instruction& row) {
    using enum instruction_class;
    constexpr std::array kinds{arithmetic, multiply_add, divide,  compare, logical, shift,
                               condition,  move,         decimal, status,  permute};
    return std::ranges::find(kinds, row.kind) != kinds.end();
}
bool has(const instruction& row, operand which) {
    return std::ranges::find(row.operands, which) != row.operands.end();
}
bool is_special_move(const instruction& row) { return row.mnemonic == "mtspr" || row.mnemonic == "mfspr"; }
bool has_displacement(const instruction& row) {
    return has(row, operand::disp) || has(row, operand::disp_ds) || has(row, operand::disp_dq);
}
bool is_indexed(const instruction& row) { return has(row, operand::rb) || has(row, operand::rb_not_rt); }

/// What random instructions are made from.
struct repertoire {
    rows fixed = select([](const instruction& row) {
        return row.needs == facility::fixed && is_register_kind(row) && !is_special_move(row);
    });
    rows condition = select([](const instruction& row) {
        return row.needs == facility::branch && row.kind == instruction_class::condition;
    });
    rows vector = select([](const instruction& row) {
        using enum facility;
        constexpr std::array facilities{fp, dfp, vmx, vsx, vsx_or_vmx, fp_or_vmx};
        return std::ranges::find(facilities, row.needs) != facilities.end() && !is_access(row);
    });
    rows translated = select([](const instruction& row) {  // in all of their forms
        return host_code::lowering_of(row, row.code.match) != nullptr;
    });
    rows translated_vector = select([](const instruction& row) {
        return row.needs >= facility::fp && row.needs <= facility::fp_or_vmx && !is_access(row) &&
               host_code::lowering_of(row, row.code.match) != nullptr;
    });
    rows traps = select([](const instruction& row) { return row.kind == instruction_class::trap; });
    rows fixed_access = select(
        [](const instruction& row) { return is_access(row) && row.needs == facility::fixed; });
    rows other_access = select([](const instruction& row) {
        return is_access(row) && row.needs != facility::fixed && row.needs != facility::hypervisor;
    });
    rows caches = select([](const instruction& row) {
        using enum instruction_class;
        return (row.kind == cache || row.kind == sync) && row.needs == facility::storage;
    });
    rows seldom = select([](const instruction& row) {
        using enum instruction_class;
        return row.kind == translation || row.kind == message || row.kind == transaction ||
               row.kind == reserved_nop;
    });
};

const repertoire& all() {
    static const repertoire made;
    return made;
}

std::uint32_t with(std::uint32_t word, const field& where, std::int64_t value) {
    return (word & ~where.mask()) | where.put(static_cast<std::int32_t>(value));
}

/// In which bits of an address or a number most of what goes wrong goes wrong.
constexpr std::array<std::uint64_t, 22> interesting{0,
                                                    1,
                                                    2,
                                                    3,
                                                    7,
                                                    31,
                                                    32,
                                                    33,
                                                    63,
                                                    64,
                                                    65,
                                                    0x7fff,
                                                    0x8000,
                                                    0xffff,
                                                    0x7fff'ffff,
                                                    0x8000'0000,
                                                    0xffff'ffff,
                                                    0x1'0000'0000,
                                                    0xffff'ffff'8000'0000,
                                                    0x7fff'ffff'ffff'ffff,
                                                    0x8000'0000'0000'0000,
                                                    0xffff'ffff'ffff'ffff};

class composer {
public:
    composer(random_program& into, std::uint64_t seed, const instruction* favourite)
        : random_(seed),
          program_(into),
          favourite_(favourite) {}

    void compose() {
        if (favourite_ == nullptr && random_.percent(10)) {
            favourite_ = random_.among(all().translated);
        }
        choose_ways();
        sections_.resize(2);
        sections_[0].base = choose_base();
        sections_[1].base = 0x7000 + 4 * random_.below(900);
        const unsigned near_functions = random_.below(3);
        const unsigned far_functions = random_.below(3);
        for (unsigned n = 0; n < near_functions + far_functions; ++n) {
            functions_.push_back(new_label());
        }
        main_part();
        for (unsigned n = 0; n < functions_.size(); ++n) {
            section_ = n < near_functions ? 0 : 1;
            function(functions_[n]);
        }
        resolve();
        make_vectors();
        make_state();
    }

private:
    enum class fixup : std::uint8_t { none, branch_i, branch_b, high, low };
    struct item {
        std::uint32_t word = 0;
        fixup fix = fixup::none;
        unsigned label = 0;
    };
    struct section {
        std::uint64_t base = 0;
        std::vector<item> items;
    };
    struct place {
        unsigned section = 0;
        std::size_t index = 0;
        bool bound = false;
    };

    // --- what kind of program this is

    void choose_ways() {
        statements_ = random_.percent(10) ? random_.between(80, 160) : random_.between(6, 60);
        overflows_ = random_.percent(20);
        changes_code_ = random_.percent(35) ? random_.between(5, 60) : 0;
        vectors_ = random_.percent(40) ? random_.between(2, 25) : 0;
        accesses_ = random_.between(5, 40);
        modes_ = random_.percent(4);
        seldom_ = random_.percent(8);
        spreads_ = random_.percent(3);
        program_.little_endian = !random_.percent(2);
        if (favourite_ != nullptr) {
            statements_ = 60;
            accesses_ = is_access(*favourite_) ? 60 : 10;
            changes_code_ = 0;
            vectors_ = 3;
            program_.little_endian = true;
        }
        std::array<unsigned, 31> shuffled{};
        for (unsigned n = 0; n < shuffled.size(); ++n) {
            shuffled[n] = n + 1;  // (RA|0) could not be r0
        }
        for (std::size_t n = 0; n + 1 < shuffled.size(); ++n) {
            std::swap(shuffled[n], shuffled[n + random_.below(shuffled.size() - n)]);
        }
        std::size_t at = 0;
        for (unsigned& each : bases_) {
            each = shuffled[at++];
        }
        for (unsigned& each : counters_) {
            each = shuffled[at++];
        }
        back_counter_ = shuffled[at++];
        reserved_ = at;
        roles_ = shuffled;
        const unsigned size = random_.percent(50) ? random_.between(2, 6) : random_.between(7, 20);
        for (unsigned n = 0; n < size; ++n) {
            pool_.push_back(random_.percent(10) ? 0 : shuffled[at + random_.below(shuffled.size() - at)]);
        }
    }

    /// The program stands at the beginning of a small page, or across the end of one.
    std::uint64_t choose_base() {
        constexpr std::uint64_t second = random_program::first_code + small_page;
        return random_.percent(40) ? random_program::first_code + 4 * random_.below(500)
                                   : second - 4 * random_.below(400);
    }

    // --- registers

    bool reserved(unsigned r) const {
        return std::find(roles_.begin(), roles_.begin() + static_cast<std::ptrdiff_t>(reserved_), r) !=
               roles_.begin() + static_cast<std::ptrdiff_t>(reserved_);
    }
    unsigned target() {
        if (!random_.percent(12)) {
            return random_.among(pool_);
        }
        const unsigned any = random_.below(32);
        return reserved(any) && !random_.percent(2) ? random_.among(pool_) : any;
    }
    unsigned source() { return random_.percent(80) ? random_.among(pool_) : random_.below(32); }
    unsigned base() { return random_.among(bases_); }
    /// One that may be overwritten and is not r0, which addresses do not name.
    unsigned scratch() {
        for (int i = 0; i < 20; ++i) {
            if (const unsigned r = random_.among(pool_); r != 0) {
                return r;
            }
        }
        return roles_[reserved_];
    }
    unsigned field_of_cr() { return random_.percent(60) ? random_.below(2) : random_.below(8); }
    unsigned bit_of_cr() { return 4 * field_of_cr() + random_.below(4); }

    // --- words

    std::int64_t value_of(const instruction& row, operand which, bool first) {
        const operand_info& info = info_of(which);
        switch (info.kind) {
        case operand_kind::gpr:
        case operand_kind::gpr_or_zero:
            if (which == operand::rt_pair || which == operand::rs_pair) {
                return random_.percent(95) ? target() & ~1U : target();
            }
            return which == operand::rt || (first && which == operand::ra) ? target() : source();
        case operand_kind::fpr:
            return random_.below(6);
        case operand_kind::vr:
            return random_.below(5);
        case operand_kind::vsr:
            return random_.below(5) + 32 * random_.below(2);
        case operand_kind::cr_field:
            return field_of_cr();
        case operand_kind::cr_bit:
            return bit_of_cr();
        default:
            break;
        }
        if (which == operand::to) {
            return random_.percent(30) ? random_.among(std::array{0, 4, 8, 16, 24, 31}) : random_.below(32);
        }
        if (which == operand::fxm || which == operand::fxm_one) {
            return random_.percent(80) ? 1U << random_.below(8) : random_.below(256);
        }
        if (which == operand::ric && row.kind == instruction_class::translation) {
            return random_.below(3);
        }
        if (random_.percent(50)) {
            const auto value = static_cast<std::int64_t>(random_.among(interesting));
            return value << info.where.zeros;
        }
        return static_cast<std::int32_t>(random_.next());
    }

    /// A word of the row, with random operands.
    std::uint32_t fill(const instruction& row) {
        std::uint32_t word = row.code.match;
        bool first = true;
        for (const operand each : row.operands) {
            if (each != operand::none) {
                word = with(word, info_of(each).where, value_of(row, each, first));
            }
            first = false;
        }
        if (row.flags.has(isa::rc) && random_.percent(35)) {
            word |= layout_of(row.code.format).record.mask();
        }
        if (row.flags.has(oe) && random_.percent(overflows_ ? 20 : 0)) {
            word |= overflow_enable.mask();
        }
        if ((row.flags.has(ro) || row.flags.has(ex)) && random_.percent(30)) {
            word |= round_to_odd.mask();
        }
        if (random_.percent(3)) {
            word |= row.reserved_bits() & static_cast<std::uint32_t>(random_.next());
        }
        if (row.mnemonic == "or" && random_.percent(10)) {  // mr, and what sets a priority
            word = with(word, fields::b, fields::t.of(word));
        }
        return word;
    }

    /// True when the program as it is planned goes wrong by it: it leaves a register alone that has a task here.
    bool harms(const instruction& row, std::uint32_t word) {
        const host_code::register_use use = host_code::use_of(row, word);
        bool any = false;
        use.writes.for_each([&](unsigned r) {
            any = any || (r < 32 && reserved(r)) || (r == host_code::link_register && in_function_) ||
                  (r == host_code::count_register && counting_);
        });
        return any && !random_.percent(2);
    }

    std::uint32_t register_instruction() {
        const bool ordinary = favourite_ != nullptr && !is_access(*favourite_) &&
                              !is_special_move(*favourite_);
        while (true) {
            if (ordinary && random_.percent(60)) {
                if (const std::uint32_t word = fill(*favourite_); !harms(*favourite_, word)) {
                    return word;
                }
                continue;
            }
            const unsigned kind = random_.below(100);
            if (kind < vectors_) {
                return fill(*random_.among(random_.percent(50) ? all().vector : all().translated_vector));
            }
            if (kind < vectors_ + 6) {
                return fill(*random_.among(all().condition));
            }
            if (kind < vectors_ + 12) {
                if (const std::uint32_t word = move_special(); word != 0) {
                    return word;
                }
                continue;
            }
            const bool lowered = random_.percent(85);
            const instruction& row = *random_.among(all().fixed);
            const std::uint32_t word = fill(row);
            if ((host_code::lowering_of(row, word) != nullptr) == lowered && !harms(row, word)) {
                return word;
            }
        }
    }

    /// mtspr or mfspr; 0 when the one that was chosen would do harm.
    std::uint32_t move_special() {
        if (random_.percent(50)) {
            constexpr std::array readable{lr,  ctr, lr,  ctr, xer_number, 22, 28, 256, 268, 269, 272,
                                          273, 287, 308, tar, 26,         27, 18, 19,  3,   29};
            const instruction& row = *find("mfspr");
            const std::uint32_t word = assemble("mfspr", {target(), random_.among(readable)});
            return harms(row, word) ? 0 : word;
        }
        constexpr std::array writable{lr, ctr, lr, ctr, lr, ctr, xer_number, 256, 273, 274,
                                      28, tar, 3,  13,  29, 896, 22,         48,  61};
        const int number = random_.among(writable);
        if (number == xer_number && !overflows_) {
            return 0;
        }
        const std::uint32_t word = assemble("mtspr", {number, source()});
        return harms(*find("mtspr"), word) ? 0 : word;
    }

    // --- text

    unsigned new_label() {
        labels_.emplace_back();
        return static_cast<unsigned>(labels_.size() - 1);
    }
    void bind(unsigned label) {
        labels_[label] = {.section = section_, .index = sections_[section_].items.size(), .bound = true};
    }
    void put(std::uint32_t word, fixup fix = fixup::none, unsigned label = 0) {
        sections_[section_].items.push_back({word, fix, label});
    }
    void put(std::string_view mnemonic, std::initializer_list<std::int64_t> operands = {}) {
        put(assemble(mnemonic, operands));
    }
    /// RT <- the address of the label.
    void put_address(unsigned rt, unsigned label) {
        put(assemble("addis", {rt, 0}), fixup::high, label);
        put(assemble("ori", {rt, rt}), fixup::low, label);
    }
    void put_word(unsigned rt, std::uint32_t value) {
        put("addis", {rt, 0, static_cast<std::int16_t>(value >> 16)});
        put("ori", {rt, rt, value & 0xffff});
    }
    void put_branch(unsigned label, bool links) {
        const bool is_absolute = random_.percent(5);
        put(assemble("b") | (is_absolute ? absolute.mask() : 0) | (links ? record : 0), fixup::branch_i,
            label);
    }
    void put_conditional(unsigned bo, unsigned bi, unsigned label, bool links) {
        const bool is_absolute = random_.percent(3);
        put(assemble("bc", {bo, bi}) | (is_absolute ? absolute.mask() : 0) | (links ? record : 0),
            fixup::branch_b, label);
    }

    /// Any BO; of those that count, few where CTR is a loop's.
    unsigned choose_bo() {
        const unsigned bo = random_.below(32);
        const bool counts = (bo & 4) == 0;
        return counts && ((counting_ && !random_.percent(3)) || random_.percent(50)) ? bo | 4 : bo;
    }

    // --- statements

    void main_part() {
        section_ = 0;
        block(statements_, 0);
        finish_pending();
        if (random_.percent(50)) {
            put("attn");
        } else {
            put("addi", {3, 0, 0});
            put("ori", {3, 3, 0xf000});  // H_RTAS
            put("sc", {1});
            put("attn");
        }
    }

    void function(unsigned label) {
        in_function_ = true;
        for (unsigned n = random_.below(3); n > 0; --n) {
            put(register_instruction());
        }
        bind(label);
        block(random_.between(1, 8), 1);
        finish_pending();
        if (random_.percent(25)) {
            put(assemble("bclr", {choose_bo(), bit_of_cr(), random_.below(4)}));
            put(register_instruction());
        }
        put(assemble("bclr", {bo_always, 0, random_.below(4)}));
        in_function_ = false;
    }

    void block(int size, unsigned depth) {
        for (int n = 0; n < size; ++n) {
            statement(depth);
            pass();
        }
    }

    /// Branches forward that end here.
    void pass() {
        for (auto& [label, left] : pending_) {
            if (--left == 0) {
                bind(label);
            }
        }
        std::erase_if(pending_, [](const auto& each) { return each.second <= 0; });
    }
    void finish_pending() {
        for (const auto& [label, left] : pending_) {
            bind(label);
        }
        pending_.clear();
        for (const unsigned label : to_change_) {
            bind(label);
            put(register_instruction());
        }
        to_change_.clear();
    }

    void plain() {
        if (!to_change_.empty() && random_.percent(60)) {
            bind(to_change_.back());
            changeable_.push_back(to_change_.back());
            to_change_.pop_back();
        } else if (changes_code_ != 0 && random_.percent(15)) {
            changeable_.push_back(new_label());
            bind(changeable_.back());
        }
        put(register_instruction());
    }

    void statement(unsigned depth) {
        if (random_.below(100) < changes_code_) {
            change_code();
            return;
        }
        if (random_.below(100) < accesses_) {
            access();
            return;
        }
        if (random_.percent(10)) {
            backward_labels_.push_back(new_label());
            bind(backward_labels_.back());
        }
        switch (random_.below(40)) {
        case 0:
        case 1:
        case 2:
        case 3:
            skip();
            return;
        case 4:
        case 5:
            if (depth < 3) {
                loop(depth);
            }
            return;
        case 6:
        case 7:
            call();
            return;
        case 8:
            computed_jump();
            return;
        case 9:
            put(fill(*random_.among(all().traps)));
            return;
        case 10:
            put("addi", {target(), 0, static_cast<std::int16_t>(random_.among(interesting))});
            return;
        case 11:
            seldom(depth);
            return;
        case 12:
            if (!in_function_ && depth < 2) {
                jump_back();
            }
            return;
        case 13:
            put(fill(*find("isel")));
            return;
        case 14:
        case 15:
            compare_and_skip();
            return;
        default:
            plain();
        }
    }

    /// A branch forward, past some statements, and out of loops and into them.
    void skip() {
        const unsigned label = new_label();
        pending_.emplace_back(label, random_.between(1, 5));
        if (random_.percent(15)) {
            put_branch(label, !in_function_ && random_.percent(20));
        } else {
            put_conditional(choose_bo(), bit_of_cr(), label, !in_function_ && random_.percent(10));
        }
    }

    /// As compilers do.
    void compare_and_skip() {
        const unsigned field = field_of_cr();
        constexpr std::array<std::string_view, 4> compares{"cmp", "cmpl", "cmpi", "cmpli"};
        put(with(fill(*find(random_.among(compares))), fields::bf, field));
        if (random_.percent(30)) {
            plain();
        }
        const unsigned label = new_label();
        pending_.emplace_back(label, random_.between(1, 4));
        put_conditional(random_.percent(80) ? 4 + 8 * random_.below(2) : choose_bo(),
                        4 * field + random_.below(4), label, false);
    }

    void loop(unsigned depth) {
        if (random_.percent(80)) {
            for (const auto& [label, left] : pending_) {
                bind(label);
            }
            pending_.clear();
        }
        const unsigned start = new_label();
        const int turns = random_.percent(80) ? random_.between(1, 12) : random_.between(13, 60);
        if (!counting_ && !in_function_ && random_.percent(60)) {
            const unsigned r = scratch();
            put("addi", {r, 0, turns});
            put("mtspr", {ctr, r});
            bind(start);
            backward_labels_.push_back(start);
            counting_ = true;
            if (spreads_) {
                spread();
            }
            block(random_.between(1, 8), depth + 1);
            counting_ = false;
            constexpr std::array<unsigned, 6> bos{16, 16, 16, 25, 0, 8};
            put_conditional(random_.among(bos), bit_of_cr(), start, !in_function_ && random_.percent(5));
            return;
        }
        const unsigned counter = counters_[depth];
        put("addi", {counter, 0, turns});
        bind(start);
        backward_labels_.push_back(start);
        block(random_.between(1, 8), depth + 1);
        const unsigned field = random_.percent(50) ? 0 : field_of_cr();
        if (field == 0 && random_.percent(60)) {
            put("addic.", {counter, counter, -1});
        } else {
            put("addi", {counter, counter, -1});
            put("cmpi", {field, random_.below(2), counter, 0});
        }
        put_conditional(12, 4 * field + 1, start, false);  // bgt
    }

    /// Of a loop's body: it walks from small page to small page.
    void spread() {
        spreads_ = false;
        const unsigned r = roles_[reserved_ + random_.below(4)];
        put("std", {r, 8, r});
        put("addi", {r, r, 0x1000});
        put("ld", {target(), 16, r});
        walker_ = r;
        // Many more turns than the loop has been given.
        std::vector<item>& items = sections_[section_].items;
        for (std::size_t n = items.size(); n-- > 0;) {
            if (fields::spr.of(items[n].word) == ctr &&
                (items[n].word & find("mtspr")->code.mask) == find("mtspr")->code.match) {
                items[n - 1].word = with(items[n - 1].word, info_of(operand::si).where, 600);
                return;
            }
        }
    }

    void call() {
        if (functions_.empty() || in_function_) {
            put_conditional(20, 31, next_label(), true);  // what reads its own address
            return;
        }
        const unsigned to = random_.among(functions_);
        switch (random_.below(4)) {
        case 0:
            put_conditional(choose_bo(), bit_of_cr(), to, true);
            return;
        case 1:
            indirect(to, true);
            return;
        default:
            put_branch(to, true);
        }
    }

    /// Of what stands behind the next word.
    unsigned next_label() {
        const unsigned label = new_label();
        labels_[label] = {.section = section_, .index = sections_[section_].items.size() + 1, .bound = true};
        return label;
    }

    /// By CTR, LR or TAR.
    void indirect(unsigned label, bool links) {
        const unsigned r = scratch();
        put_address(r, label);
        if (random_.percent(20)) {
            put("addi", {r, r, random_.below(4)});  // bits that do not count
        }
        const unsigned way = random_.below(10);
        const bool always = random_.percent(60);
        const unsigned bo = always ? bo_always : choose_bo();
        const std::uint32_t link_bit = links ? record : 0;
        if (way < 5 && !counting_) {
            put("mtspr", {ctr, r});
            put(assemble("bcctr", {random_.percent(95) ? bo | 4 : bo, bit_of_cr(), random_.below(4)}) |
                link_bit);
        } else if (way < 8 && !in_function_) {
            put("mtspr", {lr, r});
            put(assemble("bclr", {bo, bit_of_cr(), random_.below(4)}) | link_bit);
        } else {
            put("mtspr", {tar, r});
            put(assemble("bctar", {bo, bit_of_cr(), random_.below(4)}) | link_bit);
        }
    }

    void computed_jump() {
        const unsigned label = new_label();
        pending_.emplace_back(label, random_.between(1, 4));
        indirect(label, !in_function_ && random_.percent(20));
    }

    /// To wherever the program has been, so often at most.
    void jump_back() {
        if (backward_labels_.empty()) {
            return;
        }
        put("addic.", {back_counter_, back_counter_, -1});
        put_conditional(12, 1, random_.among(backward_labels_), random_.percent(10));
    }

    void seldom(unsigned depth) {
        switch (random_.below(12)) {
        case 0:
            put("sc", {0});
            return;
        case 1:
            put("sc", {1});
            return;
        case 2:
        case 3:
            put(fill(*random_.among(all().caches)));
            return;
        case 4:
            if (seldom_) {
                put(fill(*random_.among(all().seldom)));
            }
            return;
        case 5:
            if (vectors_ != 0 && random_.percent(50)) {
                without_facility();
            } else {
                put("mfmsr", {target()});
            }
            return;
        case 6:
            put("mtmsrd", {source(), 1});
            return;
        case 7:
            return_to();
            return;
        case 8:
            if (modes_) {
                in_narrow_mode(depth);
            }
            return;
        case 9:
            if (overflows_) {
                const unsigned r = target();
                put("addi", {r, 0, 0});
                put("mtspr", {xer_number, r});
            }
            return;
        case 10:
            if (random_.percent(20)) {
                put(static_cast<std::uint32_t>(random_.percent(50) ? 0 : random_.next() & 0xffff));
            }
            return;
        default:
            put(register_instruction());
        }
    }

    /// By rfid.
    void return_to() {
        const unsigned label = new_label();
        pending_.emplace_back(label, random_.between(1, 3));
        const unsigned r = scratch();
        put_address(r, label);
        put("mtspr", {spr_number::srr0, r});
        put("mfmsr", {r});
        put("mtspr", {spr_number::srr1, r});
        put("rfid");
    }

    /// Takes FP, VEC or VSX away, or gives it back.
    void without_facility() {
        const unsigned r = scratch();
        put("mfmsr", {r});
        switch (random_.below(3)) {
        case 0:
            put("xori", {r, r, static_cast<std::int64_t>(msr_fp)});
            break;
        case 1:
            put("xoris", {r, r, static_cast<std::int64_t>(msr_vec >> 16)});
            break;
        default:
            put("xoris", {r, r, static_cast<std::int64_t>(msr_vsx >> 16)});
            break;
        }
        put("mtmsrd", {r, 0});
    }

    void in_narrow_mode(unsigned depth) {
        const unsigned r = scratch();
        put("mfmsr", {r});
        put("rldicl", {r, r, 0, 1});
        put("mtmsrd", {r, 0});
        if (depth < 3) {
            block(random_.between(1, 6), depth + 1);
        }
        const unsigned one = roles_[reserved_ + 1];
        const unsigned other = roles_[reserved_ + 2];
        put("mfmsr", {other});
        put("addi", {one, 0, 1});
        put("rldimi", {other, one, 63, 0});
        put("mtmsrd", {other, 0});
    }

    // --- accesses

    std::int64_t displacement() {
        switch (random_.below(10)) {
        case 0:
        case 1:  // across the end of a small page
            return 4096 * random_.between(-3, 3) - random_.between(0, 17);
        case 2:
            return static_cast<std::int16_t>(random_.next());
        case 3:
            return random_.between(-200, 200);
        default:
            return 8 * random_.between(-32, 32);
        }
    }

    /// A register, not r0, with an address of data.
    unsigned pointer(bool overwritten) {
        const unsigned way = random_.below(100);
        if (way < 60 && !overwritten) {
            return base();
        }
        const unsigned r = scratch();
        if (way < 75) {
            put("addis", {r, base(), static_cast<std::int64_t>(stride >> 16) * random_.between(0, 3)});
        } else if (way < 94) {
            put("addi", {r, base(), 8 * random_.between(-64, 64)});
        } else if (way < 97) {
            put("addis", {r, 0, 0x4000});  // the device of a flat_machine
        } else {
            return source() | 1;  // wherever that is
        }
        return r;
    }

    void access() {
        const bool favours = favourite_ != nullptr && is_access(*favourite_) && random_.percent(60);
        const instruction& row = favours ? *favourite_
                                         : *random_.among(random_.percent(80) ? all().fixed_access
                                                                              : all().other_access);
        std::uint32_t word = fill(row);
        const bool updates = row.flags.has(update);
        unsigned a = pointer(updates);
        if (updates && random_.percent(8)) {
            a = random_.percent(50) ? static_cast<unsigned>(fields::t.of(word)) : 0;  // invalid forms
        } else if (!updates && random_.percent(5)) {
            a = 0;
        }
        if (has_displacement(row)) {
            for (const operand each : {operand::disp, operand::disp_ds, operand::disp_dq}) {
                if (has(row, each)) {
                    word = with(word, info_of(each).where, displacement());
                }
            }
        } else if (is_indexed(row)) {
            unsigned b = scratch();
            if (a == 0 && random_.percent(80)) {
                b = base();
            } else if (b == a) {
                b = source();
            } else if (random_.percent(50)) {
                const int first = random_.between(18, 28);
                put("rlwinm", {b, source(), 0, first, random_.between(first, 31)});
            } else {
                put("addi", {b, 0, displacement()});
            }
            if (!updates && a != 0 && random_.percent(20)) {
                std::swap(a, b);
            }
            word = with(word, fields::b, b);
            if (random_.percent(12)) {
                word = with(word, fields::t, random_.percent(70) ? b : a);
            }
        }
        if (has(row, operand::ra0) || has(row, operand::ra_loaded) || has(row, operand::ra_stored) ||
            has(row, operand::ra_below_rt) || has(row, operand::ra_not_rt)) {
            word = with(word, fields::a, a);
        }
        if (!harms(row, word)) {
            put(word);
        }
    }

    // --- programs that change themselves

    std::uint32_t another_word() {
        switch (random_.below(12)) {
        case 0:
            return static_cast<std::uint32_t>(random_.percent(50) ? 0 : assemble("addi", {target(), 0, 1}));
        case 1:
            return assemble("ori", {0, 0, 0});
        default:
            return register_instruction();
        }
    }

    /// A store into code: of the next instruction, of one further on, or of one that has been executed.
    void change_code() {
        unsigned label = 0;
        bool next = false;
        if (!changeable_.empty() && random_.percent(45)) {
            label = random_.among(changeable_);
        } else {
            label = new_label();
            next = random_.percent(50);
            if (!next) {
                to_change_.push_back(label);
            }
        }
        std::uint32_t word = another_word();
        const unsigned address = roles_[reserved_ + 3];
        const unsigned value = roles_[reserved_ + 4];
        const auto set_up = [&] {
            put_word(value, word);
            put_address(address, label);
        };
        switch (random_.below(12)) {
        case 0:
            set_up();
            put("addi", {address, address, -4});
            put("stwu", {value, 4, address});
            break;
        case 1:
            set_up();
            put("stwx", {value, 0, address});
            break;
        case 2:
            set_up();
            put("addi", {address, address, -100});
            put("addi", {roles_[reserved_ + 5], 0, 100});
            put("stwux", {value, address, roles_[reserved_ + 5]});
            break;
        case 3:
            word = program_.little_endian ? __builtin_bswap32(word) : word;
            set_up();
            put("stwbrx", {value, 0, address});
            break;
        case 4:  // a half of it
            set_up();
            put("sth", {value, 0, address});
            break;
        case 5:
            set_up();
            put("stb", {value, random_.between(0, 3), address});
            break;
        case 6:
            set_up();
            put("mtvsrd", {3, value});
            put("stfiwx", {3, 0, address});
            if (random_.percent(60)) {  // so that the one behind it has no host code, either
                put("mfocrf", {scratch(), 0x80});
            }
            break;
        case 7:
            set_up();
            put("mtvsrwz", {35, value});
            put("stxsiwx", {35, 0, address});
            break;
        case 8:  // now this, now that
            word ^= another_word();
            put_address(address, label);
            put("lwz", {value, 0, address});
            put("xoris", {value, value, word >> 16});
            put("xori", {value, value, word & 0xffff});
            put("stw", {value, 0, address});
            break;
        case 9:  // two of them
            set_up();
            put("rldimi", {value, value, 32, 0});
            put("std", {value, random_.percent(50) ? 0 : -4, address});
            break;
        default:
            set_up();
            put("stw", {value, 0, address});
            break;
        }
        if (random_.percent(15)) {
            put("dcbst", {0, address});
            put("sync");
            put("icbi", {0, address});
            put("isync");
        }
        if (next) {
            bind(label);
            changeable_.push_back(label);
            put(register_instruction());
        }
    }

    // --- the whole

    std::uint64_t address_of(unsigned label) const {
        const place& where = labels_[label];
        return sections_[where.section].base + 4 * where.index;
    }

    void resolve() {
        for (const section& each : sections_) {
            random_program::piece made{.real = each.base, .words = {}};
            for (std::size_t n = 0; n < each.items.size(); ++n) {
                made.words.push_back(resolved(each.items[n], each.base + 4 * n));
            }
            if (!made.words.empty()) {
                program_.code.push_back(std::move(made));
            }
        }
    }

    std::uint32_t resolved(const item& of, std::uint64_t at) const {
        const std::uint64_t to = of.fix == fixup::none ? 0 : address_of(of.label);
        const auto distance = static_cast<std::int64_t>((of.word & absolute.mask()) != 0 ? to : to - at);
        switch (of.fix) {
        case fixup::none:
            return of.word;
        case fixup::branch_i:
            return of.word | info_of(operand::target_i).where.put(static_cast<std::int32_t>(distance));
        case fixup::branch_b:
            return of.word | info_of(operand::target_b).where.put(static_cast<std::int32_t>(distance));
        case fixup::high:
            return of.word | static_cast<std::uint32_t>(to >> 16);
        case fixup::low:
            return of.word | static_cast<std::uint32_t>(to & 0xffff);
        }
        return of.word;
    }

    void make_vectors() {
        constexpr int sprg0 = spr_number::sprg0;
        constexpr int hsrr0 = 314;
        const auto add = [this](vector which, const testing::program& code) {
            program_.vectors.push_back({.real = static_cast<std::uint64_t>(which), .words = code.words()});
        };
        const auto behind = [](int where, std::string_view goes_back) {
            testing::program code;
            code("mtspr", {sprg0, 31})("mfspr", {31, where})("addi", {31, 31, 4})("mtspr", {where, 31});
            return code("mfspr", {31, sprg0})(goes_back);
        };
        using enum vector;
        for (const vector which :
             {machine_check, data_storage, data_segment, instruction_storage, instruction_segment, alignment,
              program, fp_unavailable, vector_unavailable, vsx_unavailable, facility_unavailable}) {
            add(which, behind(spr_number::srr0, "rfid"));
        }
        add(hypervisor_emulation_assistance, behind(hsrr0, "hrfid"));
        for (const vector which : {system_call, trace, directed_doorbell}) {
            add(which, testing::program()("rfid"));
        }
        testing::program one_only;  // with MSR[EE]=0 from now on: the line stays as it is
        one_only("mtspr", {sprg0, 31})("mfspr", {31, spr_number::srr1});
        one_only("rldicl", {31, 31, 48, 1})("rldicl", {31, 31, 16, 0});
        one_only("mtspr", {spr_number::srr1, 31})("mfspr", {31, sprg0})("rfid");
        add(external, one_only);
        testing::program again;
        again("mtspr", {sprg0, 31})("addi", {31, 0, static_cast<std::int64_t>(random_.below(3000)) + 20});
        again("mtspr", {spr_number::dec, 31})("mfspr", {31, sprg0})("rfid");
        add(decrementer, again);
    }

    std::uint64_t any_value() {
        switch (random_.below(4)) {
        case 0:
            return random_.among(interesting);
        case 1:
            return random_.below(64);
        case 2:
            return static_cast<std::uint64_t>(
                static_cast<std::int64_t>(static_cast<std::int32_t>(random_.next())));
        default:
            return random_.next();
        }
    }

    void make_state() {
        registers& s = program_.initial;
        for (std::uint64_t& each : s.gpr) {
            each = any_value();
        }
        for (const unsigned each : bases_) {
            s.gpr[each] = random_program::data + 0x1'0000 + small_page * random_.below(4) +
                          (random_.percent(50) ? 8 * random_.below(512) : 0);
        }
        s.gpr[back_counter_] = random_.below(20);
        if (walker_) {
            s.gpr[*walker_] = random_program::data + 8;
        }
        s.cr = static_cast<std::uint32_t>(random_.next());
        s.nip = program_.code.front().real;
        s.msr = msr_sf | msr_hv | msr_ri | msr_me | (program_.little_endian ? msr_le : 0);
        for (const std::uint64_t bit : {msr_fp, msr_vec, msr_vsx}) {
            s.msr |= random_.percent(vectors_ != 0 ? 97 : 50) ? bit : 0;
        }
        s.msr |= random_.percent(30) ? msr_ee : 0;
        s.msr |= random_.percent(5) ? msr_fe0 | msr_fe1 : 0;
        if (random_.percent(2)) {
            s.msr &= ~msr_sf;
        }
        s[spr::lpcr] = lpcr::hr | lpcr::ld | lpcr::gtse | lpcr::ile;
        s[spr::lr] = any_value();
        s[spr::ctr] = random_.percent(50) ? random_.below(40) : any_value();
        s[spr::tar] = program_.code.front().real;
        s[spr::cfar] = random_.next() & ~std::uint64_t{3};
        s[spr::xer] = random_.next() & 0x600c'007f;
        if (overflows_ && random_.percent(20)) {
            s[spr::xer] |= 0x8000'0000;
        }
        if (seldom_ && random_.percent(30)) {
            s[spr::ciabr] = (program_.code.front().real + 4 * random_.below(40)) | 3;
        }
        if (seldom_ && random_.percent(30)) {
            s[spr::dawr] = random_program::data + 0x1'0000 + 8 * random_.below(512);
            s[spr::dawrx] = 0x6c;  // loads and stores of a hypervisor
        }
        constexpr std::uint64_t inexact = std::uint64_t{1} << 25;  // FPSCR[XX], as most programs have it
        s.fpscr = random_.percent(50) ? inexact : random_.next() & (random_.percent(20) ? 0xfb : 3);
        for (vector_register& each : s.vsr) {
            each = {.low = any_doubleword(), .high = any_doubleword()};
        }
        program_.decrementer = random_.percent(30) ? random_.below(2000)
                                                   : std::numeric_limits<std::int64_t>::max() >> 10;
    }

    /// Of a vector-scalar register: any, a number near 1 as binary64, or two of them as binary32.
    std::uint64_t any_doubleword() {
        constexpr std::uint64_t sign_and_fraction = 0x800f'ffff'ffff'ffff;
        constexpr std::uint64_t signs_and_fractions = 0x807f'ffff'807f'ffff;
        switch (random_.below(3)) {
        case 0:
            return any_value();
        case 1:
            return (random_.next() & sign_and_fraction) | (std::uint64_t{0x3f8} + random_.below(16)) << 52;
        default:
            return (random_.next() & signs_and_fractions) | (std::uint64_t{0x7c} + random_.below(8)) << 55 |
                   (0x7c + random_.below(8)) << 23;
        }
    }

    dice random_;
    random_program& program_;
    const instruction* favourite_ = nullptr;

    int statements_ = 0;
    bool overflows_ = false;     // XER[SO] is set now and then
    unsigned changes_code_ = 0;  // percentages of statements
    unsigned vectors_ = 0;
    unsigned accesses_ = 0;
    bool modes_ = false;                // 32-bit mode now and then
    bool seldom_ = false;               // what programs do not do
    bool spreads_ = false;              // a loop over many small pages
    std::array<unsigned, 31> roles_{};  // registers: first those with a task
    std::size_t reserved_ = 0;          // so many of them
    std::array<unsigned, 2> bases_{};
    std::array<unsigned, 4> counters_{};
    unsigned back_counter_ = 0;
    std::vector<unsigned> pool_;  // those that are named most
    std::optional<unsigned> walker_;

    std::vector<section> sections_;
    unsigned section_ = 0;
    std::vector<place> labels_;
    std::vector<unsigned> functions_;
    std::vector<std::pair<unsigned, int>> pending_;  // labels, and statements before they are bound
    std::vector<unsigned> backward_labels_;
    std::vector<unsigned> to_change_;   // labels of instructions yet to come
    std::vector<unsigned> changeable_;  // and of others
    bool counting_ = false;             // in a loop that CTR counts
    bool in_function_ = false;
};

}  // namespace

random_program::random_program(std::uint64_t number, const power::isa::instruction* favourite)
    : seed(number) {
    composer(*this, number, favourite).compose();
}

}  // namespace pefsim::testing
