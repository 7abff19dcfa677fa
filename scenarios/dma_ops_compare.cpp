// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>
#include <cmath>
#include <fmt/format.h>
#include <optional>
#include <stdexcept>
#include <vector>

#include "gnuplot.h"
#include "guest/block_workload.h"
#include "platform/native/native_scenario.h"
#include "platform/quantity.h"
#include "report/metrics.h"
#include "request_cost.h"

using namespace pefsim;  // NOLINT(google-build-using-namespace): a scenario is a program, not a library

namespace {

/// A way to give devices their buffers: a module of DMA operations, in a kind of guest. Each differs in one thing from
/// the one that it is compared with.
struct contender {
    std::string_view name;
    std::string_view dma_ops;
    std::string_view guest;
    std::string_view compared_with;
    std::string_view differs_in;
    void (*configure)(platform::native_machine_config&);
};

void bounce(platform::native_machine_config& machine) {
    machine.access_platform = false;
    machine.platform_dma_ops = platform::dma_operations::swiotlb;
    machine.override_when = guest::platform_override::always;
}

// An ordinary guest with the other modules would not do in a secure one: the host reads ciphertext
// (direct_in_secure_guest).
constexpr std::array contenders{
    contender{"direct", "direct", "ordinary", "", "",
              [](platform::native_machine_config& machine) { machine.access_platform = false; }},
    contender{"iommu", "iommu", "ordinary", "direct",
              "the module (and ACCESS_PLATFORM, for its sake): mapping by hypercall",
              [](platform::native_machine_config& machine) {
                  machine.access_platform = true;
                  machine.arch_dma_ops = platform::dma_operations::iommu;
              }},
    contender{"swiotlb", "swiotlb", "ordinary", "direct", "the module: bouncing", bounce},
    contender{"swiotlb-secure", "swiotlb", "secure", "swiotlb", "the guest is secure: protection",
              [](platform::native_machine_config& machine) {
                  bounce(machine);
                  machine.secure = true;
              }},
};

/// Where the CPUs' time goes, in order of the table. Together they are all of it.
enum class part : std::uint8_t { driver, copies, locks, hypercalls, ultracalls, interrupts, waiting };
constexpr std::array<std::string_view, 7> part_names{"driver",     "copies",     "locks",  "hypercalls",
                                                     "ultracalls", "interrupts", "waiting"};
constexpr std::array<std::string_view, 7> part_headings{"driver", "copies", "locks",  "hcalls",
                                                        "ucalls", "irqs",   "waiting"};
using parts = std::array<double, part_names.size()>;  // us

parts parts_of(const guest::block_workload_result& result) {
    const request_cost::parts of = request_cost::parts_of(result);
    return {of.driver + of.dma_api + of.indirect_calls,
            of.copies,
            of.locks,
            of.hypercalls,
            of.ultracalls,
            of.interrupts,
            of.waiting};
}

struct measurement {
    const contender* who;
    std::uint64_t size;
    std::uint64_t depth;
    bool complete;
    std::uint64_t requests;
    double duration_us;
    double mb_per_s;
    double mean_latency_us;
    double cpu_us;  ///< of a request, on all CPUs together
    parts cpu_parts;
    request_cost::counts counted;  ///< by the workload

    /// The CPUs wait for it most of the time.
    [[nodiscard]] bool device_bound() const {
        return cpu_parts[static_cast<std::size_t>(part::waiting)] > cpu_us / 2;
    }
};

constexpr const char* what_it_shows = R"(
the same work under every module of DMA operations: table, JSON and plot.

The same block workload under every module of DMA operations: direct, iommu and swiotlb in an ordinary guest, and
swiotlb in a secure one, so that neighbours differ in one thing: what bouncing costs, and what protection costs on
top. Requests of several sizes at several queue depths, on every CPU (--cpus). Shows throughput and latency, where the
CPUs' time goes for each request (driver and DMA-ops calls, copies, locks, hypercalls with MMIO, ultracalls,
interrupts, waiting for the device), the JSON report, and a plot (PNG and SVG). The disk and its
link are fast enough by default for the CPU to be the bottleneck; where they are not, the table says so. Compare
ratios, not nanoseconds. The trace is that of the first run of swiotlb in a secure guest.)";

class dma_ops_compare : public platform::native_scenario {
public:
    dma_ops_compare() : native_scenario("dma_ops_compare", what_it_shows) {}

    void configure(platform::native_machine_config& machine) override {
        machine.swiotlb_size = std::uint64_t{16} << 20;
        machine.costs.block_latency_us = 2;
        machine.costs.block_gb_per_s = 200;
        machine.costs.pci_latency_ns = 5;
        machine.costs.pci_gb_per_s = 200;
    }

    void declare(platform::parameter_set& parameters) override {
        parameters.add("sizes", sizes_, platform::quantity::bytes, "sizes of a request");
        parameters.add("depths", depths_, platform::quantity::count, "requests in flight, of each CPU");
        parameters.add("bytes", bytes_, platform::quantity::bytes, "bytes", "moved in each run, at least");
        parameters.add("read-percent", read_percent_, "%", "share of reads");
        plot_.declare(parameters);
    }

    void prepare(platform::native_machine_config&) override {
        const auto wrong = [](std::uint64_t size) {
            return size == 0 || size % 512 != 0 || size > (1U << 20);
        };
        if (const auto size = std::ranges::find_if(sizes_, wrong); size != sizes_.end()) {
            throw std::invalid_argument(
                fmt::format("sizes: {} is not a multiple of 512B up to 1MiB", platform::format_size(*size)));
        }
        if (std::ranges::any_of(depths_, [](std::uint64_t depth) { return depth == 0 || depth > 128; })) {
            throw std::invalid_argument("depths: queue depths from 1 to 128 are allowed");
        }
        if (read_percent_ > 100) {
            throw std::invalid_argument(fmt::format("read-percent: {} is more than 100", read_percent_));
        }
    }

    void run(platform::session& in) override {
        if (plot_.wanted() && !in.options().list_signals) {
            plot_.open();
        }
        for (const contender& who : contenders) {
            for (const std::uint64_t size : sizes_) {
                for (const std::uint64_t depth : depths_) {
                    measure(in, who, size, depth);
                }
            }
        }
        if (!in.options().list_signals) {
            judge_all(in);
            if (!incomplete_) {
                report(in);
            }
        }
    }

private:
    void measure(platform::session& in, const contender& who, std::uint64_t size, std::uint64_t depth) {
        platform::native_machine_config machine = config();
        who.configure(machine);
        const std::uint64_t in_flight = size * depth * machine.cpus;
        machine.disks = {{.size = std::max(std::uint64_t{64} << 20, 2 * in_flight)}};
        const guest::block_workload work{.block_size = static_cast<std::uint32_t>(size),
                                         .depth = static_cast<unsigned>(depth),
                                         .total_bytes = std::max(bytes_, 4 * in_flight),
                                         .read_percent = read_percent_,
                                         .random = true,
                                         .verify = false,
                                         .seed = in.options().seed};
        guest::block_workload_result result;
        std::optional<request_cost::counts> counted;
        const bool first_secure = who.guest == "secure" && size == sizes_.front() && depth == depths_.front();
        run_machine(
            in, machine,
            [&](guest::kernel& kernel, cpu::native::native_cpu& cpu) {
                const report::metric_registry& metrics = cpu.recorder().metrics();
                const request_cost::counts before(metrics, kernel.cpus());
                result = run_block_workload_on_every_cpu(kernel, cpu, kernel.block(0), work);
                counted.emplace(metrics, kernel.cpus());
                *counted -= before;
            },
            [&](platform::native_machine& after) {
                if (!counted || result.requests() == 0) {
                    incomplete_ = true;
                    return;
                }
                const report::duration_histogram* latency = after.recorder().metrics().find_histogram(
                    "machine.kernel.virtio_blk0", "latency");
                measurements_.push_back(
                    {.who = &who,
                     .size = size,
                     .depth = depth,
                     .complete = after.finished() && result.ok(),
                     .requests = result.requests(),
                     .duration_us = result.duration.to_seconds() * 1e6,
                     .mb_per_s = result.bytes_per_second() / 1e6,
                     .mean_latency_us = latency->mean_ns() / 1e3,
                     .cpu_us = result.cpu_time.to_seconds() * 1e6 / static_cast<double>(result.requests()),
                     .cpu_parts = parts_of(result),
                     .counted = *counted});
            },
            {.label = fmt::format("{} {} depth {}", who.name, platform::format_size(size), depth),
             .traced = first_secure,
             .text = false});
    }

    [[nodiscard]] const measurement& find(std::string_view name, std::uint64_t size,
                                          std::uint64_t depth) const {
        return *std::ranges::find_if(measurements_, [&](const measurement& each) {
            return each.who->name == name && each.size == size && each.depth == depth;
        });
    }

    void judge_all(platform::session& in) {
        in.expect(!incomplete_ && std::ranges::all_of(measurements_, &measurement::complete),
                  "every run completed all of its requests without error");
        if (incomplete_) {
            return;
        }
        bool direct_cheapest = true;
        bool bounced_only_by_swiotlb = true;
        for (const measurement& each : measurements_) {
            direct_cheapest &= work_of(each) >= work_of(find("direct", each.size, each.depth)) * 0.999;
            bounced_only_by_swiotlb &= (each.counted.bounced > 0) == (each.who->dma_ops == "swiotlb");
        }
        in.expect(direct_cheapest, "no way takes less of the CPUs' work than direct, for any size and depth");
        in.expect(bounced_only_by_swiotlb, "swiotlb copies every byte, the others none");
    }

    /// CPU time of a request that is not waiting for the device.
    static double work_of(const measurement& of) {
        return of.cpu_us - of.cpu_parts[static_cast<std::size_t>(part::waiting)];
    }

    template <class Each>
    void for_each_setting(Each each) const {
        for (const std::uint64_t size : sizes_) {
            for (const std::uint64_t depth : depths_) {
                each(size, depth);
            }
        }
    }

    void report(platform::session& in) {
        in.add_text(throughput_table());
        in.add_text(cost_table());
        in.results()["comparison"] = rows();
        if (plot_.wanted()) {
            plot_.draw(picture(), in);
        }
    }

    [[nodiscard]] std::string throughput_table() const {
        std::string text =
            "Throughput (MB/s) and mean latency (us); * the CPUs wait for the device most of the time\n\n";
        text += fmt::format("{:>9}{:>7}", "size", "depth");
        for (const contender& who : contenders) {
            text += fmt::format("{:>21} ", who.name);
        }
        text += '\n';
        for_each_setting([&](std::uint64_t size, std::uint64_t depth) {
            text += fmt::format("{:>9}{:>7}", platform::format_size(size), depth);
            for (const contender& who : contenders) {
                const measurement& row = find(who.name, size, depth);
                text += fmt::format("{:>12.1f}{:>9.1f}{}", row.mb_per_s, row.mean_latency_us,
                                    row.device_bound() ? '*' : ' ');
            }
            text += '\n';
        });
        return text;
    }

    [[nodiscard]] std::string cost_table() const {
        std::string text = "\nCPU time of a request (us) and what it goes into; work: all but waiting, and "
                           "in the neighbour's\n\n";
        text += fmt::format("{:>9}{:>7} {:<15}", "size", "depth", "");
        for (const std::string_view name : part_headings) {
            text += fmt::format("{:>9}", name);
        }
        text += fmt::format("{:>9}{:>9}\n", "together", "work");
        for_each_setting([&](std::uint64_t size, std::uint64_t depth) {
            for (const contender& who : contenders) {
                const measurement& row = find(who.name, size, depth);
                text += fmt::format("{:>9}{:>7} {:<15}", platform::format_size(size), depth, who.name);
                for (const double each : row.cpu_parts) {
                    text += fmt::format("{:>9.3f}", each);
                }
                text += fmt::format("{:>9.3f}{:>9.3f}", row.cpu_us, work_of(row));
                text += who.compared_with.empty()
                            ? "\n"
                            : fmt::format("{:>7.2f}x {}\n", price(row), who.compared_with);
            }
        });
        text += '\n';
        for (const contender& who : contenders) {
            if (!who.compared_with.empty()) {
                text += fmt::format("{} differs from {} in: {}\n", who.name, who.compared_with,
                                    who.differs_in);
            }
        }
        return text;
    }

    /// The CPUs' work for a request, in that of the neighbour's.
    [[nodiscard]] double price(const measurement& row) const {
        return work_of(row) / work_of(find(row.who->compared_with, row.size, row.depth));
    }

    [[nodiscard]] nlohmann::ordered_json rows() const {
        nlohmann::ordered_json rows = nlohmann::ordered_json::array();
        for_each_setting([&](std::uint64_t size, std::uint64_t depth) {
            for (const contender& who : contenders) {
                const measurement& row = find(who.name, size, depth);
                nlohmann::ordered_json cpu = {{"together", row.cpu_us}};
                for (std::size_t i = 0; i < part_names.size(); ++i) {
                    cpu[std::string(part_names[i])] = row.cpu_parts[i];
                }
                nlohmann::ordered_json one = {{"way", who.name},
                                              {"dma_ops", who.dma_ops},
                                              {"guest", who.guest},
                                              {"cpus", config().cpus},
                                              {"size", size},
                                              {"depth", depth},
                                              {"requests", row.requests},
                                              {"duration_us", row.duration_us},
                                              {"mb_per_s", row.mb_per_s},
                                              {"mean_latency_us", row.mean_latency_us},
                                              {"cpu_us_per_request", cpu},
                                              {"bottleneck", row.device_bound() ? "device" : "cpu"},
                                              {"bytes_bounced", row.counted.bounced},
                                              {"hypercalls", row.counted.hypercalls},
                                              {"ultracalls", row.counted.ultracalls},
                                              {"mmio", row.counted.mmio}};
                if (!who.compared_with.empty()) {
                    one["compared_with"] = who.compared_with;
                    one["differs_in"] = who.differs_in;
                    one["cpu_work_ratio"] = price(row);
                }
                rows.push_back(one);
            }
        });
        return rows;
    }

    template <class Value>
    [[nodiscard]] gnuplot::panel panel(std::string title, std::string y_label, Value value) const {
        gnuplot::panel made{.title = std::move(title), .y_label = std::move(y_label), .logarithmic = true};
        for (const contender& who : contenders) {
            for (const std::uint64_t depth : depths_) {
                gnuplot::line& line = made.lines.emplace_back(
                    gnuplot::line{.name = std::string(who.name), .variant = fmt::format("depth {}", depth)});
                for (const std::uint64_t size : sizes_) {
                    line.points.emplace_back(static_cast<double>(size), value(find(who.name, size, depth)));
                }
            }
        }
        return made;
    }

    /// Of the size nearest to a page of 4 KiB, with the deepest queue: there the CPUs wait least.
    [[nodiscard]] gnuplot::bars split() const {
        const auto size = *std::ranges::min_element(sizes_, {}, [](std::uint64_t each) {
            return std::abs(std::log2(static_cast<double>(each) / 4096));
        });
        const std::uint64_t depth = *std::ranges::max_element(depths_);
        gnuplot::bars made{.title = fmt::format("What the CPU time of a request of {} goes into, depth {}",
                                                platform::format_size(size), depth),
                           .y_label = "us"};
        for (const contender& who : contenders) {
            made.rows.push_back({.name = std::string(who.name)});
        }
        // A part that nobody would see needs no colour.
        constexpr double visible = 0.005;
        for (std::size_t i = 0; i < part_names.size(); ++i) {
            const auto of = [&](const contender& who) { return find(who.name, size, depth).cpu_parts[i]; };
            if (std::ranges::none_of(contenders, [&](const contender& who) {
                    return of(who) > visible * find(who.name, size, depth).cpu_us;
                })) {
                continue;
            }
            made.parts.emplace_back(part_names[i]);
            for (std::size_t row = 0; row < contenders.size(); ++row) {
                made.rows[row].values.push_back(of(contenders[row]));
            }
        }
        return made;
    }

    [[nodiscard]] gnuplot::picture picture() const {
        return {
            .title = "The same work under every module of DMA operations",
            .x_label = "request size",
            .panels = {panel("Throughput", "MB/s", [](const measurement& of) { return of.mb_per_s; }),
                       panel("Mean latency", "us", [](const measurement& of) { return of.mean_latency_us; })},
            .split = split()};
    }

    std::vector<std::uint64_t> sizes_{512, 4096, 16384, 65536, 262144};
    std::vector<std::uint64_t> depths_{1, 8, 32};
    std::uint64_t bytes_ = std::uint64_t{4} << 20;
    unsigned read_percent_ = 50;
    gnuplot::plot_output plot_{"dma_ops_compare.png"};
    std::vector<measurement> measurements_;
    bool incomplete_ = false;  // a run ended before its workload had
};

}  // namespace

int main(int argc, char** argv) { return platform::run_scenario<dma_ops_compare>(argc, argv); }
