// SPDX-License-Identifier: Apache-2.0
#include "power/translator/region.h"

#include <algorithm>
#include <cstring>

#include "power/instructions/fixed_result.h"
#include "power/instructions/near_branch.h"
#include "power/isa/instruction.h"
#include "power/translator/lowering.h"

namespace pefsim::power::host_code {
namespace {

using isa::operand;

constexpr std::uint8_t all_fields = 0xff;

bool is(const guest_op& o, std::string_view mnemonic) {
    return o.row != nullptr && o.row->mnemonic == mnemonic;
}

/// Translated code takes XER[SO] for 0: who may change it is left to the interpreter.
bool may_set_summary_overflow(const guest_op& o) {
    constexpr int xer_number = 1;
    const bool to_xer = is(o, "mtspr") && isa::fields::spr.of(o.word) == xer_number;
    const bool overflows = o.row != nullptr && o.row->flags.has(isa::oe) &&
                           isa::overflow_enable.of(o.word) != 0;
    return to_xer || overflows;
}

flow flow_of(const guest_op& o, unsigned index) {
    if (o.row == nullptr || may_set_summary_overflow(o)) {
        return flow::stops;
    }
    if (is(o, "b") || is(o, "bc")) {
        const auto displacement =
            isa::info_of(is(o, "b") ? operand::target_i : operand::target_b).value(o.word);
        const bool relative = isa::absolute.of(o.word) == 0;
        if (relative && isa::stays_in_page(index, displacement)) {
            return flow::near;
        }
        return relative ? flow::far : flow::stops;
    }
    // bcctr that counts is an invalid form.
    if (is(o, "bclr") || (is(o, "bcctr") && !condition_of(o).counts())) {
        return flow::far;
    }
    // A handler that goes on elsewhere would do so within translated code's call of it.
    return o.row->kind == isa::instruction_class::jump ? flow::stops : flow::straight;
}

bool has_dot_form(const isa::instruction& row) { return row.flags.has(isa::rc); }

std::uint8_t fields_set(const guest_op& o) {
    if (o.row->operands.front() == operand::bf) {
        return static_cast<std::uint8_t>(1U << isa::fields::bf.of(o.word));
    }
    const bool dot = (has_dot_form(*o.row) && (o.word & 1) != 0) || o.row->mnemonic.back() == '.';
    return dot ? 1 : 0;
}

guest_op make_op(const std::byte* code, unsigned index, const decoder& instruction_set) {
    guest_op made;
    std::memcpy(&made.word, code + std::size_t{4} * index, sizeof made.word);
    made.row = instruction_set.describe(made.word);
    made.decoded = instruction_set.decode(made.word, index);
    made.goes = flow_of(made, index);
    if (made.row == nullptr) {
        return made;
    }
    made.use = use_of(*made.row, made.word);
    made.lowered = made.goes == flow::straight ? lowering_of(*made.row, made.word) : nullptr;
    if (made.lowered != nullptr) {
        made.cr_sets = fields_set(made);
    }
    if (made.goes == flow::near) {
        const auto displacement =
            isa::info_of(is(made, "b") ? operand::target_i : operand::target_b).value(made.word);
        made.target = static_cast<std::uint16_t>(static_cast<int>(index) + displacement / 4);
    }
    return made;
}

/// Behind it control comes back from elsewhere: from a call, or from an interrupt that it causes.
bool returns_behind(const guest_op& o) {
    using enum isa::instruction_class;
    if (o.goes == flow::near || o.goes == flow::far) {
        return links(o);
    }
    const isa::instruction_class kind = o.row != nullptr ? o.row->kind : trap;
    return o.goes == flow::stops || kind == call ||
           (kind == status && o.row->needs == isa::facility::privileged) || kind == sync;
}

bool never_falls_through(const guest_op& o) {
    return (o.goes == flow::near || o.goes == flow::far) && !links(o) && condition_of(o).always();
}

/// What stops a region even though the interpreter may go on behind it: behind it stands what is no code.
bool ends_code(const guest_op& o) {
    return o.row == nullptr || is(o, "rfid") || is(o, "hrfid") || is(o, "rfscv") || is(o, "urfid");
}

}  // namespace

branch_condition condition_of(const guest_op& branch) {
    constexpr unsigned always = 20;
    if (is(branch, "b")) {
        return {.bo = always};
    }
    return {.bo = static_cast<unsigned>(isa::info_of(operand::bo).value(branch.word)),
            .bi = static_cast<unsigned>(isa::info_of(operand::bi).value(branch.word))};
}

bool links(const guest_op& branch) { return isa::link.of(branch.word) != 0; }

region::region(const std::byte* code, unsigned leader, const decoder& instruction_set) : loops(1) {
    explore(code, leader, instruction_set);
    find_loops();
    find_live_fields();
}

void region::explore(const std::byte* code, unsigned leader, const decoder& instruction_set) {
    std::vector<unsigned> waiting{leader};
    ops[leader].leader = true;
    first = last = leader;
    const auto arrives_at = [&](unsigned n) {
        if (n < words_per_page) {
            ops[n].leader = true;
            waiting.push_back(n);
        }
    };
    while (!waiting.empty()) {
        unsigned n = waiting.back();
        waiting.pop_back();
        for (; n < words_per_page && !ops[n].reached; ++n) {
            const bool was_leader = ops[n].leader;
            ops[n] = make_op(code, n, instruction_set);
            guest_op& here = ops[n];
            here.leader = was_leader;
            here.reached = true;
            ++size;
            first = std::min(first, n);
            last = std::max(last, n);
            if (here.goes == flow::near) {
                arrives_at(here.target);
            }
            if (never_falls_through(here) || ends_code(here)) {
                break;
            }
            if (returns_behind(here)) {
                arrives_at(n + 1);
                break;
            }
        }
    }
}

/// Those that a branch backwards closes; two with one beginning are one.
void region::find_loops() {
    for (unsigned n = first; n <= last; ++n) {
        const guest_op& branch = ops[n];
        if (!branch.reached || branch.goes != flow::near || links(branch) || branch.target > n) {
            continue;
        }
        const auto known = std::find_if(loops.begin() + 1, loops.end(),
                                        [&](const loop& each) { return each.first == branch.target; });
        if (known == loops.end()) {
            loops.push_back({.first = branch.target, .last = n});
        } else {
            known->last = n;
        }
    }
    std::stable_sort(loops.begin() + 1, loops.end(),
                     [](const loop& a, const loop& b) { return a.last - a.first > b.last - b.first; });
    for (unsigned each = 1; each < loops.size(); ++each) {
        for (unsigned outer = 1; outer < each; ++outer) {
            if (loops[outer].first <= loops[each].first && loops[outer].last >= loops[each].last) {
                loops[each].around = outer;
            }
        }
        for (unsigned n = loops[each].first; n <= loops[each].last; ++n) {
            ops[n].loop = static_cast<std::uint16_t>(each);
        }
    }
    for (unsigned n = first; n <= last; ++n) {
        if (ops[n].reached && n > first && ops[n - 1].reached && ops[n - 1].loop != ops[n].loop) {
            ops[n].leader = true;  // registers stand elsewhere there
        }
        if (ops[n].reached) {
            loops[ops[n].loop].written = loops[ops[n].loop].written | ops[n].use.writes;
        }
    }
}

/// Backwards, until nothing changes. Whatever may leave the region shows all fields.
void region::find_live_fields() {
    bool changed = true;
    while (changed) {
        changed = false;
        for (unsigned n = last + 1; n-- > first;) {
            guest_op& here = ops[n];
            if (!here.reached) {
                continue;
            }
            const std::uint8_t behind = continues(n) ? ops[n + 1].cr_live : all_fields;
            std::uint8_t live = all_fields;
            if (here.goes == flow::straight && here.lowered != nullptr && !here.lowered->leaves) {
                live = static_cast<std::uint8_t>((behind & ~here.cr_sets) |
                                                 here.lowered->cr_reads(here.word));
            }
            changed = changed || live != here.cr_live;
            here.cr_live = live;
        }
    }
}

}  // namespace pefsim::power::host_code
