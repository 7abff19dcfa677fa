// SPDX-License-Identifier: Apache-2.0
#include "platform/power/power_scenario.h"

#include <fmt/format.h>

#include <algorithm>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "backend/block_backend_if.h"
#include "exposure/ledger.h"
#include "hypervisor/host_view.h"
#include "output/standard_output.h"
#include "output/whole_file.h"
#include "platform/power/monitor_commands.h"
#include "platform/power/profile_file.h"
#include "platform/power/state_dump.h"
#include "power/debug/byte_channel.h"

namespace pefsim::platform {

namespace debug = power::debug;

namespace {

/// Below the end of what SystemC counts in picoseconds, which is after 213 days.
sc_core::sc_time longest_time() { return {180.0 * 24 * 3600, sc_core::SC_SEC}; }

/// Guest physical addresses of what the host can read at the end.
std::vector<std::uint64_t> places_in_memory(const power_machine& machine, std::string_view text) {
    std::vector<std::uint64_t> places;
    for (const abi::phys_addr each :
         hypervisor::host_view(machine.memory()).find(std::as_bytes(std::span(text)))) {
        places.push_back(each.value());
    }
    return places;
}

/// Which disk, and which byte of it.
nlohmann::ordered_json places_on_disks(power_machine& machine, std::string_view text) {
    constexpr std::uint64_t piece = std::uint64_t{1} << 20;
    nlohmann::ordered_json places = nlohmann::ordered_json::array();
    for (std::size_t number = 0; number < machine.disks(); ++number) {
        backend::block_backend_if& disk = machine.disk(number);
        std::string content;
        for (std::uint64_t at = 0; (at = disk.next_data(at)) < disk.size(); at += piece) {
            // With the beginning of what follows, where a text may go on.
            content.resize(std::min(disk.size() - at, piece + text.size() - 1));
            if (!disk.read(at, std::as_writable_bytes(std::span(content)))) {
                continue;
            }
            for (std::size_t found = content.find(text); found != std::string::npos && found < piece;
                 found = content.find(text, found + 1)) {
                places.push_back({{"disk", number}, {"offset", at + found}});
            }
        }
    }
    return places;
}

}  // namespace

void power_scenario::declare_all(parameter_set& parameters) {
    configure(machine_);
    time_limit_ = machine_.time_limit;
    declare(parameters);
    options_.declare(parameters, machine_);
    machine_.declare_machine(parameters);
    machine_.declare_costs(parameters);
}

void power_scenario::settle() {
    machine_.check();
    prepare(machine_);
    symbols_ = std::make_unique<debug::moved_symbols>(options_.symbols(program()), moved());
    lines_ = options_.lines(program_file(), moved());
    options_.settle(machine_, *symbols_);
    if (options_.console().interactive() && machine_.time_limit == time_limit_) {
        machine_.time_limit = longest_time();  // the user ends it
    }
}

void power_scenario::run_machine(session& in, session::presentation how) {
    const struct leave {
        guest_console& console;
        ~leave() { console.end(); }  // whatever happens
    } last{options_.console()};
    how.progress &= !options_.console().takes_the_terminal();
    in.run([&] { return elaborate(in.options()); }, [&] { finish(in); }, how);
}

std::unique_ptr<power_machine> power_scenario::elaborate(const run_options& options) {
    auto machine = std::make_unique<power_machine>("machine", machine_, options.seed);
    load(*machine);
    machine->name_places(*symbols_);
    for (const std::vector<std::string>* texts : {&options_.secrets(), &options_.canaries()}) {
        for (const std::string& each : *texts) {
            machine->recorder().ledger().plant_canary(each, std::as_bytes(std::span(each)));
        }
    }
    attacks_.clear();
    for (const host_attack& each : options_.attacks()) {
        attack(*machine, attacks_.emplace_back(attack_outcome{.what = each}));
    }
    machine->host().terminal().type(options_.console_input());
    machine->host().terminal().on_output([this, from = machine.get()](std::string_view characters) {
        options_.console().write(characters);
        heard(*from, characters);
    });
    if (options_.tools().gdb_port() && !options.list_signals) {
        wait_for_gdb(*machine);
    }
    if (options_.console().interactive() && !options.list_signals) {
        begin_console(options, *machine);
    }
    subject_ = machine.get();
    return machine;
}

void power_scenario::begin_console(const run_options& options, power_machine& machine) {
    const std::string line = options_.console().begin();
    if (!options.quiet || !options_.console().takes_the_terminal()) {
        output::complain(fmt::format("{}: {}", name(), line));
    }
    attendant_.emplace(options_.console(), machine.host().terminal());
    machine.attend([this] { return attendant_->look(sc_core::sc_time_stamp()); });
}

void power_scenario::end_console(session& in) {
    output::standard_output::flush();
    guest_console& console = options_.console();
    console.end();
    if (output::whole_file* const file = console.file(); file != nullptr) {
        in.commit("console", *file);
    }
    if (console.interactive()) {
        in.results()["deterministic"] = false;
        in.add_text("The console was interactive: what was typed came while the run went on, so that another "
                    "run need not "
                    "be equal to this one.\n");
    }
}

void power_scenario::wait_for_gdb(power_machine& machine) const {
    machine.tools()->serve_commands(monitor_commands(machine, *symbols_));
    debug::local_listener listener(static_cast<std::uint16_t>(*options_.tools().gdb_port()));
    output::complain(fmt::format("{}: waiting for GDB: target remote localhost:{}", name(), listener.port()));
    if (std::unique_ptr<debug::byte_channel> channel = listener.accept(true)) {
        machine.tools()->attach(std::move(channel), little_endian() ? debug::gdb::byte_order::little
                                                                    : debug::gdb::byte_order::big);
    }
}

void power_scenario::finish(session& in) {
    end_console(in);
    const auto exited = subject_->host().exit_status();
    const int status = exited ? static_cast<int>(*exited & 0xff) : 0;
    judge(*subject_, in);
    look(in);
    tell_attacks(in);
    judge_secrets(in);
    report(in);
    if (power_tools* tools = subject_->tools(); tools != nullptr) {
        tools->finish(status);
        write_tools(in, *tools);
    }
    check_perf_maps(in);
    write_state(in);
    if (status != 0) {
        in.exit_with(status);
    }
}

/// The host looks where it was told to.
void power_scenario::look(session& in) {
    std::string text = "Where the host looked\n";
    for (const place_to_look& each : options_.looks()) {
        const host_look seen = platform::look(*subject_, each);
        in.results()["host_reads"].push_back(to_json(seen));
        text += to_text(seen);
    }
    if (!options_.looks().empty()) {
        in.add_text(text);
    }
}

void power_scenario::tell_attacks(session& in) const {
    std::string text = "What the host did to the guest\n";
    for (const attack_outcome& each : attacks_) {
        in.results()["host_attacks"].push_back(to_json(each));
        text += fmt::format("  {}: {}\n", each.what.text, each.outcome);
    }
    if (!attacks_.empty()) {
        in.add_text(text);
    }
}

void power_scenario::judge_secrets(session& in) const {
    const auto seen = [&](const std::string& text) {
        std::uint64_t times = 0;
        for (const exposure::sighting_group& group : subject_->recorder().ledger().sighting_groups()) {
            times += group.first.canary == text ? group.count : 0;
        }
        return times;
    };
    for (const std::string& each : options_.secrets()) {
        const std::uint64_t times = seen(each);
        in.results()["secrets"].push_back({{"secret", each}, {"seen", times}});
        in.expect(times == 0, fmt::format("the host has not seen the secret '{}'", each));
    }
    for (const std::string& each : options_.canaries()) {
        in.results()["canaries"].push_back({{"canary", each},
                                            {"seen", seen(each)},
                                            {"in_memory", places_in_memory(*subject_, each)},
                                            {"on_disks", places_on_disks(*subject_, each)}});
    }
}

namespace {

nlohmann::ordered_json describe(const power_machine::first_interrupt& first) {
    nlohmann::ordered_json word;
    if (first.word) {
        word = fmt::format("{:#010x}", *first.word);
    }
    return {{"nip", fmt::format("{:#018x}", first.nip)}, {"instruction", word}};
}

/// Without the time that it took: two runs have the same report.
nlohmann::ordered_json describe(const power::translator_counters& made, std::uint64_t instructions) {
    const power::host_code::run_counters& run = made.running;
    const double share = instructions == 0
                             ? 0
                             : static_cast<double>(run.instructions) / static_cast<double>(instructions);
    return {{"regions", made.regions},
            {"regions_instructions", made.translated},
            {"regions_bytes", made.bytes},
            {"regions_forgotten", made.forgotten},
            {"flushes", made.flushes},
            {"instructions", run.instructions},
            {"share", share},
            {"entries", run.entries},
            {"refills", run.refills},
            {"slow_accesses", run.slow_accesses},
            {"handler_calls", run.handler_calls},
            {"exits",
             {{"left_to_interpreter", run.left_to_interpreter},
              {"budget_used_up", run.budget_used_up},
              {"to_interpreted", run.to_interpreted},
              {"to_unknown", run.to_unknown},
              {"interrupted", run.interrupted}}}};
}

}  // namespace

void power_scenario::report(session& in) const {
    nlohmann::ordered_json& results = in.results();
    results["ending"] = subject_->ending().text;
    if (machine_.network && machine_.network_backend == network_kind::user) {
        results["deterministic"] = false;
        in.add_text("The network was the host's: another run need not be equal to this one.\n");
    }
    if (const auto exited = subject_->host().exit_status()) {
        results["exit"] = *exited;
    }
    for (const auto& [number, count] : subject_->host().unserved()) {
        results["unserved_hypercalls"].push_back({{"number", number}, {"calls", count}});
    }
    results["secure"] = subject_->guest_secure();
    results["console_bytes"] = subject_->host().console_output().size();
    for (std::size_t n = 0; n < subject_->cpus(); ++n) {
        const cpu::power_cpu& core = subject_->cpu(n);
        const power::engine_counters& counters = subject_->cpu(n).engine().counters();
        results["cpus"].push_back({{"number", core.number()},
                                   {"ended", to_name(core.ended())},
                                   {"fetch_misses", counters.fetch_misses},
                                   {"slow_loads", counters.slow_loads},
                                   {"slow_stores", counters.slow_stores},
                                   {"code_stores", counters.code_stores},
                                   {"decoded", counters.decoded},
                                   {"flushes", counters.flushes},
                                   {"interrupts", counters.interrupts}});
        if (core.ended() == cpu::power_cpu::ending::lost) {
            results["cpus"].back()["first_interrupt"] = describe(subject_->first_interrupt_of(core));
        }
        if (const power::region_translator* translator = core.translator(); translator != nullptr) {
            results["cpus"].back()["translator"] = describe(translator->counters(),
                                                            core.engine().instructions());
        }
    }
}

void power_scenario::check_perf_maps(session& in) const {
    for (std::size_t n = 0; n < subject_->cpus(); ++n) {
        if (const power::region_translator* translator = subject_->cpu(n).translator();
            translator != nullptr) {
            try {
                translator->check_perf_map();
            } catch (const output::write_error& error) {
                in.note_failure(error);
            }
        }
    }
}

void power_scenario::write_tools(session& in, power_tools& tools) {
    if (const debug::coverage* coverage = tools.coverage(); coverage != nullptr) {
        nlohmann::ordered_json executed = nlohmann::ordered_json::object();
        const auto rows = power::isa::instructions();
        for (std::size_t row = 0; row < rows.size(); ++row) {
            if (const std::uint64_t count = coverage->of_row(row); count != 0) {
                executed[std::string(rows[row].mnemonic)] = count;
            }
        }
        in.results()["coverage"] = {{"rows", rows.size()},
                                    {"rows_executed", coverage->rows_covered()},
                                    {"undefined", coverage->undefined()},
                                    {"executed", executed}};
    }
    if (const debug::profile* profile = tools.profile(); profile != nullptr) {
        output::whole_file& file = *options_.profile();
        file.write(profile_text(options_.tools().format_of_profile(), *profile, *symbols_, name(),
                                options_.tools().profile_functions()));
        in.commit("profile", file);
        if (std::string events = events_text(*profile, *symbols_); !events.empty()) {
            in.add_text(std::move(events));
        }
    }
    if (lines_) {
        output::whole_file& file = *options_.line_coverage();
        file.write(lines_->lcov(*tools.executions()));
        in.commit("line_coverage", file);
    }
    if (!options_.tools().instruction_trace().empty()) {
        try {
            tools.commit_traces();
            in.add_file("instructions", options_.tools().instruction_trace());
        } catch (const output::write_error& error) {
            in.note_failure(error);
        }
    }
}

void power_scenario::write_state(session& in) {
    if (!options_.dump_state()) {
        return;
    }
    nlohmann::ordered_json dump;
    for (std::size_t n = 0; n < subject_->cpus(); ++n) {
        dump["cpus"].push_back(state_of(subject_->cpu(n)));
    }
    options_.dump_state()->write(dump.dump(2) + '\n');
    in.commit("state", *options_.dump_state());
}

}  // namespace pefsim::platform
