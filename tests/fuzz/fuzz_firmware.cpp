// SPDX-License-Identifier: Apache-2.0
//
// fuzz_firmware: what a guest asks of its firmware, right and wrong. See README.md.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <boost/endian/conversion.hpp>
#include <cstring>
#include <memory>
#include <optional>
#include <random>
#include <stdexcept>
#include <string>
#include <vector>

#include "abi/hcall.h"
#include "abi/ucall.h"
#include "platform/power/power_machine.h"
#include "tests/fuzz/case_watch.h"
#include "tests/fuzz/firmware_case.h"
#include "tests/fuzz/fresh_simulation.h"
#include "tests/fuzz/fuzz_driver.h"

namespace pefsim::fuzz {
namespace {

constexpr int hang_seconds = 60;  // of CPU time, for one case
constexpr std::size_t calls_in_a_case = 300;
constexpr std::uint64_t kernel_base = 0x4'0000;
/// One case in so many is played twice and must come to the same.
constexpr std::uint64_t repeated_cases = 16;
/// A call takes no more simulated time than it has bytes to move: what it may do is bounded.
const sc_core::sc_time longest_call(5, sc_core::SC_MS);

struct totals {
    std::uint64_t calls = 0;
    std::uint64_t served = 0;  ///< with success
    std::uint64_t secure = 0;  ///< by secure guests
    std::uint64_t ended = 0;   ///< guests that ended themselves
};

// --- the machine

platform::power_machine_config make_config(std::mt19937_64& random) {
    platform::power_machine_config config;
    config.cpus = 1 + static_cast<unsigned>(random() % 3);
    config.memory_size = std::uint64_t{1} << 20;
    config.disks.resize(random() % 3);
    for (platform::disk_config& disk : config.disks) {
        disk.size = 1 << 16;
    }
    config.network = random() % 2 == 0;
    config.entropy = random() % 2 == 0;
    config.iommu = random() % 2 == 0;
    config.firmware = platform::boot_configuration{.command_line = "console=hvc0"};
    if (random() % 2 == 0) {
        config.firmware->kernel = firmware::extent{.at = kernel_base, .size = 0x2'0000};
    }
    return config;
}

void visit(const device_tree::node& at, firmware_surroundings& around) {
    around.paths.push_back(at.path());
    for (const device_tree::property& each : at.properties()) {
        around.properties.push_back(each.name);
    }
    for (const auto& each : at.children()) {
        visit(*each, around);
    }
}

/// One case: a machine, calls to its firmware, and what must hold behind each.
class firmware_play {
public:
    firmware_play(std::uint64_t seed, bool list)
        : list_(list),
          random_(seed),
          machine_("machine", make_config(random_), seed),
          memory_(machine_.memory().ram().size()) {
        sc_core::sc_report_handler::set_actions(sc_core::SC_ID_NO_SC_START_ACTIVITY_, sc_core::SC_DO_NOTHING);
        sc_core::sc_start(sc_core::SC_ZERO_TIME);
        around_.ram_size = memory_.size();
        around_.cpus = static_cast<unsigned>(machine_.cpus());
        around_.functions = {0xff};
        for (unsigned devfn = 0; devfn < abi::pci::functions_per_bus; ++devfn) {
            if (machine_.host_bridge().function(devfn) != nullptr) {
                around_.functions.push_back(devfn);
            }
        }
        visit(machine_.firmware()->tree().root(), around_);
        around_.properties.emplace_back("name");
        if (random_() % 2 == 0) {
            become_secure();
        }
    }

    complaints play(totals& sum) {
        firmware_call_maker maker(around_, random_);
        complaints found;
        for (std::size_t n = 0; n < calls_in_a_case && found.empty() && !terminated_; ++n) {
            const firmware_call call = maker.make();
            if (list_) {
                fmt::print("{}\n", to_text(call));
            }
            if (std::string wrong = make(call, sum); !wrong.empty()) {
                found.push_back(fmt::format("call {}: {}: {}", n, to_text(call), wrong));
            }
            if (random_() % 32 == 0) {
                run_a_while();
            }
        }
        sum.ended += terminated_ ? 1 : 0;
        return found;
    }
    [[nodiscard]] std::uint64_t digest() const { return digest_; }

private:
    memory::guest_ram& ram() { return machine_.memory().ram(); }
    /// Where what the guest has in this page stands.
    memory::frame_kind frame_of(abi::gfn page) {
        return machine_.memory().states()[page] == memory::page_state::secure ? memory::frame_kind::secure
                                                                              : memory::frame_kind::normal;
    }
    [[nodiscard]] bool secure() { return machine_.uv()->state() == ultravisor::vm_state::secure; }

    /// What prom_init() of Linux does, of a guest that was started with a flat tree.
    void become_secure() {
        const firmware::firmware::flat_tree tree = machine_.firmware()->flatten(machine_.interrupts());
        put(tree.at, tree.content.data(), tree.content.size());
        power::registers state = registers_for(static_cast<std::uint64_t>(abi::ucall::uv_esm));
        state.gpr[4] = kernel_base;
        state.gpr[5] = tree.at;
        cpu::trap_context context{.cpu = 0, .delay = delay_, .writer = {}, .time_base = time_base_};
        machine_.uv()->ultracall(state, context);
        if (!secure()) {
            throw std::runtime_error(fmt::format("UV_ESM: {}", static_cast<std::int64_t>(state.gpr[3])));
        }
        time_base_ = context.time_base;
    }

    static power::registers registers_for(std::uint64_t call) {
        power::registers state;
        state.msr = power::msr_me;
        state[power::spr::lpidr] = abi::platform::lpid;
        state.gpr[3] = call;
        return state;
    }

    /// Processors that have been started, and devices.
    void run_a_while() {
        const sc_core::sc_time a_while(1, sc_core::SC_US);
        sc_core::sc_start(a_while);
        delay_ = std::max(delay_, a_while) - a_while;
        terminated_ = machine_.host().end() || sc_core::sc_get_status() == sc_core::SC_STOPPED;
    }

    void put(std::uint64_t at, const void* from, std::size_t size) {
        for (std::size_t n = 0; n < size; ++n) {
            if (at + n < around_.ram_size) {
                const abi::gfn page = (at + n) >> abi::page_shift;
                ram().write(frame_of(page),
                            page)[(at + n) % abi::page_size] = static_cast<const std::byte*>(from)[n];
            }
        }
    }
    void put(const firmware_call& call) {
        for (const firmware_call::text& each : call.texts) {
            put(each.at, each.characters.data(), each.characters.size());
        }
        std::vector<std::uint32_t> words{call.rtas ? call.token : static_cast<std::uint32_t>(call.name_at),
                                         call.n_args, call.n_rets};
        words.insert(words.end(), call.arguments.begin(), call.arguments.end());
        for (std::size_t n = 0; n < words.size(); ++n) {
            const std::uint32_t big = boost::endian::native_to_big(words[n]);
            put(call.block_at + 4 * n, &big, sizeof big);
        }
    }
    /// Memory as it is now; \returns the first byte that is not as it was, outside these areas. What a secure guest
    /// shares, the Ultravisor shares for it: pages to hand calls on.
    std::optional<std::uint64_t> note_memory(const std::vector<area>& allowed, bool compare) {
        std::optional<std::uint64_t> stray;
        for (abi::gfn page = 0; page < ram().pages(); ++page) {
            std::byte* const then = memory_.data() + (page << abi::page_shift);
            const std::byte* const now = ram().read(frame_of(page), page);
            if (secure() && frame_of(page) == memory::frame_kind::normal) {
                continue;
            }
            if (std::memcmp(then, now, abi::page_size) == 0) {
                continue;
            }
            for (std::uint64_t n = 0; compare && !stray && n < abi::page_size; ++n) {
                const std::uint64_t at = (page << abi::page_shift) + n;
                const auto has = [at](const area& each) { return at - each.at < each.size; };
                if (then[n] != now[n] && std::ranges::none_of(allowed, has)) {
                    stray = at;
                }
            }
            std::memcpy(then, now, abi::page_size);
        }
        return stray;
    }

    /// \returns what is wrong
    std::string make(const firmware_call& call, totals& sum) {
        put(call);
        note_memory({}, false);
        const sc_core::sc_time before = delay_;
        const abi::hcall entry = call.rtas ? abi::hcall::h_rtas : abi::hcall::h_client;
        power::registers state = registers_for(static_cast<std::uint64_t>(entry));
        state.gpr[4] = call.block_at;
        cpu::trap_context context{.cpu = call.cpu, .delay = delay_, .writer = {}, .time_base = time_base_};
        if (secure()) {
            state.msr |= power::msr_s;
            machine_.uv()->hypercall(state, context);
            sum.secure += 1;
        } else {
            machine_.host().hypercall(state, context);
        }
        time_base_ = context.time_base;
        terminated_ = context.terminated;
        const auto status = static_cast<std::int64_t>(state.gpr[3]);
        const std::optional<std::uint64_t> stray = note_memory(call.may_change(), true);
        sum.calls += 1;
        sum.served += status == 0 ? 1 : 0;
        digest_ = digest_ * 1'000'003 + static_cast<std::uint64_t>(status) + memory_sum();
        if (terminated_ != machine_.host().end().has_value()) {
            return "the guest has ended, or not, and nobody knows how";
        }
        if (stray) {
            return fmt::format("a byte at {:#x} has changed", *stray);
        }
        if (delay_ - before > longest_call) {
            return fmt::format("it took {}", (delay_ - before).to_string());
        }
        if (terminated_) {
            return "";  // nobody sees R3 any more
        }
        using abi::h_status;
        const bool known = status == static_cast<std::int64_t>(h_status::h_success) ||
                           status == static_cast<std::int64_t>(call.rtas ? h_status::h_parameter
                                                                         : h_status::h_hardware);
        return known ? "" : fmt::format("status {}", status);
    }

    [[nodiscard]] std::uint64_t memory_sum() const {
        std::uint64_t sum = 0;
        for (std::size_t at = 0; at < memory_.size(); at += 4096 + 8) {
            std::uint64_t word = 0;
            std::memcpy(&word, memory_.data() + at, std::min<std::size_t>(sizeof word, memory_.size() - at));
            sum = sum * 31 + word;
        }
        return sum;
    }

    bool list_;
    std::mt19937_64 random_;
    platform::power_machine machine_;
    std::vector<std::byte> memory_;  // guest memory as it last was
    firmware_surroundings around_{};
    sc_core::sc_time delay_;
    std::uint64_t time_base_ = 0;
    bool terminated_ = false;
    std::uint64_t digest_ = 0;
};

complaints try_case(const fuzz_options& how, std::uint64_t number, totals& sum) {
    const std::uint64_t seed = how.seed * 1'000'003 + number;
    complaints found;
    std::optional<std::uint64_t> digest;
    for (unsigned times = number % repeated_cases == 0 && !how.list ? 2 : 1; times > 0; --times) {
        fresh_simulation();
        try {
            firmware_play play(seed, how.list);
            for (std::string& each : play.play(sum)) {
                found.push_back(std::move(each));
            }
            if (digest && *digest != play.digest()) {
                found.emplace_back("played again, it comes to something else");
            }
            digest = play.digest();
        } catch (const std::exception& broken) {
            found.push_back(fmt::format("an exception: {}", broken.what()));
        }
        fresh_simulation();
    }
    return found;
}

int run(const fuzz_options& how) {
    watch_for_crashes();
    totals sum;
    const case_count count = play_cases(how, hang_seconds,
                                        [&](std::uint64_t number) { return try_case(how, number, sum); });
    fmt::print("{} cases of seed {}, {:.0f} s of CPU: {} failed\n", count.played, how.seed, cpu_seconds(),
               count.failed);
    fmt::print("{} calls, {} of them served, {} in secure state, {} guests ended themselves\n", sum.calls,
               sum.served, sum.secure, sum.ended);
    const bool blind = !how.only && (sum.served < sum.calls / 4 || sum.secure < sum.calls / 4);
    if (blind) {
        fmt::print("hardly anything was reached\n");
    }
    return count.failed == 0 && !blind ? 0 : 1;
}

}  // namespace
}  // namespace pefsim::fuzz

int main(int argc, char** argv) {
    pefsim::fuzz::fuzzer self{.name = "fuzz_firmware",
                              .usage = "fuzz_firmware [OPTION...]: random calls of a guest to its firmware",
                              .cases = 150,
                              .list = "each call"};
    self.run = [](const pefsim::fuzz::fuzz_options& how) { return pefsim::fuzz::run(how); };
    return pefsim::fuzz::main_of(argc, argv, self);
}
