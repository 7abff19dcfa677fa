// SPDX-License-Identifier: Apache-2.0
#include "power/debug/trace_reader.h"

#include <fmt/format.h>

#include <stdexcept>
#include <utility>

#include "power/debug/effect.h"
#include "power/engine/tlb.h"
#include "power/instructions/instruction_table.h"

namespace pefsim::power::debug {
namespace {

constexpr std::size_t at_once = 262'144;  // records: more than from one `number` event to the next

}  // namespace

trace_reader::trace_reader(std::vector<trace_record> records) : records_(std::move(records)) {
    forget_registers();
    number_the_beginning();
}

trace_reader::trace_reader(const std::string& path) : file_(path, std::ios::binary) {
    trace_header header;
    if (!file_.read(std::bit_cast<char*>(&header), sizeof header) ||
        header.magic != trace_header::right_magic || header.record_size != sizeof(trace_record)) {
        throw std::invalid_argument(
            fmt::format("{}: {}", path, file_ ? "is no instruction trace" : "cannot be read"));
    }
    core_ = header.core;
    forget_registers();
    fill();
    number_the_beginning();
}

bool trace_reader::fill() {
    if (!file_.is_open()) {
        return false;
    }
    records_.resize(at_once);
    position_ = 0;
    file_.read(std::bit_cast<char*>(records_.data()),
               static_cast<std::streamsize>(records_.size() * sizeof(trace_record)));
    records_.resize(static_cast<std::size_t>(file_.gcount()) / sizeof(trace_record));
    return !records_.empty();
}

std::optional<trace_record> trace_reader::take() {
    if (position_ == records_.size() && !fill()) {
        return std::nullopt;
    }
    return records_[position_++];
}

/// A ring begins somewhere: its first instructions are numbered backwards from the first number.
void trace_reader::number_the_beginning() {
    std::uint64_t before = 0;
    for (const trace_record& each : records_) {
        if (!is_event(each)) {
            ++before;
        } else if (each.place == static_cast<std::uint32_t>(trace_event::interrupt)) {
            return;
        } else if (each.place == static_cast<std::uint32_t>(trace_event::number)) {
            number_ = each.value >= before ? std::optional(each.value - before) : std::nullopt;
            return;
        }
    }
}

void trace_reader::event(const trace_record& record) {
    switch (static_cast<trace_event>(record.place)) {
    case trace_event::page:
        pages_[record.word] = record.value;
        break;
    case trace_event::number:
        number_ = record.value;
        if (record.word == trace_gap) {
            forget_registers();
        }
        break;
    case trace_event::time:
        time_ = record.value;
        break;
    case trace_event::gpr:
        gpr_[record.word % general_registers::zero] = record.value;
        break;
    case trace_event::address:
        address_ = record.value;
        break;
    case trace_event::dar:
        if (pending_ && pending_->what == trace_step::kind::interrupt) {
            pending_->dar = record.value;
        }
        break;
    default:
        break;
    }
}

std::optional<std::uint64_t> trace_reader::address(const observed_op& effect) const {
    if (!accesses_storage(effect)) {
        return std::nullopt;
    }
    const auto part = [&](std::uint8_t n) {
        return n < general_registers::zero ? gpr_[n] : std::optional(std::uint64_t{0});
    };
    const std::optional<std::uint64_t> base = part(effect.base);
    const std::optional<std::uint64_t> index = part(effect.index);
    return base && index
               ? std::optional(*base + *index + static_cast<std::uint64_t>(std::int64_t{effect.displacement}))
               : std::nullopt;
}

trace_step trace_reader::instruction(const trace_record& record) {
    const auto [found, is_new] = effects_.try_emplace(record.word);
    if (is_new) {
        found->second.word = record.word;
        describe_effect(found->second);
    }
    trace_step step{.number = number_, .picoseconds = time_, .effect = found->second, .value = record.value};
    const auto page = pages_.find(record.place >> trace_page_shift);
    step.nip = (page == pages_.end() ? 0 : page->second) +
               std::uint64_t{record.place % (1U << trace_page_shift)} * 4;
    step.ea = address_ ? std::exchange(address_, std::nullopt) : address(step.effect);
    if (number_) {
        ++*number_;
    }
    return step;
}

/// What registers hold after an instruction.
void trace_reader::follow(const trace_step& done) {
    if (!done.complete || done.effect.row == observed_op::no_row) {
        return;
    }
    const isa::instruction& row = isa::instructions()[done.effect.row];
    const std::optional<std::size_t> target = gpr_of(done.effect.result);
    if (row.flags.has(isa::update) && done.effect.base < general_registers::zero) {
        gpr_[done.effect.base] = done.ea;
    }
    if (loads_many(done.effect)) {
        for (std::size_t n = target.value_or(0); n < general_registers::zero; ++n) {
            gpr_[n] = std::nullopt;
        }
        if (row.mnemonic.starts_with("lsw")) {
            forget_registers();  // register 0 comes after 31
        }
    }
    if (target) {
        gpr_[*target] = done.value;
    }
}

std::optional<trace_step> trace_reader::next() {
    while (const std::optional<trace_record> record = take()) {
        const bool interrupt = record->place == static_cast<std::uint32_t>(trace_event::interrupt);
        if (is_event(*record) && !interrupt) {
            event(*record);
            continue;
        }
        std::optional<trace_step> done = std::exchange(pending_, std::nullopt);
        if (done && interrupt && done->what == trace_step::kind::instruction && done->nip == record->value) {
            done->complete = false;
        }
        if (done && done->what == trace_step::kind::instruction) {
            follow(*done);
        }
        pending_ = interrupt ? trace_step{.what = trace_step::kind::interrupt,
                                          .nip = record->value,
                                          .number = number_,
                                          .picoseconds = time_,
                                          .effect = {},
                                          .vector = record->word & ~trace_completes}
                             : instruction(*record);
        if (done) {
            return done;
        }
    }
    return std::exchange(pending_, std::nullopt);
}

}  // namespace pefsim::power::debug
