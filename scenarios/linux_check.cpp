// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <sstream>
#include <string>
#include <string_view>

#include "linux/secure_linux.h"
#include "linux/witness.h"

using namespace pefsim;  // NOLINT(google-build-using-namespace): a scenario is a program, not a library

namespace {

/// In a line of the console: the kernel found something wrong with itself.
constexpr std::array<std::string_view, 4> warnings{"WARNING:", "BUG:", "Oops:", "Kernel panic"};

constexpr const char* what_it_shows = R"(
one boot of a kernel that is to be judged, for scenarios/linux/check.

One boot of a kernel that is to be judged, secure or ordinary as its command line says: what its init checked, which
functions of the kernel shared pages, which private pages devices were told of, and what the kernel said of itself.
scenarios/linux/check runs it in every way that matters for a secure guest.)";

class checked_linux : public linux_guest::secure_linux {
public:
    checked_linux() : secure_linux("linux_check", what_it_shows) {}

    void configure(platform::power_machine_config& machine) override {
        secure_linux::configure(machine);
        machine.memory_size = std::uint64_t{256} << 20;
        machine.time_limit = sc_core::sc_time(20, sc_core::SC_SEC);
    }

    void load(platform::power_machine& machine) override {
        secure_linux::load(machine);
        witness_.emplace(machine);
    }

    void judge(platform::power_machine& after, platform::session& in) override {
        linux_scenario::judge(after, in);
        judge_privacy(after, in);
        in.results()["secure"] = after.guest_secure();
        in.results()["said"] = lines_with(after.host().console_output(),
                                          std::array<std::string_view, 1>{"### "});
        in.results()["warnings"] = lines_with(after.host().console_output(), warnings);
        in.results().update(witness_->rows());
    }

private:
    template <std::size_t n>
    static nlohmann::ordered_json lines_with(const std::string& console,
                                             const std::array<std::string_view, n>& texts) {
        nlohmann::ordered_json found = nlohmann::ordered_json::array();
        std::istringstream lines(console);
        for (std::string line; std::getline(lines, line);) {
            while (line.ends_with('\r')) {
                line.pop_back();
            }
            if (std::ranges::any_of(
                    texts, [&](std::string_view each) { return line.find(each) != std::string::npos; })) {
                found.push_back(line);
            }
        }
        return found;
    }

    std::optional<linux_guest::witness> witness_;
};

}  // namespace

int main(int argc, char** argv) { return platform::run_scenario<checked_linux>(argc, argv); }
