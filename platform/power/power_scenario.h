// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <deque>
#include <filesystem>
#include <memory>
#include <optional>
#include <systemc>
#include <vector>

#include "platform/parameter_set.h"
#include "platform/power/console_attendant.h"
#include "platform/power/host_attack.h"
#include "platform/power/power_machine.h"
#include "platform/power/power_options.h"
#include "platform/scenario.h"
#include "platform/session.h"
#include "power/debug/symbols.h"
#include "power/elf_image.h"

namespace pefsim::platform {

/// One scenario of a POWER guest: real code on the POWER9 cores of a machine. Derive from it, say what stands in the
/// guest's memory and what the run is to show, and give the binary a main():
///
///     int main(int argc, char** argv) { return pefsim::platform::run_scenario<my_scenario>(argc, argv); }
///
/// Its users have everything of power_options besides: console, debugger, instruction traces, profile, coverage, looks
/// of the host, secrets, the state at the end.
///
/// The calls come in this order: configure, declare, (the command line is read), prepare, load, (the run), judge. The
/// guest's console (H_PUT_TERM_CHAR) is standard output, unless told. What the guest gives to H_EXIT, modulo 256, is
/// the exit status, if that is not 0.
class power_scenario : public scenario {
public:
    using scenario::scenario;

    /// The machine that this scenario is about, before the user changes anything.
    virtual void configure(power_machine_config& /*machine*/) {}
    /// The scenario's own parameters, bound to its members.
    virtual void declare(parameter_set& /*parameters*/) {}
    /// After the command line, before there is a machine: reads the guest's files.
    /// \throws std::invalid_argument naming the parameters that are wrong or contradict each other
    virtual void prepare(power_machine_config& /*machine*/) {}
    /// After prepare(): the guest's program, whose symbols name places; null: there are none.
    [[nodiscard]] virtual const power::elf_image* program() const { return nullptr; }
    /// After prepare(): the ELF file that program() comes from, for its lines of source; empty: there is none.
    [[nodiscard]] virtual std::filesystem::path program_file() const { return {}; }
    /// After prepare(): where code of the program runs besides where its symbols say.
    [[nodiscard]] virtual std::vector<power::debug::moved_symbols::piece> moved() const { return {}; }
    /// How the debugger reads registers.
    [[nodiscard]] virtual bool little_endian() const { return true; }
    /// Puts the guest into a machine's memory, as firmware would, and starts its CPUs.
    /// \throws std::invalid_argument when it does not fit
    virtual void load(power_machine& machine) = 0;
    /// While it runs: the guest has written this to its console.
    virtual void heard(power_machine& /*from*/, std::string_view /*characters*/) {}
    /// After the run: session::expect() says what was shown.
    virtual void judge(power_machine& after, session& in) = 0;

    /// One machine, unless a scenario compares several.
    void run(session& in) override { run_machine(in, {}); }

protected:
    /// Elaborates the machine, with the configuration that prepare() was given as it is now, and runs it to its end.
    void run_machine(session& in, session::presentation how);

private:
    void declare_all(parameter_set& parameters) final;
    void settle() final;
    std::unique_ptr<power_machine> elaborate(const run_options& options);
    void begin_console(const run_options& options, power_machine& machine);
    void end_console(session& in);
    void wait_for_gdb(power_machine& machine) const;
    void finish(session& in);
    void look(session& in);
    void tell_attacks(session& in) const;
    void judge_secrets(session& in) const;
    void report(session& in) const;
    void write_tools(session& in, power_tools& tools);
    void check_perf_maps(session& in) const;
    void write_state(session& in);

    power_machine_config machine_;
    power_options options_;
    std::unique_ptr<power::debug::symbol_lookup> symbols_;
    std::optional<covered_lines> lines_;  // if they are to be covered
    sc_core::sc_time time_limit_;         // unless the user has one
    std::optional<console_attendant> attendant_;
    std::deque<attack_outcome> attacks_;  // threads of the simulation fill it
    power_machine* subject_ = nullptr;    // while it exists
};

}  // namespace pefsim::platform
