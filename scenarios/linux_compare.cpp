// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include "gnuplot.h"
#include "linux/secure_linux.h"
#include "platform/quantity.h"

using namespace pefsim;  // NOLINT(google-build-using-namespace): a scenario is a program, not a library

namespace {

/// A way that Linux's DMA can go. Each differs from the one that it is compared with in one thing.
struct contender {
    std::string_view name;
    std::string_view compared_with;
    std::string_view differs_in;
    std::string_view command_line;
    std::function<void(platform::power_machine_config&)> configure;
};

void use_platform(platform::power_machine_config& machine) { machine.access_platform = true; }

const std::array contenders{
    contender{"direct", "", "", "", [](auto& machine) { machine.access_platform = false; }},
    contender{"direct window", "direct", "the DMA API, through a window that maps all of memory", "",
              use_platform},
    contender{"iommu off", "direct window", "no translation (iommu=off): bus addresses are physical",
              "iommu=off",
              [](auto& machine) {
                  use_platform(machine);
                  machine.iommu = false;
              }},
    contender{"32-bit window", "direct window", "a TCE for each page of each buffer, by hypercall", "",
              [](auto& machine) {
                  use_platform(machine);
                  machine.firmware->dynamic_windows = false;
              }},
    contender{"swiotlb", "direct window", "bounce buffers (swiotlb=force), the guest is ordinary",
              "swiotlb=2048,force", use_platform},
    contender{"secure", "swiotlb", "the guest is secure", "svm=on swiotlb=2048,force", use_platform},
};

/// What a machine has counted so far.
struct counts {
    std::uint64_t instructions = 0;
    double time_us = 0;
    std::uint64_t hypercalls = 0;
    std::uint64_t ultracalls = 0;
    std::uint64_t bytes_shared = 0;  ///< by the guest, where the host can read it; of a secure guest only

    explicit counts(platform::power_machine& of)
        : time_us(sc_core::sc_time_stamp().to_seconds() * 1e6),
          bytes_shared(of.guest_secure() ? of.recorder().ledger().summary().guest_bytes_written : 0) {
        for (std::size_t number = 0; number < of.cpus(); ++number) {
            const std::string cpu = fmt::format("cpu{}", number);
            instructions += of.counter(cpu, "instructions");
            hypercalls += of.total(cpu, "hypercalls");
            ultracalls += of.total(cpu, "ultracalls");
            time_us = std::max(time_us, of.cpu(number).now().to_seconds() * 1e6);
        }
    }
};

/// One load of one boot, for each request.
struct measurement {
    std::string load;  ///< read, write
    std::uint64_t size = 0;
    std::uint64_t requests = 0;
    double instructions = 0;
    double time_us = 0;
    double hypercalls = 0;
    double bytes_shared = 0;
};

/// A boot, from its first instruction to power-off.
struct boot {
    const contender* who;
    std::uint64_t instructions = 0;
    double time_ms = 0;
    std::uint64_t hypercalls = 0;
    std::uint64_t ultracalls = 0;
    std::uint64_t pages_exposed = 0;  ///< at the end
    std::uint64_t private_addresses = 0;
    std::vector<measurement> loads{};
};

constexpr const char* what_it_shows = R"(
one kernel and one load under every way that Linux's DMA can go: table, JSON and plot.

One kernel and one load under every way that Linux's DMA can go: direct, through a window that maps all of memory,
without an IOMMU, through TCEs for each buffer, with bounce buffers in an ordinary guest, and in a secure one, so that
neighbours differ in one thing: what bouncing costs, and what protection costs on top. Shows instructions, simulated
time and calls of a request by its size, and a plot (PNG and SVG) of instructions and time. Compare ratios.)";

class linux_compare : public linux_guest::secure_linux {
public:
    linux_compare() : secure_linux("linux_compare", what_it_shows) {}

    void configure(platform::power_machine_config& machine) override {
        secure_linux::configure(machine);
        machine.memory_size = std::uint64_t{256} << 20;
        machine.network = false;
        boot_with("console=hvc0 quiet");
    }

    void declare(platform::parameter_set& parameters) override {
        secure_linux::declare(parameters);
        plot_.declare(parameters);
    }

    void run(platform::session& in) override {
        if (plot_.wanted() && !in.options().list_signals) {
            plot_.open();
        }
        settle_disks();
        const platform::power_machine_config original = machine();
        for (const contender& who : contenders) {
            machine() = original;
            who.configure(machine());
            machine().firmware->command_line = fmt::format("{} {}", command_line(in.options().seed),
                                                           who.command_line);
            boots_.push_back({.who = &who});
            line_.clear();
            begun_.reset();
            run_machine(in, {.label = std::string(who.name), .traced = who.name == "secure", .text = false});
        }
        if (!in.options().list_signals) {
            judge_all(in);
            report(in);
        }
    }

    void heard(platform::power_machine& from, std::string_view characters) override {
        for (const char each : characters) {
            if (each != '\n') {
                line_ += each;
                continue;
            }
            said(from, line_);
            line_.clear();
        }
    }

    void judge(platform::power_machine& after, platform::session& in) override {
        linux_scenario::judge(after, in);
        const counts all(after);
        boot& this_one = boots_.back();
        this_one.instructions = all.instructions;
        this_one.time_ms = all.time_us / 1e3;
        this_one.hypercalls = all.hypercalls;
        this_one.ultracalls = all.ultracalls;
        this_one.pages_exposed = after.recorder().ledger().summary().pages_exposed;
        this_one.private_addresses = after.counter("memory", "private_addresses");
        if (this_one.who->name == "secure") {
            judge_secure(after, in);
            judge_privacy(after, in);
        }
    }

private:
    /// A line of the console: "### LOAD-BEGIN read 4096", "### LOAD-END read 4096 64".
    void said(platform::power_machine& from, const std::string& line) {
        std::istringstream words(line);
        std::string mark;
        std::string what;
        measurement found;
        if (!(words >> mark >> what >> found.load >> found.size) || mark != "###") {
            return;
        }
        if (what == "LOAD-BEGIN") {
            begun_.emplace(from);
        } else if (what == "LOAD-END" && begun_ && words >> found.requests && found.requests != 0) {
            const counts now(from);
            const auto each = static_cast<double>(found.requests);
            found.instructions = static_cast<double>(now.instructions - begun_->instructions) / each;
            found.time_us = (now.time_us - begun_->time_us) / each;
            found.hypercalls = static_cast<double>(now.hypercalls - begun_->hypercalls) / each;
            found.bytes_shared = static_cast<double>(now.bytes_shared - begun_->bytes_shared) / each;
            boots_.back().loads.push_back(found);
            begun_.reset();
        }
    }

    [[nodiscard]] const boot& find(std::string_view name) const {
        return *std::ranges::find_if(boots_, [&](const boot& each) { return each.who->name == name; });
    }
    [[nodiscard]] static const measurement* find(const boot& in, const measurement& like) {
        const auto found = std::ranges::find_if(in.loads, [&](const measurement& each) {
            return each.load == like.load && each.size == like.size;
        });
        return found == in.loads.end() ? nullptr : &*found;
    }

    void judge_all(platform::session& in) {
        const boot& first = boots_.front();
        const bool complete = !first.loads.empty() && std::ranges::all_of(boots_, [&](const boot& each) {
            return each.loads.size() == first.loads.size();
        });
        in.expect(complete, "every boot has done every load");
        if (!complete) {
            return;
        }
        bool bounced = true;
        for (const measurement& each : find("secure").loads) {
            bounced &= each.load != "write" || each.bytes_shared >= static_cast<double>(each.size);
        }
        in.expect(bounced, "the secure guest copies every byte that it writes to where the host can read it");
        bool dearer = true;
        for (const measurement& each : find("swiotlb").loads) {
            dearer &= each.instructions > find(find("direct window"), each)->instructions;
        }
        in.expect(dearer, "bouncing costs instructions, whatever the size");
    }

    void report(platform::session& in) {
        in.add_text(boots_table() + '\n' + loads_table() + '\n' + differences());
        in.results()["comparison"] = rows();
        if (plot_.wanted()) {
            plot_.draw(picture(), in);
        }
    }

    [[nodiscard]] std::string boots_table() const {
        std::string text = fmt::format("{:<14}{:>16}{:>12}{:>12}{:>12}{:>9}\n", "A whole run", "instructions",
                                       "ms", "hypercalls", "ultracalls", "exposed");
        for (const boot& each : boots_) {
            text += fmt::format("{:<14}{:>16}{:>12.1f}{:>12}{:>12}{:>9}\n", each.who->name, each.instructions,
                                each.time_ms, each.hypercalls, each.ultracalls, each.pages_exposed);
        }
        return text + "exposed: pages of 64 KiB that the host can read at the end\n";
    }

    [[nodiscard]] std::string loads_table() const {
        std::string text = fmt::format("{:<14}{:<7}{:>9}{:>14}{:>10}{:>9}{:>8}{:>12}\n", "A request", "",
                                       "size", "instructions", "", "us", "calls", "shared");
        for (const measurement& load : boots_.front().loads) {
            for (const boot& each : boots_) {
                const measurement* const row = find(each, load);
                if (row == nullptr) {
                    continue;
                }
                text += fmt::format("{:<14}{:<7}{:>9}{:>14.0f}{:>9.2f}x{:>9.2f}{:>8.2f}{:>12}\n",
                                    each.who->name, row->load, platform::format_size(row->size),
                                    row->instructions, row->instructions / load.instructions, row->time_us,
                                    row->hypercalls,
                                    row->bytes_shared == 0 ? "" : fmt::format("{:.0f} B", row->bytes_shared));
            }
        }
        return text +
               "x: in instructions of direct; calls: hypercalls; shared: bytes that the guest wrote where "
               "the host can read them (of a secure guest)\n";
    }

    [[nodiscard]] std::string differences() const {
        std::string text;
        for (const boot& each : boots_) {
            if (!each.who->compared_with.empty()) {
                text += fmt::format("{} differs from {} in: {}\n", each.who->name, each.who->compared_with,
                                    each.who->differs_in);
            }
        }
        return text;
    }

    [[nodiscard]] nlohmann::ordered_json rows() const {
        nlohmann::ordered_json all = nlohmann::ordered_json::array();
        for (const boot& each : boots_) {
            nlohmann::ordered_json loads = nlohmann::ordered_json::array();
            for (const measurement& row : each.loads) {
                loads.push_back({{"load", row.load},
                                 {"size", row.size},
                                 {"requests", row.requests},
                                 {"instructions", row.instructions},
                                 {"us", row.time_us},
                                 {"hypercalls", row.hypercalls},
                                 {"bytes_shared", row.bytes_shared}});
            }
            all.push_back({{"way", each.who->name},
                           {"compared_with", each.who->compared_with},
                           {"differs_in", each.who->differs_in},
                           {"instructions", each.instructions},
                           {"ms", each.time_ms},
                           {"hypercalls", each.hypercalls},
                           {"ultracalls", each.ultracalls},
                           {"pages_exposed", each.pages_exposed},
                           {"private_addresses", each.private_addresses},
                           {"requests", loads}});
        }
        return all;
    }

    template <class Value>
    [[nodiscard]] gnuplot::panel panel(std::string title, std::string y_label, Value value) const {
        gnuplot::panel made{.title = std::move(title), .y_label = std::move(y_label)};
        for (const boot& each : boots_) {
            gnuplot::line& line = made.lines.emplace_back(gnuplot::line{.name = std::string(each.who->name)});
            for (const measurement& row : each.loads) {
                if (row.load == "read") {
                    line.points.emplace_back(static_cast<double>(row.size), value(row));
                }
            }
        }
        return made;
    }

    [[nodiscard]] gnuplot::picture picture() const {
        return {.title = "A read by its size, and Linux's way of DMA",
                .x_label = "request size",
                .panels = {panel("Instructions", "instructions",
                                 [](const measurement& of) { return of.instructions; }),
                           panel("Simulated time", "us", [](const measurement& of) { return of.time_us; })}};
    }

    gnuplot::plot_output plot_{"linux_compare.png"};
    std::vector<boot> boots_;
    std::string line_;  // of the console, as far as it has come
    std::optional<counts> begun_;
};

}  // namespace

int main(int argc, char** argv) { return platform::run_scenario<linux_compare>(argc, argv); }
