// SPDX-License-Identifier: Apache-2.0
#include "power/debug/trace_render.h"

#include <fmt/format.h>
#include <fmt/ostream.h>

#include <bit>

#include "power/debug/disassembler.h"
#include "power/debug/effect.h"

namespace pefsim::power::debug {
namespace {

std::string number_of(const trace_step& step) {
    return step.number ? fmt::format("{:>12}", *step.number) : fmt::format("{:>12}", "?");
}

/// "r3=0x2a  [0x7fffe0]"
std::string outcome_of(const trace_step& step) {
    std::string out;
    if (const std::string name = result_name(step.effect.result); step.complete && !name.empty()) {
        const std::uint64_t value = name == "cr"
                                        ? std::uint32_t{std::bit_cast<condition_register>(step.value)}
                                        : step.value;
        out = fmt::format("{}={:#x}", name, value);
    }
    if (step.ea) {
        out += fmt::format("{}[{:#x}]", out.empty() ? "" : "  ", *step.ea);
    }
    if (!step.complete) {
        out += out.empty() ? "not completed" : "  not completed";
    }
    return out;
}

bool within(const trace_step& step, const render_window& what) {
    return what.window.where.contains(step.nip) &&
           step.number.value_or(what.window.from) >= what.window.from &&
           step.number.value_or(what.window.from) < what.window.to &&
           step.picoseconds >= what.from_picoseconds && step.picoseconds < what.to_picoseconds;
}

}  // namespace

std::string line_of(const trace_step& step) {
    if (step.what == trace_step::kind::interrupt) {
        return fmt::format("{}  interrupt {:#05x}  srr0={:#x}{}", number_of(step), step.vector, step.nip,
                           step.dar ? fmt::format("  dar={:#x}", *step.dar) : "");
    }
    const std::string text = disassemble(step.effect.word, step.nip, unwritable::as_instructions);
    const std::string outcome = outcome_of(step);
    const std::string line = fmt::format("{}  {:016x}  {:08x}  ", number_of(step), step.nip,
                                         step.effect.word);
    if (text == "nop") {
        return line + text;  // ori r0,r0,0 changes nothing
    }
    return line + (outcome.empty() ? text : fmt::format("{:<32}  {}", text, outcome));
}

void render(std::ostream& out, trace_reader& trace, const symbol_lookup& symbols, const render_window& what) {
    std::string_view inside;
    std::size_t lines = 0;
    while (const std::optional<trace_step> step = trace.next()) {
        if (!within(*step, what)) {
            continue;
        }
        if (lines++ == what.most_lines) {
            return;
        }
        if (step->what == trace_step::kind::instruction) {
            const symbol_at where = symbols.at(step->nip);
            if (where.name != inside) {
                inside = where.name;
                fmt::print(out, "{}:\n", inside.empty() ? "?" : text_of(where));
            }
        }
        fmt::print(out, "{}\n", line_of(*step));
    }
}

}  // namespace pefsim::power::debug
