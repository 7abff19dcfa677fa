// SPDX-License-Identifier: Apache-2.0
//
// The tables in docs/ say what the code says. With PEFSIM_UPDATE_DOCS=1 in the environment they are rewritten.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <sstream>
#include <string>
#include <vector>

#include "platform/native/native_machine.h"
#include "platform/power/power_machine.h"
#include "tests/support/simulation.h"
#include "timing/timing.h"
#include "trace/signal_catalogue.h"

namespace pefsim::platform {
namespace {

class docs : public testing::simulation_test {
protected:
    /// Checks, or rewrites, what stands between the two marks of docs/<file>.
    static void table_is(const std::string& file, const std::string& table) {
        const std::filesystem::path path = std::filesystem::path(PEFSIM_SOURCE_DIR) / "docs" / file;
        std::ifstream stream(path);
        ASSERT_TRUE(stream) << path;
        std::stringstream content;
        content << stream.rdbuf();
        std::string text = content.str();
        const std::size_t begin = text.find("-->\n") + 4;
        const std::size_t end = text.find("<!-- end -->");
        ASSERT_TRUE(begin <= end && end != std::string::npos) << path << " has no marks";
        if (std::getenv("PEFSIM_UPDATE_DOCS") != nullptr) {
            std::ofstream(path) << text.replace(begin, end - begin, table);
        } else {
            EXPECT_EQ(text.substr(begin, end - begin), table) << "run the test with PEFSIM_UPDATE_DOCS=1";
        }
    }
};

TEST_F(docs, timing_lists_every_cost) {
    const timing::timing defaults;
    std::string table =
        "\n| name | default | unit | what it is | source of the default |\n|---|---:|---|---|---|\n";
    for (const timing::cost& cost : timing::costs) {
        table += fmt::format("| `{}` | {} | {} | {} | {} |\n", cost.name, defaults.*cost.field, cost.unit,
                             cost.description, cost.source);
    }
    table_is("timing.md", table + '\n');
}

TEST_F(docs, signals_lists_every_signal) {
    native_machine_config config;
    config.secure = true;
    config.platform_dma_ops = dma_operations::swiotlb;
    config.disks = {disk_config{}};
    config.network = true;
    config.entropy = true;
    const native_machine all("machine", config, 1);
    power_machine_config everything;
    everything.firmware = boot_configuration{};
    everything.xive = true;
    const power_machine power("power_machine", everything, 1);
    std::vector<trace::signal_declaration> signals(all.recorder().signals().begin(),
                                                   all.recorder().signals().end());
    std::ranges::copy_if(
        power.recorder().signals(), std::back_inserter(signals), [](const trace::signal_declaration& each) {
            return each.scope == "power_machine.cpu0" || each.scope == "power_machine.firmware" ||
                   each.scope == "power_machine.xive";
        });
    std::string table;
    std::string scope;
    for (const trace::signal_declaration& signal : signals) {
        if (signal.scope != scope) {
            scope = signal.scope;
            table += fmt::format("\n## {}\n\n| signal | values | what it shows |\n|---|---|---|\n", scope);
        }
        table += fmt::format("| `{}` | {}{} | {} |\n", signal.name, trace::to_name(signal.type),
                             signal.width > 1 ? fmt::format(" {}", signal.width) : "", signal.description);
    }
    table_is("signals.md", table + '\n');
}

}  // namespace
}  // namespace pefsim::platform
