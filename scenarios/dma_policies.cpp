// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>
#include <fmt/format.h>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include "guest/block_workload.h"
#include "guest/dma_policy.h"
#include "platform/native/native_scenario.h"
#include "platform/quantity.h"
#include "report/violations.h"
#include "request_cost.h"

using namespace pefsim;  // NOLINT(google-build-using-namespace): a scenario is a program, not a library

namespace {

using guest::dma_policy;

/// What a policy decides over.
struct cell {
    const dma_policy* policy;
    bool offered;   ///< the host's devices offer ACCESS_PLATFORM
    bool accepted;  ///< the guest accepts it, where it is offered
    bool secure;
    bool hook;  ///< the platform has the policy's hook, and SWIOTLB's operations for it

    [[nodiscard]] std::string_view access_platform() const {
        return !offered ? "not offered" : accepted ? "accepted" : "declined";
    }
    [[nodiscard]] std::string_view guest() const { return secure ? "secure" : "ordinary"; }
    [[nodiscard]] std::string label() const {
        return fmt::format("{} {} {}{}", policy->name, guest(), access_platform(), hook ? " hook" : "");
    }
};

/// Requests of one size, one after another unless told otherwise.
struct measurement {
    std::uint64_t size;
    std::uint64_t requests;
    double us;  ///< from a request's begin to the next one's, of one CPU
    request_cost::parts parts;
    request_cost::counts counted;
};

/// What came of a cell.
struct outcome {
    cell of;
    bool works = false;
    std::string reason{};  ///< why it does not
    std::string operations = "none";
    guest::dma_ops_selection selection{guest::dma_ops_choice::none, "-"};
    std::uint64_t refused_accesses = 0;
    std::uint64_t private_addresses = 0;
    std::uint64_t untranslated = 0;
    std::uint64_t bytes_copied = 0;
    std::size_t canaries_seen = 0;
    std::vector<measurement> measured{};

    [[nodiscard]] bool bounces() const { return operations == "swiotlb"; }
};

constexpr const char* what_it_shows = R"(
how Linux has chosen its DMA operations since 2016, each way in every cell: what works, what it costs.

How Linux's virtio core has chosen its DMA operations, before the series of July 2018 and since, and how it was meant
to: each policy decides over {ACCESS_PLATFORM not offered, declined, accepted} x {ordinary, secure guest} x {with the
platform's hook, without}. Each cell boots a guest, which writes a block and reads it back: it works, or the report says
why not, how many accesses of the host were refused, which private pages it was told of, and how many bytes were copied.
Where it works, requests of several sizes show what one costs and what that goes into: driver, DMA API, getting to its
operations (--dma_ops.calls), bounce copies, locks, hypercalls and ultracalls, interrupts, the host's look-ups of
addresses, the device. Every guest has a direct window, as Linux on pSeries has. Compare ratios, not nanoseconds.)";

class dma_policies : public platform::native_scenario {
public:
    dma_policies() : native_scenario("dma_policies", what_it_shows) {}

    void configure(platform::native_machine_config& machine) override {
        machine.direct_window = true;
        machine.platform_dma_ops = platform::dma_operations::swiotlb;
    }

    void declare(platform::parameter_set& parameters) override {
        parameters.add("policy", policies_, "NAME", "a policy to show, as often as wanted; none: all");
        parameters.add("sizes", sizes_, platform::quantity::bytes, "sizes of a request");
        parameters.add("depth", depth_, "requests", "in flight, of each CPU");
        parameters.add("requests", requests_, "requests", "of each size");
        parameters.add("read-percent", read_percent_, "%", "share of reads");
        parameters.add("patience", patience_, "how long the guest waits for its first requests");
    }

    void prepare(platform::native_machine_config& machine) override {
        for (const std::string& name : policies_) {
            const auto named = std::ranges::find(guest::dma_policies(), name, &dma_policy::name);
            if (named == guest::dma_policies().end()) {
                throw std::invalid_argument(unknown_policy(name));
            }
        }
        const auto wrong = [](std::uint64_t size) {
            return size == 0 || size % 512 != 0 || size > (1U << 20);
        };
        if (const auto size = std::ranges::find_if(sizes_, wrong); size != sizes_.end()) {
            throw std::invalid_argument(
                fmt::format("sizes: {} is not a multiple of 512B up to 1MiB", platform::format_size(*size)));
        }
        if (depth_ == 0 || depth_ > 128) {
            throw std::invalid_argument(fmt::format("depth: {} is not within 1 to 128", depth_));
        }
        if (requests_ < depth_ || requests_ > 100'000) {
            throw std::invalid_argument(
                fmt::format("requests: {} is not within depth={} and 100000", requests_, depth_));
        }
        if (read_percent_ > 100) {
            throw std::invalid_argument(fmt::format("read-percent: {} is more than 100", read_percent_));
        }
        if (machine.platform_dma_ops == platform::dma_operations::none) {
            throw std::invalid_argument("dma_ops.platform: the hook needs operations");
        }
        machine.disks = {{.size = std::uint64_t{64} << 20, .blank = true}};
    }

    void run(platform::session& in) override {
        for (const dma_policy& policy : guest::dma_policies()) {
            if (policies_.empty() || std::ranges::find(policies_, policy.name) != policies_.end()) {
                show(in, policy);
            }
        }
        if (!in.options().list_signals) {
            judge_all(in);
            in.add_text(decisions() + costs());
            in.results()["cells"] = rows();
        }
    }

private:
    static std::string unknown_policy(const std::string& name) {
        std::vector<std::string> known;
        for (const dma_policy& each : guest::dma_policies()) {
            known.emplace_back(each.name);
        }
        return fmt::format("policy: {}", platform::unknown_name("policy", name, known));
    }

    void show(platform::session& in, const dma_policy& policy) {
        for (const bool secure : {false, true}) {
            for (const bool hook : {false, true}) {
                for (const auto& [offered, accepted] :
                     {std::pair{false, true}, std::pair{true, false}, std::pair{true, true}}) {
                    boot(in, {&policy, offered, accepted, secure, hook});
                }
            }
        }
    }

    void boot(platform::session& in, const cell& of) {
        platform::native_machine_config machine = config();
        machine.dma_policy = of.policy;
        machine.access_platform = of.offered;
        machine.accept_access_platform = of.accepted;
        machine.require_access_platform &= of.offered;
        machine.secure = of.secure;
        if (!of.hook) {
            machine.platform_dma_ops = platform::dma_operations::none;
        }
        outcome found{.of = of};
        run_machine(
            in, machine,
            [&](guest::kernel& kernel, cpu::native::native_cpu& cpu) {
                found.works = tries(kernel, cpu, found);
                for (std::size_t i = 0; found.works && i < sizes_.size(); ++i) {
                    measure(in, kernel, cpu, sizes_[i], found);
                }
            },
            [&](platform::native_machine& after) { note(after, found); },
            {.label = of.label(), .traced = outcomes_.empty(), .text = false});
        outcomes_.push_back(std::move(found));
    }

    /// Writes a block, reads it back and compares it. \returns whether that is what came of it
    bool tries(guest::kernel& kernel, cpu::native::native_cpu& cpu, outcome& found) {
        guest::virtio_blk_driver& disk = kernel.block(0);
        found.selection = disk.device().selection();
        if (!disk.usable()) {
            found.reason = found.selection.choice == guest::dma_ops_choice::none
                               ? std::string(found.selection.reason)
                               : "";
            return false;
        }
        found.operations = disk.device().dma_operations().operations();
        std::vector<std::byte> pattern(block_size);
        guest::fill_block_pattern(pattern, 1, 0, 1);
        const guest::buffer written = kernel.alloc(block_size);
        const guest::buffer read = kernel.alloc(block_size);
        cpu.write(written.at(), pattern);
        cpu.fill(read.at(), block_size, std::byte{0});
        if (!ask(kernel, cpu, guest::block_operation::write, written, found) ||
            !ask(kernel, cpu, guest::block_operation::read, read, found)) {
            return false;
        }
        std::vector<std::byte> back(block_size);
        cpu.read(read.at(), back);
        found.reason = back == pattern ? "" : "what was read is not what was written";
        return back == pattern;
    }

    bool ask(guest::kernel& kernel, cpu::native::native_cpu& cpu, guest::block_operation what,
             const guest::buffer& data, outcome& found) {
        answered_ = false;
        const std::array segments{guest::segment{data.at(), block_size}};
        kernel.block(0).submit(cpu, {.operation = what, .sector = 0, .data = segments},
                               [this](cpu::native::native_cpu&, const guest::block_completion& how) {
                                   answered_ = true;
                                   status_ = how.status;
                               });
        kernel.cpu_scheduler().wait_until(
            cpu, [this] { return answered_; }, cpu.now() + patience_);
        if (!answered_) {
            found.reason = fmt::format("a {} is never answered", to_name(what));
            return false;
        }
        if (status_ != guest::block_status::ok) {
            found.reason = fmt::format("a {} ends with {}", to_name(what), to_name(status_));
        }
        return status_ == guest::block_status::ok;
    }

    void measure(platform::session& in, guest::kernel& kernel, cpu::native::native_cpu& cpu,
                 std::uint64_t size, outcome& found) const {
        const guest::block_workload work{.block_size = static_cast<std::uint32_t>(size),
                                         .depth = depth_,
                                         .total_bytes = std::uint64_t{requests_} * size * kernel.cpus(),
                                         .read_percent = read_percent_,
                                         .verify = false,
                                         .seed = in.options().seed};
        const report::metric_registry& metrics = cpu.recorder().metrics();
        const request_cost::counts before(metrics, kernel.cpus());
        const guest::block_workload_result result = run_block_workload_on_every_cpu(kernel, cpu,
                                                                                    kernel.block(0), work);
        request_cost::counts counted(metrics, kernel.cpus());
        counted -= before;
        if (!result.ok()) {
            found.works = false;
            found.reason = fmt::format("{} requests of {} failed", result.errors, result.requests());
            return;
        }
        found.measured.push_back(
            {.size = size,
             .requests = result.requests(),
             .us = result.duration.to_seconds() * 1e6 * static_cast<double>(kernel.cpus()) /
                   static_cast<double>(result.requests()),
             .parts = request_cost::parts_of(result),
             .counted = counted});
    }

    static void note(platform::native_machine& after, outcome& found) {
        found.refused_accesses = after.counter("memory", "refused_accesses");
        found.private_addresses = after.counter("memory", "private_addresses");
        found.untranslated = after.counter("pci", "iommu_faults");
        found.bytes_copied = after.bytes_bounced();
        found.canaries_seen = after.canaries_seen();
        if (!after.finished()) {
            found.works = false;
            found.reason = after.ending().text;
        } else if (!found.works && found.reason.empty()) {
            const auto log = after.recorder().violations().kept();
            const auto why = std::ranges::find(log, report::violation_kind::driver_protocol,
                                               &report::violation::kind);
            found.reason = why == log.end() ? "the device is not usable" : why->detail;
        }
        if (found.private_addresses != 0 && !found.works) {
            found.reason += ": the device was told of private pages";
        }
    }

    void judge_all(platform::session& in) const {
        const auto all = [&](auto holds) { return std::ranges::all_of(outcomes_, holds); };
        in.expect(all([](const outcome& each) { return each.works == each.reason.empty(); }),
                  "every cell works, or says why it does not");
        in.expect(all([](const outcome& each) {
                      return !each.works || (each.refused_accesses == 0 && each.private_addresses == 0 &&
                                             each.untranslated == 0);
                  }),
                  "where it works no access was refused, and no device was told of a private page");
        in.expect(
            all([](const outcome& each) { return !each.works || each.bounces() == (each.bytes_copied > 0); }),
            "where it works SWIOTLB's operations copy, and no others do");
        in.expect(all([](const outcome& each) { return !each.works || !each.of.secure || each.bounces(); }),
                  "no secure guest's I/O works without them");
        in.expect(all([](const outcome& each) { return !each.of.secure || each.canaries_seen == 0; }),
                  "no secure guest's secret was seen, whether it works or not");
        in.expect(all([&](const outcome& each) {
                      return !each.of.policy->hook.empty() || each.of.hook || same_with_hook(each);
                  }),
                  "where a policy has no hook, the platform's makes no difference");
    }

    [[nodiscard]] bool same_with_hook(const outcome& each) const {
        return std::ranges::any_of(outcomes_, [&](const outcome& other) {
            return other.of.hook && other.of.policy == each.of.policy && other.of.secure == each.of.secure &&
                   other.of.access_platform() == each.of.access_platform() &&
                   other.selection.choice == each.selection.choice && other.works == each.works;
        });
    }

    // --- the report

    [[nodiscard]] std::string decisions() const {
        std::string text;
        const dma_policy* last = nullptr;
        for (const outcome& each : outcomes_) {
            if (each.of.policy != last) {
                last = each.of.policy;
                text += fmt::format("\n{} ({}): {}{}\n", last->name, last->kernel, last->decided_by,
                                    last->hook.empty() ? "" : fmt::format("; the hook is {}", last->hook));
                text += fmt::format("  {:<9}{:<13}{:<5}{:<16}{:>8}{:>8}{:>10}  {}\n", "guest", "platform",
                                    "hook", "chosen", "refused", "private", "copied", "");
            }
            text += fmt::format("  {:<9}{:<13}{:<5}{:<16}{:>8}{:>8}{:>10}  {}\n", each.of.guest(),
                                each.of.access_platform(), each.of.hook ? "yes" : "no",
                                to_name(each.selection.choice), each.refused_accesses, each.private_addresses,
                                each.bytes_copied, each.works ? "works" : each.reason);
        }
        return text;
    }

    [[nodiscard]] std::string costs() const {
        std::string text = "\nOne request (us), of the cells that work\n\n";
        text += fmt::format("{:<46}{:>8}{:>9}{:>8}{:>8}{:>9}{:>8}{:>7}{:>8}{:>8}{:>8}{:>8}{:>9}\n", "",
                            "size", "request", "driver", "dma api", "indirect", "copies", "locks", "hcalls",
                            "ucalls", "irqs", "iotlb", "device");
        for (const outcome& each : outcomes_) {
            for (const measurement& of : each.measured) {
                text += fmt::format("{:<46}{:>8}{:>9.3f}{:>8.3f}{:>8.3f}{:>9.3f}{:>8.3f}{:>7.3f}{:>8.3f}"
                                    "{:>8.3f}{:>8.3f}{:>8.3f}{:>9.3f}\n",
                                    each.of.label(), platform::format_size(of.size), of.us, of.parts.driver,
                                    of.parts.dma_api, of.parts.indirect_calls, of.parts.copies,
                                    of.parts.locks, of.parts.hypercalls, of.parts.ultracalls,
                                    of.parts.interrupts, iotlb(of), device(of));
            }
        }
        return text;
    }

    /// The host's look-ups of a request's addresses. They pass while the CPU waits.
    [[nodiscard]] double iotlb(const measurement& of) const {
        return static_cast<double>(of.counted.tce_lookups) * config().costs.tce_walk_ns / 1e3 /
               static_cast<double>(of.requests);
    }
    [[nodiscard]] double device(const measurement& of) const {
        return std::max(0.0, of.parts.waiting - iotlb(of));
    }

    [[nodiscard]] nlohmann::ordered_json rows() const {
        nlohmann::ordered_json rows = nlohmann::ordered_json::array();
        for (const outcome& each : outcomes_) {
            nlohmann::ordered_json requests = nlohmann::ordered_json::array();
            for (const measurement& of : each.measured) {
                requests.push_back(row_of(of));
            }
            rows.push_back({{"policy", each.of.policy->name},
                            {"offered", each.of.offered},
                            {"accepted", each.of.offered && each.of.accepted},
                            {"guest", each.of.guest()},
                            {"hook", each.of.hook},
                            {"works", each.works},
                            {"reason", each.reason},
                            {"operations", each.operations},
                            {"chosen", to_name(each.selection.choice)},
                            {"because", each.selection.reason},
                            {"calls", to_name(each.selection.calls)},
                            {"refused_accesses", each.refused_accesses},
                            {"private_addresses", each.private_addresses},
                            {"untranslated_accesses", each.untranslated},
                            {"bytes_copied", each.bytes_copied},
                            {"requests", std::move(requests)}});
        }
        return rows;
    }

    [[nodiscard]] nlohmann::ordered_json row_of(const measurement& of) const {
        const auto each = [&](std::uint64_t all) {
            return static_cast<double>(all) / static_cast<double>(of.requests);
        };
        return {{"size", of.size},
                {"depth", depth_},
                {"requests", of.requests},
                {"us", of.us},
                {"cpu_us", of.parts.work()},
                {"parts_us",
                 {{"driver", of.parts.driver},
                  {"dma_api", of.parts.dma_api},
                  {"indirect_calls", of.parts.indirect_calls},
                  {"copies", of.parts.copies},
                  {"locks", of.parts.locks},
                  {"hypercalls", of.parts.hypercalls},
                  {"ultracalls", of.parts.ultracalls},
                  {"interrupts", of.parts.interrupts},
                  {"iotlb", iotlb(of)},
                  {"device", device(of)}}},
                {"bytes_copied", each(of.counted.bounced)},
                {"dma_calls", 2 * each(of.counted.mappings)},
                {"hypercalls", each(of.counted.hypercalls)},
                {"ultracalls", each(of.counted.ultracalls)},
                {"mmio", each(of.counted.mmio)},
                {"tce_lookups", each(of.counted.tce_lookups)}};
    }

    static constexpr std::uint32_t block_size = 4096;

    std::vector<std::string> policies_;
    std::vector<std::uint64_t> sizes_{4096, 65536};
    unsigned depth_ = 1;
    unsigned requests_ = 64;
    unsigned read_percent_ = 50;
    sc_core::sc_time patience_{20, sc_core::SC_MS};
    bool answered_ = false;  // the request that a guest waits for
    guest::block_status status_{};
    std::vector<outcome> outcomes_;
};

}  // namespace

int main(int argc, char** argv) { return platform::run_scenario<dma_policies>(argc, argv); }
