// SPDX-License-Identifier: Apache-2.0
#include <filesystem>
#include <fmt/format.h>

#include "bare_metal/guest_options.h"
#include "platform/power/power_scenario.h"

using namespace pefsim;  // NOLINT(google-build-using-namespace): a scenario is a program, not a library

namespace {

constexpr const char* what_it_shows = R"(
any program on the POWER9 cores of a machine, without an operating system: console, debugger, traces, state.

Runs any program on the POWER9 cores of a machine with hypervisor and Ultravisor, without an operating system. Its
console (H_PUT_TERM_CHAR) is standard output; the report comes after it, unless --quiet. Exit status: what the program
gave to H_EXIT (hypercall 0xf0fc, R4), modulo 256, if that is not 0; else the verdict's.)";

class bare_metal_scenario : public platform::power_scenario {
public:
    bare_metal_scenario() : power_scenario("bare_metal", what_it_shows) {}

    void configure(platform::power_machine_config& machine) override {
        machine.time_limit = sc_core::sc_time(10, sc_core::SC_SEC);
    }
    void declare(platform::parameter_set& parameters) override { guest_.declare(parameters); }
    void prepare(platform::power_machine_config& /*machine*/) override { guest_.settle(); }
    [[nodiscard]] const power::elf_image* program() const override { return guest_.program(); }
    [[nodiscard]] std::filesystem::path program_file() const override { return guest_.program_file(); }
    [[nodiscard]] bool little_endian() const override { return guest_.little_endian(); }
    void load(platform::power_machine& machine) override { guest_.prepare(machine); }
    void judge(platform::power_machine& after, platform::session& in) override {
        in.expect(after.finished(),
                  fmt::format("the guest ends by H_EXIT, or where it was to stop: {}", after.ending().text));
    }

private:
    bare_metal::guest_options guest_;
};

}  // namespace

int main(int argc, char** argv) { return platform::run_scenario<bare_metal_scenario>(argc, argv); }
