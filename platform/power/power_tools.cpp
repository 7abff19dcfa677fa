// SPDX-License-Identifier: Apache-2.0
#include "platform/power/power_tools.h"

#include <fmt/format.h>

#include <string>

#include "platform/power/tool_options.h"

namespace pefsim::platform {

namespace debug = power::debug;
using cpu::power_cpu;

namespace {

std::uint64_t picoseconds(const sc_core::sc_time& time) {
    return static_cast<std::uint64_t>(time / sc_core::sc_time(1, sc_core::SC_PS));
}

}  // namespace

power_tools::power_tools(const config& parameters, std::span<const std::unique_ptr<power_cpu>> cores,
                         const memory::memory_bus& memory, const power::mmu::partition& partition)
    : parameters_(parameters) {
    if (parameters_.coverage) {
        coverage_ = std::make_unique<debug::coverage>();
    }
    if (parameters_.line_coverage) {
        executions_ = std::make_unique<debug::execution_counts>();
    }
    if (parameters_.profile_period != 0) {
        profile_ = std::make_unique<debug::profile>(parameters_.profile_period);
    }
    for (const std::unique_ptr<power_cpu>& core : cores) {
        seat& at = seats_.emplace_back();
        at.core = core.get();
        at.stacks = std::make_unique<stack_words>(core->state(), memory, partition);
        if (!parameters_.instruction_trace.empty()) {
            at.trace = std::make_unique<debug::trace_recorder>(
                tool_options::trace_of(parameters_.instruction_trace, core->number(), cores.size()).string(),
                core->number());
        }
        debugger_.add(core->engine(), core->addresses(), core->storage());
        debug::monitor& tools = debugger_.tools(core->number());
        tools.stop_before(parameters_.stop_before);
        tools.count(coverage_.get());
        tools.count(executions_.get());
        tools.sample(profile_.get(), at.stacks.get());
        core->control(*this);
    }
}

power_tools::~power_tools() = default;

void power_tools::attach(std::unique_ptr<debug::byte_channel> channel, debug::gdb::byte_order order) {
    channel_ = std::move(channel);
    gdb_ = std::make_unique<debug::gdb_server>(debugger_, *channel_, order);
}

/// Comes back when something may run.
void power_tools::serve_gdb() {
    if (!gdb_->serve()) {
        gdb_.reset();
        channel_.reset();
    }
}

power_tools::permission power_tools::may_run(power_cpu& core) {
    if (gdb_) {
        serve_gdb();
    }
    if (stopped_ || debugger_.killed()) {
        return permission::halt;
    }
    if (gdb_ && !debugger_.may_run(core.number())) {
        return permission::stay;
    }
    debug::monitor& tools = debugger_.tools(core.number());
    if (seat& at = seats_[core.number()]; at.trace) {
        tools.now(picoseconds(core.now()));
        follow_trace_window(at, tools);
    }
    return permission::run;
}

void power_tools::follow_trace_window(seat& at, debug::monitor& tools) {
    const sc_core::sc_time now = at.core->now();
    const bool within = traces_switched_.value_or(now >= parameters_.trace_from &&
                                                  (!parameters_.trace_to || now < *parameters_.trace_to));
    if (within != at.recording) {
        at.recording = within;
        tools.record(within ? at.trace.get() : nullptr, parameters_.trace_window);
    }
}

bool power_tools::switch_traces(bool on) {
    traces_switched_ = on;
    return !parameters_.instruction_trace.empty();
}

void power_tools::ran(power_cpu& core, power::exit_reason why) {
    if (gdb_) {
        debugger_.ran(core.number(), why);
        return;
    }
    const std::optional<debug::stop_cause>& cause = debugger_.tools(core.number()).stopped();
    if (cause && cause->why == debug::stop_cause::reason::interrupt && !stopped_) {
        const bool trap = debug::interrupt_kinds{.trap = true}.contains(core.engine().interrupt());
        stopped_ = stop{.core = core.number(), .nip = cause->ea, .interrupt = trap ? "trap" : "illegal"};
    }
}

void power_tools::leaves(power_cpu& core, std::string_view kind, std::string_view name, std::uint64_t nip) {
    if (profile_) {
        debugger_.tools(core.number())
            .happened(name.empty() ? std::string(kind) : fmt::format("{} {}", kind, name), nip);
    }
}

void power_tools::finish(int status) {
    while (gdb_) {
        debugger_.ended(status);
        serve_gdb();
    }
}

void power_tools::commit_traces() {
    for (const seat& at : seats_) {
        if (at.trace) {
            at.trace->commit();
        }
    }
}

}  // namespace pefsim::platform
