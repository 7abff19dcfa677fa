// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>
#include <fmt/format.h>
#include <optional>
#include <stdexcept>
#include <vector>

#include "gnuplot.h"
#include "guest/block_workload.h"
#include "output/whole_file.h"
#include "platform/quantity.h"
#include "platform/scenario.h"

using namespace pefsim;  // NOLINT(google-build-using-namespace): a scenario is a programme, not a library

namespace {

/// A way to give devices their buffers: the module, and the guest that it is for.
struct contender {
    std::string_view name;
    std::string_view guest;
    void (*configure)(platform::machine_config&);
};

constexpr std::array contenders{
    contender{"direct", "ordinary guest",
              [](platform::machine_config& machine) { machine.access_platform = false; }},
    contender{"iommu", "ordinary guest, ACCESS_PLATFORM",
              [](platform::machine_config& machine) {
                  machine.access_platform = true;
                  machine.arch_dma_ops = platform::dma_operations::iommu;
              }},
    contender{"swiotlb", "secure guest",
              [](platform::machine_config& machine) {
                  machine.secure = true;
                  machine.platform_dma_ops = platform::dma_operations::swiotlb;
              }},
};

struct measurement {
    const contender* who;
    std::uint64_t size;
    std::uint64_t depth;
    bool complete;
    double mb_per_s;
    double mean_latency_us;
    std::uint64_t bounced;
    std::uint64_t hypercalls;
    std::uint64_t ultracalls;
};

class dma_ops_compare : public platform::scenario {
public:
    dma_ops_compare()
        : scenario("dma_ops_compare", "The same block workload under every module of DMA operations: direct "
                                      "and iommu in an ordinary guest, swiotlb "
                                      "in a secure one; requests of several sizes at several queue depths. "
                                      "Shows what each way costs: a table, "
                                      "the JSON report, and a plot (PNG) of throughput by request size. "
                                      "Compare ratios, not nanoseconds. The trace is that of "
                                      "the first swiotlb run.") {}

    void configure(platform::machine_config& machine) override {
        machine.swiotlb_size = std::uint64_t{16} << 20;
    }

    void declare(platform::parameter_set& parameters) override {
        parameters.add("sizes", sizes_, platform::quantity::bytes, "sizes of a request");
        parameters.add("depths", depths_, platform::quantity::count, "requests in flight");
        parameters.add("bytes", bytes_, platform::quantity::bytes, "bytes", "moved in each run, at least");
        parameters.add("read-percent", read_percent_, "%", "share of reads");
        parameters.add("plot", plot_, output::file_use::output, "PNG file with the plot; none: no plot");
    }

    void prepare(platform::machine_config&) override {
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
        if (!plot_.empty() && !in.options().list_signals) {
            picture_.emplace("plot", plot_, output::whole_file::access::by_name);
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
            report(in);
        }
    }

private:
    void measure(platform::session& in, const contender& who, std::uint64_t size, std::uint64_t depth) {
        platform::machine_config machine = config();
        who.configure(machine);
        machine.disks = {{.size = std::uint64_t{64} << 20}};
        const guest::block_workload work{.block_size = static_cast<std::uint32_t>(size),
                                         .depth = static_cast<unsigned>(depth),
                                         .total_bytes = std::max(bytes_, size * depth * 4),
                                         .read_percent = read_percent_,
                                         .random = true,
                                         .verify = false,
                                         .seed = in.options().seed};
        guest::block_workload_result result;
        const bool first_swiotlb = who.name == "swiotlb" && size == sizes_.front() &&
                                   depth == depths_.front();
        in.run(
            machine,
            [&](guest::kernel& kernel, cpu::native::native_cpu& cpu) {
                result = run_block_workload(kernel, cpu, kernel.block(0), work);
            },
            [&](platform::machine& after) {
                const trace::duration_histogram* latency = after.recorder().metrics().find_histogram(
                    "machine.kernel.virtio_blk0", "latency");
                measurements_.push_back({&who, size, depth, after.finished() && result.ok(),
                                         result.bytes_per_second() / 1e6, latency->mean_ns() / 1e3,
                                         after.bytes_bounced(), after.total("cpu0", "hypercalls"),
                                         after.total("cpu0", "ultracalls")});
            },
            {.label = fmt::format("{} {} depth {}", who.name, platform::format_size(size), depth),
             .traced = first_swiotlb,
             .text = false});
    }

    [[nodiscard]] const measurement& find(std::string_view name, std::uint64_t size,
                                          std::uint64_t depth) const {
        return *std::ranges::find_if(measurements_, [&](const measurement& each) {
            return each.who->name == name && each.size == size && each.depth == depth;
        });
    }

    void judge_all(platform::session& in) {
        in.expect(std::ranges::all_of(measurements_, &measurement::complete),
                  "every run completed all of its requests without error");
        bool direct_first = true;
        bool bounced_only_by_swiotlb = true;
        for (const measurement& each : measurements_) {
            direct_first &= each.mb_per_s <= find("direct", each.size, each.depth).mb_per_s * 1.001;
            bounced_only_by_swiotlb &= (each.bounced > 0) == (each.who->name == "swiotlb");
        }
        in.expect(direct_first, "no way is faster than direct, for any size and depth");
        in.expect(bounced_only_by_swiotlb, "swiotlb copies every byte, the others none");
    }

    void report(platform::session& in) {
        std::string text = "Throughput (MB/s), and mean latency (us)\n\n";
        text += fmt::format("{:>9}{:>7}", "size", "depth");
        for (const contender& who : contenders) {
            text += fmt::format("{:>22}", who.name);
        }
        text += fmt::format("{:>16}\n", "swiotlb/direct");
        nlohmann::ordered_json rows = nlohmann::ordered_json::array();
        for (const std::uint64_t size : sizes_) {
            for (const std::uint64_t depth : depths_) {
                text += fmt::format("{:>9}{:>7}", platform::format_size(size), depth);
                for (const contender& who : contenders) {
                    const measurement& row = find(who.name, size, depth);
                    text += fmt::format("{:>12.1f}{:>10.1f}", row.mb_per_s, row.mean_latency_us);
                    rows.push_back({{"dma_ops", who.name},
                                    {"guest", who.guest},
                                    {"size", size},
                                    {"depth", depth},
                                    {"mb_per_s", row.mb_per_s},
                                    {"mean_latency_us", row.mean_latency_us},
                                    {"bytes_bounced", row.bounced},
                                    {"hypercalls", row.hypercalls},
                                    {"ultracalls", row.ultracalls}});
                }
                text += fmt::format("{:>15.2f}x\n", find("swiotlb", size, depth).mb_per_s /
                                                        find("direct", size, depth).mb_per_s);
            }
        }
        in.results()["comparison"] = rows;
        in.add_text(text);
        if (picture_) {
            plot(in);
        }
    }

    void plot(platform::session& in) {
        gnuplot::line_plot picture{.title = "Throughput by request size and DMA operations",
                                   .x_label = "request size (bytes)",
                                   .y_label = "MB/s",
                                   .lines = {}};
        for (const contender& who : contenders) {
            for (const std::uint64_t depth : depths_) {
                auto& line = picture.lines.emplace_back(fmt::format("{}, depth {}", who.name, depth));
                for (const std::uint64_t size : sizes_) {
                    line.points.emplace_back(static_cast<double>(size), find(who.name, size, depth).mb_per_s);
                }
            }
        }
        switch (gnuplot::draw(picture, picture_->scratch())) {
        case gnuplot::outcome::not_installed:
            picture_->discard();
            in.add_text("No plot: gnuplot is not installed.\n");
            return;
        case gnuplot::outcome::failed:
            picture_->fail();
            break;
        case gnuplot::outcome::drawn:
            break;
        }
        in.commit("plot", *picture_);
    }

    std::vector<std::uint64_t> sizes_{512, 4096, 16384, 65536, 262144};
    std::vector<std::uint64_t> depths_{1, 8, 32};
    std::uint64_t bytes_ = std::uint64_t{4} << 20;
    unsigned read_percent_ = 50;
    std::filesystem::path plot_ = "dma_ops_compare.png";
    std::optional<output::whole_file> picture_;
    std::vector<measurement> measurements_;
};

}  // namespace

int main(int argc, char** argv) { return platform::run_scenario<dma_ops_compare>(argc, argv); }
