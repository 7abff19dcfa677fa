// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <cstdio>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include "bare_metal/guest_options.h"
#include "bare_metal/host_look.h"
#include "exposure/ledger.h"
#include "output/standard_output.h"
#include "output/whole_file.h"
#include "platform/power/power_machine.h"
#include "platform/power/state_dump.h"
#include "platform/scenario.h"
#include "platform/session.h"
#include "power/debug/elf_symbols.h"

using namespace pefsim;  // NOLINT(google-build-using-namespace): a scenario is a programme, not a library

namespace {

namespace debug = power::debug;

class bare_metal_scenario : public platform::scenario {
public:
    bare_metal_scenario()
        : scenario("bare_metal",
                   "Runs any program on the POWER9 cores of a machine with hypervisor and "
                   "Ultravisor, without an operating "
                   "system. Its console (H_PUT_TERM_CHAR) is standard output; the report comes "
                   "after it, unless --quiet. Exit "
                   "status: what the program gave to H_EXIT (hypercall 0xf0fc, R4), modulo 256, "
                   "if that is not 0; else the "
                   "verdict's.") {
        machine_.time_limit = sc_core::sc_time(10, sc_core::SC_SEC);
    }

    void declare_all(platform::parameter_set& parameters) override {
        guest_.declare(parameters, machine_);
        machine_.declare_machine(parameters);
        machine_.declare_costs(parameters);
    }

    void settle() override {
        machine_.check();
        guest_.settle(machine_);
    }

    void run(platform::session& in) override {
        in.run([&] { return elaborate(in.options()); }, [&] { judge(in); }, {});
    }

private:
    std::unique_ptr<platform::power_machine> elaborate(const platform::run_options& options) {
        auto machine = std::make_unique<platform::power_machine>("machine", machine_, options.seed);
        guest_.prepare(*machine);
        if (guest_.program() != nullptr) {
            symbols_.emplace(*guest_.program());
            machine->name_places(*symbols_);
        }
        for (const std::string& each : guest_.secrets()) {
            machine->recorder().ledger().plant_canary(each, std::as_bytes(std::span(each)));
        }
        machine->host().terminal().type(guest_.console_input());
        machine->host().terminal().on_output(
            [](std::string_view characters) { output::standard_output::write(characters); });
        if (guest_.gdb_port() && !options.list_signals) {
            wait_for_gdb(*machine->tools());
        }
        subject_ = machine.get();
        return machine;
    }

    void wait_for_gdb(platform::power_tools& tools) const {
        debug::local_listener listener(static_cast<std::uint16_t>(*guest_.gdb_port()));
        output::complain(
            fmt::format("bare_metal: waiting for GDB: target remote localhost:{}", listener.port()));
        if (std::unique_ptr<debug::byte_channel> channel = listener.accept(true)) {
            tools.attach(std::move(channel), guest_.little_endian() ? debug::gdb::byte_order::little
                                                                    : debug::gdb::byte_order::big);
        }
    }

    void judge(platform::session& in) {
        output::standard_output::flush();
        const auto& exited = subject_->host().exit_status();
        const int status = exited ? static_cast<int>(*exited & 0xff) : 0;
        in.expect(subject_->finished(), fmt::format("the guest ends by H_EXIT, or where it was to stop: {}",
                                                    subject_->ending().text));
        look(in);
        judge_secrets(in);
        report(in);
        if (platform::power_tools* tools = subject_->tools(); tools != nullptr) {
            tools->finish(status);
            write_tools(in, *tools);
        }
        write_state(in);
        if (status != 0) {
            in.exit_with(status);
        }
    }

    /// The host looks where it was told to.
    void look(platform::session& in) {
        std::string text = "Where the host looked\n";
        for (const bare_metal::place_to_look& each : guest_.looks()) {
            const bare_metal::host_look seen = bare_metal::look(*subject_, each);
            in.results()["host_reads"].push_back(to_json(seen));
            text += to_text(seen);
        }
        if (!guest_.looks().empty()) {
            in.add_text(text);
        }
    }

    void judge_secrets(platform::session& in) const {
        for (const std::string& each : guest_.secrets()) {
            std::uint64_t seen = 0;
            for (const exposure::sighting_group& group : subject_->recorder().ledger().sighting_groups()) {
                seen += group.first.canary == each ? group.count : 0;
            }
            in.results()["secrets"].push_back({{"secret", each}, {"seen", seen}});
            in.expect(seen == 0, fmt::format("the host has not seen the secret '{}'", each));
        }
    }

    void report(platform::session& in) {
        nlohmann::ordered_json& results = in.results();
        results["ending"] = subject_->ending().text;
        if (const auto& exited = subject_->host().exit_status()) {
            results["exit"] = *exited;
        }
        results["secure"] = subject_->guest_secure();
        results["console_bytes"] = subject_->host().console_output().size();
        for (std::size_t n = 0; n < subject_->cpus(); ++n) {
            const cpu::power_cpu& core = subject_->cpu(n);
            const power::engine_counters& counters = subject_->cpu(n).engine().counters();
            results["cpus"].push_back({{"number", core.number()},
                                       {"ended", platform::to_name(core.ended())},
                                       {"fetch_misses", counters.fetch_misses},
                                       {"slow_loads", counters.slow_loads},
                                       {"slow_stores", counters.slow_stores},
                                       {"code_stores", counters.code_stores},
                                       {"decoded", counters.decoded},
                                       {"flushes", counters.flushes},
                                       {"interrupts", counters.interrupts}});
        }
    }

    void write_tools(platform::session& in, platform::power_tools& tools) {
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
            output::whole_file& file = *guest_.profile();
            file.write(symbols_ ? profile->table(*symbols_) : profile->table(debug::no_symbols()));
            in.commit("profile", file);
        }
        if (!guest_.instruction_trace().empty()) {
            try {
                tools.commit_traces();
                in.add_file("instructions", guest_.instruction_trace());
            } catch (const output::write_error& error) {
                in.note_failure(error);
            }
        }
    }

    void write_state(platform::session& in) {
        if (!guest_.dump_state()) {
            return;
        }
        nlohmann::ordered_json dump;
        for (std::size_t n = 0; n < subject_->cpus(); ++n) {
            dump["cpus"].push_back(platform::state_of(subject_->cpu(n)));
        }
        guest_.dump_state()->write(dump.dump(2) + '\n');
        in.commit("state", *guest_.dump_state());
    }

    platform::power_machine_config machine_;
    bare_metal::guest_options guest_;
    std::optional<debug::elf_symbols> symbols_;
    platform::power_machine* subject_ = nullptr;  // while it exists
};

}  // namespace

int main(int argc, char** argv) { return platform::run_scenario<bare_metal_scenario>(argc, argv); }
