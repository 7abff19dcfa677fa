// SPDX-License-Identifier: Apache-2.0
#include "linux_user/program_tools.h"

#include <boost/endian/conversion.hpp>
#include <fmt/format.h>

#include <utility>

namespace pefsim::linux_user {

namespace debug = power::debug;

std::optional<std::uint64_t> program_tools::stack_words::doubleword(std::uint64_t ea, std::uint64_t msr) {
    std::uint64_t value = 0;
    if (!memory_.get(ea, value)) {
        return std::nullopt;
    }
    return (msr & power::msr_le) != 0 ? value : boost::endian::endian_reverse(value);
}

program_tools::program_tools(config parameters, power::core& core, address_space& memory)
    : parameters_(std::move(parameters)),
      stacks_(memory) {
    if (parameters_.profile_period != 0) {
        profile_ = std::make_unique<debug::profile>(parameters_.profile_period);
    }
    debugger_.add(core, memory, memory);
    debugger_.tools(0).sample(profile_.get(), &stacks_);
    if (parameters_.debugger) {
        gdb_ = std::make_unique<debug::gdb_server>(debugger_, *parameters_.debugger,
                                                   debug::gdb::byte_order::little);
    }
}

/// Comes back when the program may run, or never will.
bool program_tools::serve_gdb() {
    if (gdb_ && !gdb_->serve()) {
        gdb_.reset();
        parameters_.debugger.reset();
    }
    return !debugger_.killed();
}

bool program_tools::may_run(std::uint64_t ns) {
    if (!serve_gdb()) {
        return false;
    }
    if (parameters_.trace) {
        constexpr std::uint64_t picoseconds = 1000;
        debug::monitor& tools = debugger_.tools(0);
        tools.now(ns * picoseconds);
        const bool within = ns >= parameters_.trace_from && ns < parameters_.trace_to;
        if (std::exchange(recording_, within) != within) {
            tools.record(within ? parameters_.trace.get() : nullptr, parameters_.window);
        }
    }
    return true;
}

void program_tools::ran(power::exit_reason why) {
    if (gdb_) {
        debugger_.ran(0, why);
    }
}

bool program_tools::faulted(int signal) {
    if (!gdb_) {
        return true;
    }
    debugger_.signal(0, signal);
    return serve_gdb();
}

void program_tools::called(std::string_view name, std::uint64_t nip) {
    if (profile_) {
        debugger_.tools(0).happened(fmt::format("system call {}", name), nip);
    }
}

void program_tools::finish(int status) {
    while (gdb_) {
        debugger_.ended(status);
        serve_gdb();
    }
}

void program_tools::commit_trace() {
    if (parameters_.trace) {
        parameters_.trace->commit();
    }
}

}  // namespace pefsim::linux_user
