// SPDX-License-Identifier: Apache-2.0
#include "linux_user/process.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <csignal>
#include <filesystem>

#include "linux_user/emulation.h"
#include "linux_user/linux_abi.h"
#include "linux_user/program_start.h"
#include "linux_user/system_calls.h"
#include "output/stop_request.h"
#include "power/instructions/power9_decoder.h"

namespace pefsim::linux_user {
namespace {

using power::exit_reason;
using power::interrupt_cause;
using power::spr;
using interrupt_vector = power::vector;

constexpr std::int64_t longest_slice = std::int64_t{1} << 24;  // then a signal is looked for
constexpr std::uint8_t cr_so = 1;

/// The signal that Linux turns an interrupt into (arch/powerpc/kernel/traps.c).
struct signal_code {
    int signal = SIGILL;
    int code = ILL_ILLOPC;
};

/// The enabled exception that FPSCR shows: __parse_fpscr().
int floating_point_code(std::uint64_t fpscr) {
    struct row {
        unsigned enable, exception;  // bits of FPSCR
        int code;
    };
    constexpr row rows[] = {
        {0x80, 0x2000'0000, FPE_FLTINV}, {0x40, 0x1000'0000, FPE_FLTOVF}, {0x20, 0x0800'0000, FPE_FLTUND},
        {0x10, 0x0400'0000, FPE_FLTDIV}, {0x08, 0x0200'0000, FPE_FLTRES},
    };
    const auto* const found = std::ranges::find_if(rows, [fpscr](const row& each) {
        return (fpscr & each.enable) != 0 && (fpscr & each.exception) != 0;
    });
    return found == std::end(rows) ? 14 /* FPE_FLTUNK */ : found->code;
}

signal_code program_check(const interrupt_cause& cause, std::uint64_t fpscr) {
    namespace program = power::program;
    if ((cause.srr1 & program::enabled_fp) != 0) {
        return {SIGFPE, floating_point_code(fpscr)};
    }
    if ((cause.srr1 & program::trap) != 0) {
        return {SIGTRAP, TRAP_BRKPT};
    }
    return {SIGILL, (cause.srr1 & program::privileged) != 0 ? ILL_PRVOPC : ILL_ILLOPC};
}

signal_code storage_fault(address_space::access_fault why) {
    switch (why) {
    case address_space::access_fault::behind_file:
        return {SIGBUS, BUS_ADRERR};
    case address_space::access_fault::not_permitted:
        return {SIGSEGV, SEGV_ACCERR};
    default:
        return {SIGSEGV, SEGV_MAPERR};
    }
}

std::string canonical(const std::string& program) {
    std::error_code error;
    const std::filesystem::path path = std::filesystem::canonical(program, error);
    return error ? program : path.string();
}

}  // namespace

void run_statistics::note_unknown(std::uint64_t number) {
    ++unknown_system_call_count;
    if (unknown_system_calls.size() < unknown_kept || unknown_system_calls.contains(number)) {
        ++unknown_system_calls[number];
    }
}

process::process(const config& of, const power::elf_image& image)
    : descriptors(of.inherited),
      paths(*this),
      memory(of.memory),
      core(power::isa::power9_decoder(), memory, memory),
      clock(of.time),
      signals(*this),
      random(of.seed),
      config_(of),
      absolute_program_path_(canonical(of.program)) {
    memory.serve(core);
    core.interrupts_leave(true);
    core.use(clock);
    if (of.translator && power::region_translator::available()) {
        translator = std::make_unique<power::region_translator>(core, *of.translator);
    }
    file_mode_mask = ::umask(0);
    ::umask(file_mode_mask);
    host_file_mode_mask_ = file_mode_mask;
    start_program(*this, image);
}

/// Instructions until somebody wants to know of the time.
std::int64_t process::slice() const {
    std::int64_t count = clock.instructions_to_next().value_or(longest_slice);
    if (config_.instruction_limit != 0) {
        const std::uint64_t done = std::min(core.instructions(), config_.instruction_limit);
        count = std::min(count, static_cast<std::int64_t>(config_.instruction_limit - done));
    }
    return std::clamp<std::int64_t>(count, 1, longest_slice);
}

bool process::advance_to_timer() {
    const std::optional<std::int64_t> due = clock.next_real_timer();
    if (!due) {
        return false;
    }
    clock.sleep_until(CLOCK_MONOTONIC, *due);
    note_time();
    return true;
}

void process::note_time() {
    clock.set_instructions(core.instructions());
    while (const std::optional<program_clock::timer> due = clock.take_expired()) {
        constexpr int signal_of[] = {SIGALRM, SIGVTALRM, SIGPROF};
        signals.send({.signo = signal_of[static_cast<std::size_t>(*due)], .code = SI_KERNEL});
    }
    if (config_.instruction_limit != 0 && core.instructions() >= config_.instruction_limit) {
        end_by_signal(SIGXCPU);
    }
}

end_of_program process::run() {
    while (!ended()) {
        if (tools_ && !tools_->may_run(static_cast<std::uint64_t>(clock.elapsed()))) {
            end_by_signal(SIGKILL);
            break;
        }
        const exit_reason why = core.run(slice());
        note_time();
        if (tools_) {
            tools_->ran(why);
        }
        if (why == exit_reason::observed) {
            continue;  // the debugger's user wants to see it as it is
        }
        if (why != exit_reason::paused) {
            core.lose_reservation();  // the kernel may store
        }
        switch (why) {
        case exit_reason::interrupt:
            take_interrupt();
            break;
        case exit_reason::hypercall:  // `sc 1` and `sc 2`, which problem state may not use
        case exit_reason::ultracall:
            core.state.nip -= 4;
            fault(SIGILL, ILL_PRVOPC, core.state.nip);
            break;
        case exit_reason::attention:
            fault(SIGILL, ILL_ILLOPC, core.state.nip);
            break;
        default:
            break;
        }
        note_signal_from_outside();
        signals.deliver();
    }
    descriptors.end();
    ::umask(host_file_mode_mask_);
    return *end_;
}

void process::note_signal_from_outside() {
    if (const int signal = output::stop_request::take(); signal != 0) {
        statistics.sent_from_outside = signal;
        signals.send({.signo = signal, .code = SI_USER});
    }
}

void process::end_waiting() {
    constexpr int waited_in_vain = 1;
    end_ = {.status = waited_in_vain, .waits_in = system_call_name(current_call)};
}

void process::take_interrupt() {
    const interrupt_cause cause = core.interrupt();
    const std::uint64_t nip = core.state.nip;
    last_trap = {.vector = static_cast<std::uint64_t>(cause.which),
                 .gpr3 = core.state.gpr[3],
                 .dar = cause.dar,
                 .dsisr = cause.dsisr};
    signal_code what;
    std::uint64_t address = nip;
    switch (cause.which) {
    case interrupt_vector::system_call:
        return system_call(false);
    case interrupt_vector::system_call_vectored:
        return system_call(true);
    case interrupt_vector::data_storage:
    case interrupt_vector::data_segment:
    case interrupt_vector::machine_check:
        address = cause.dar;
        what = storage_fault(memory.fault_of(address, (cause.dsisr & power::storage_status::store) != 0
                                                          ? power::access_kind::store
                                                          : power::access_kind::load));
        break;
    case interrupt_vector::instruction_storage:
    case interrupt_vector::instruction_segment:
        what = storage_fault(memory.fault_of(address, power::access_kind::fetch));
        break;
    case interrupt_vector::alignment:
        address = cause.has_dar ? cause.dar : nip;
        what = {SIGBUS, BUS_ADRALN};
        if (const emulation done = emulate_multiple(*this); done == emulation::done) {
            return;
        } else if (done == emulation::fault) {
            what = {SIGSEGV, SEGV_ACCERR};
        }
        break;
    case interrupt_vector::program:
    case interrupt_vector::hypervisor_emulation_assistance:
        if (emulate_instruction(*this) == emulation::done) {
            return;
        }
        what = program_check(cause, core.state.fpscr);
        break;
    case interrupt_vector::trace:
        what = {SIGTRAP, TRAP_TRACE};
        break;
    default:  // what neither core nor Linux has
        break;
    }
    fault(what.signal, what.code, address);
}

void process::fault(int signal, int code, std::uint64_t address) {
    ++statistics.fault_count;
    statistics.last_fault = {signal, code, address, core.state.nip};
    if (statistics.faults.size() < run_statistics::faults_kept) {
        statistics.faults.push_back(statistics.last_fault);
    }
    if (tools_ && !tools_->faulted(signal)) {
        end_by_signal(SIGKILL);
        return;
    }
    signals.force({.signo = signal, .code = code, .address = address});
}

void process::system_call(bool vectored) {
    power::registers& state = core.state;
    if (vectored) {
        if (core.interrupt().level != 0) {
            state.nip -= 4;
            fault(SIGILL, ILL_ILLOPC, state.nip);
            return;
        }
        state[spr::lr] = state.nip;  // what the interrupt and rfscv leave behind
        state[spr::ctr] = state.msr;
    }
    if (tools_) {
        tools_->called(system_call_name(state.gpr[0]), state.nip - 4);
    }
    const system_call_arguments arguments{state.gpr[3], state.gpr[4], state.gpr[5],
                                          state.gpr[6], state.gpr[7], state.gpr[8]};
    const std::int64_t result = call_system(*this, state.gpr[0], arguments);
    if (keep_registers_) {
        keep_registers_ = false;
        return;
    }
    const bool failed = is_error(result);
    if (vectored) {
        state.gpr[3] = static_cast<std::uint64_t>(result);
        return;
    }
    state.gpr[3] = static_cast<std::uint64_t>(failed ? -result : result);
    std::uint8_t& cr0 = state.cr.field[0];
    cr0 = static_cast<std::uint8_t>(failed ? cr0 | cr_so : cr0 & ~cr_so);
}

}  // namespace pefsim::linux_user
