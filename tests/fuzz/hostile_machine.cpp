// SPDX-License-Identifier: Apache-2.0
#include "tests/fuzz/hostile_machine.h"

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <fmt/format.h>
#include <systemc>
#include <unistd.h>

#include "abi/ucall.h"
#include "exposure/ledger.h"
#include "guest/device_tree.h"
#include "hypervisor/host_view.h"
#include "memory/page_state.h"
#include "report/metrics.h"
#include "report/run_ending.h"
#include "report/run_report.h"
#include "report/violations.h"
#include "tests/fuzz/fresh_simulation.h"

namespace pefsim::fuzz {

namespace {

using memory::page_state;

constexpr std::size_t secret_size = 64;

/// A machine with two CPUs at most and every kind of device.
platform::machine_config make_config(operand_values& random) {
    platform::machine_config config;
    config.cpus = random.one_in(2) ? 2 : 1;
    config.memory_size = guest_map::ram_size;
    config.policy = random.one_in(4) ? platform::host_policy::bus_error : platform::host_policy::page_out;
    config.iommu = !random.one_in(4);
    config.access_platform = random.one_in(2);
    config.indirect = !random.one_in(4);
    config.event_idx = !random.one_in(2);
    config.queue_size = 2U << random.below(8);
    config.disks = {platform::disk_config{.size = std::uint64_t{1} << 20}};
    config.network = true;
    config.mtu = random.one_in(4) ? 68 : 1500;
    config.entropy = true;
    config.time_limit = sc_core::sc_time(1, sc_core::SC_SEC);
    config.time_slice = sc_core::sc_time(config.queue_size, sc_core::SC_US);
    return config;
}

/// A number that depends on all that it was given.
class digest {
public:
    void add(std::uint64_t value) {
        state_ = (state_ ^ value) * 0x9e37'79b9'7f4a'7c15;
        state_ ^= state_ >> 29;
    }
    void add(std::string_view text) {
        for (const char each : text) {
            add(static_cast<std::uint64_t>(static_cast<unsigned char>(each)));
        }
    }
    [[nodiscard]] std::uint64_t value() const { return state_; }

private:
    std::uint64_t state_ = 1;
};

class hostile_machine : public platform::machine {
public:
    hostile_machine(const platform::machine_config& config, const guest_case& what, operand_values& random)
        : machine("machine", config, random.bits(), ultravisor::esm_entry::return_to_caller),
          what_(what) {
        shared_.devices = 3;
        shared_.list = what.list;
        std::ranges::generate(secret_, [&random] { return static_cast<std::byte>(random.bits()); });
        for (unsigned number = 0; number < config.cpus; ++number) {
            auto& cpu = cpus_.emplace_back(
                std::make_unique<native_cpu>(fmt::format("cpu{}", number).c_str(), recorder(),
                                             native_cpu::config{.number = number,
                                                                .quantum = config.quantum,
                                                                .time_slice = config.time_slice,
                                                                .costs = config.costs}));
            connect(*cpu);
            guests_.emplace_back(operand_values(random.bits()), shared_);
        }
        cpus_[0]->load([this](native_cpu& cpu) { boot(cpu); });
    }

    [[nodiscard]] progress how_far() const override { return {.done = shared_.steps, .unit = "steps"}; }
    [[nodiscard]] const guest_state& guest() const { return shared_; }
    [[nodiscard]] std::span<const std::byte> secret() const { return secret_; }
    [[nodiscard]] bool planted() const { return planted_; }
    /// The guest found something else where its secrets are.
    [[nodiscard]] bool secrets_changed() const { return secrets_changed_; }

private:
    void boot(native_cpu& cpu) {
        try {
            if (what_.begins == beginning::secure) {
                become_secure(cpu);
            }
            if (cpus_.size() > 1) {
                cpu.start_secondary(*cpus_[1],
                                    [this](native_cpu& second) { guests_[1].run(second, what_.steps); });
            }
            guests_[0].run(cpu, what_.steps);
            look_for_secrets(cpu);
            done_ = true;
        } catch (const cpu::native::guest_terminated&) {
            sc_core::sc_stop();
            throw;
        }
        sc_core::sc_stop();
    }

    void become_secure(native_cpu& cpu) {
        const std::vector<std::byte> tree = guest::flat_device_tree(guest_map::ram_size,
                                                                    static_cast<unsigned>(cpus_.size()), "");
        cpu.write(guest_map::device_tree, tree);
        cpu.ultracall(abi::ucall::uv_esm, {guest_map::kernel.value(), guest_map::device_tree.value()});
        if (!cpu.secure()) {
            return;
        }
        recorder().ledger().plant_canary("the guest's secret", secret_);
        planted_ = true;
        cpu.write(abi::page_base(guest_map::vault), secret_);
        // What devices are to reach.
        cpu.ultracall(abi::ucall::uv_share_page,
                      {guest_map::rings, guest_map::buffers_end - guest_map::rings});
    }

    void look_for_secrets(native_cpu& cpu) {
        if (planted_ && cpu.secure() && !shared_.vault_lost) {
            std::array<std::byte, secret_size> found{};
            cpu.read(abi::page_base(guest_map::vault), found);
            secrets_changed_ = !std::ranges::equal(found, secret_);
        }
    }

    [[nodiscard]] report::run_ending how_it_ended() const override {
        return done_ ? report::run_ending{report::ending_kind::finished, "all steps are done"}
                     : ended_by_supervisor();
    }
    [[nodiscard]] std::vector<std::string> what_cpus_do() const override { return {}; }

    guest_case what_;
    std::array<std::byte, secret_size> secret_{};
    guest_state shared_;
    std::vector<std::unique_ptr<native_cpu>> cpus_;
    std::vector<hostile_guest> guests_;
    bool planted_ = false;
    bool secrets_changed_ = false;
    bool done_ = false;
};

// --- Judging

/// Events on record say what, where and by whom.
void check_events(const platform::machine& machine, guest_outcome& outcome) {
    for (const report::violation& each : machine.recorder().violations().kept()) {
        if (each.who.empty() || each.detail.empty()) {
            outcome.complaints.push_back(
                fmt::format("an event without words: {} by '{}'", to_name(each.kind), each.who));
        }
    }
}

/// The Ultravisor's books, and those of what the host can see.
void check_pages(platform::machine& machine, guest_outcome& outcome) {
    const memory::page_states& states = machine.memory().states();
    std::array<std::uint64_t, memory::page_state_count> counted{};
    for (abi::gfn page = 0; page < states.size(); ++page) {
        const page_state state = states[page];
        ++counted[static_cast<std::size_t>(state)];
        const bool hosts_copy = state == page_state::pseudo_shared || state == page_state::pseudo_shared_inv;
        if (machine.recorder().ledger().exposed(page) != (exposed(state) || hosts_copy)) {
            outcome.complaints.push_back(
                fmt::format("page {} is {}, and the ledger does not know", page, to_name(state)));
        }
        if (!machine.guest_secure() && machine.uv()->state() == ultravisor::vm_state::normal &&
            state != page_state::normal) {
            outcome.complaints.push_back(
                fmt::format("page {} of an ordinary guest is {}", page, to_name(state)));
        }
    }
    for (std::size_t n = 0; n < counted.size(); ++n) {
        if (states.count(static_cast<page_state>(n)) != counted[n]) {
            outcome.complaints.push_back(fmt::format("{} pages are counted as {}, {} are",
                                                     states.count(static_cast<page_state>(n)),
                                                     to_name(static_cast<page_state>(n)), counted[n]));
        }
    }
}

/// No byte of the secrets is where the host can see it: by the exposure ledger, and by a search that knows nothing of
/// it.
void check_secrets(hostile_machine& machine, guest_outcome& outcome) {
    if (!machine.planted()) {
        return;
    }
    for (const exposure::canary_sighting& each : machine.recorder().ledger().sightings()) {
        outcome.complaints.push_back(
            fmt::format("the host saw {} by {} at {:#x}", each.canary, to_name(each.channel), each.address));
    }
    for (const abi::phys_addr at : hypervisor::host_view(machine.memory()).find(machine.secret().first(16))) {
        outcome.complaints.push_back(fmt::format("the host finds the secret at {:#x}", at.value()));
    }
    if (machine.secrets_changed()) {
        outcome.complaints.push_back("the guest's secret has changed, and the guest was not ended");
    }
}

void check_end(const hostile_machine& machine, guest_outcome& outcome) {
    outcome.finished = machine.finished();
    const bool stopped = machine.ending().kind == report::ending_kind::terminated || machine.finished();
    if (!stopped && machine.guest().idle_for_ever == 0) {
        outcome.complaints.push_back(fmt::format("{} after {} steps", machine.ending().text, outcome.steps));
    }
}

void add_figures(const hostile_machine& machine, guest_outcome& outcome) {
    const report::metric_registry& metrics = machine.recorder().metrics();
    digest all;
    for (const report::counter* each : metrics.counters) {
        all.add(each->value());
    }
    for (const report::tally* each : metrics.tallies) {
        for (std::size_t label = 0; label < each->labels().size(); ++label) {
            all.add(each->count(label));
        }
    }
    for (const report::violation& each : machine.recorder().violations().kept()) {
        all.add(each.when.value());
        all.add(static_cast<std::uint64_t>(each.kind));
        all.add(each.who);
        all.add(each.address);
        all.add(each.detail);
    }
    hypervisor::host_view(machine.memory())
        .each_page([&all](abi::gfn page, std::span<const std::byte> bytes) {
            all.add(page);
            for (std::size_t at = 0; at < bytes.size(); at += sizeof(std::uint64_t)) {
                std::uint64_t word = 0;
                std::memcpy(&word, bytes.data() + at, sizeof word);
                all.add(word);
            }
        });
    all.add(machine.elapsed().value());
    outcome.digest = all.value();
    outcome.violations = machine.recorder().violations().total();
    outcome.requests = machine.total("virtio-blk0.block", "operations") +
                       machine.counter("virtio-net0.net", "frames_transmitted") +
                       machine.counter("virtio-rng0.entropy", "requests");
    outcome.work = outcome.violations + machine.device_accesses() + machine.counter("pci", "tce_lookups") +
                   machine.counter("pci", "interrupt_messages") + machine.total("ultravisor", "hypercalls") +
                   machine.counter("ultravisor", "pages_encrypted") +
                   machine.counter("ultravisor", "pages_decrypted") +
                   machine.counter("ultravisor", "pages_zeroed");
}

/// Reports and waveforms are made of what a hostile guest did, too.
class recorded_run {
public:
    explicit recorded_run(trace::recorder& recorder) : recorder_(recorder) {
        recorder_.start({.file = file_, .title = "hostile guest"});
    }
    ~recorded_run() {
        std::error_code ignored;
        std::filesystem::remove(file_, ignored);
        std::filesystem::remove(recorder_.save_file(), ignored);
    }
    recorded_run(const recorded_run&) = delete;
    recorded_run& operator=(const recorded_run&) = delete;
    void finish() { recorder_.finish(); }

private:
    trace::recorder& recorder_;
    std::filesystem::path file_ = std::filesystem::temp_directory_path() /
                                  fmt::format("fuzz_guest.{}.vcd", ::getpid());
};

}  // namespace

guest_outcome play(const guest_case& what) {
    constexpr std::uint64_t recorded_cases = 64;
    fresh_simulation();
    guest_outcome outcome;
    operand_values random((what.seed << 32) + 2 * what.number + (what.begins == beginning::secure ? 1 : 0));
    try {
        const platform::machine_config config = make_config(random);
        hostile_machine machine(config, what, random);
        std::optional<recorded_run> recorded;
        if (what.number % recorded_cases == 3) {
            recorded.emplace(machine.recorder());
        }
        machine.run();
        outcome.steps = machine.guest().steps;
        if (recorded) {
            recorded->finish();
            static_cast<void>(figures_text(machine.recorder().record(), machine.facts()));
            static_cast<void>(figures_json(machine.recorder().record(), machine.facts()).dump());
        }
        check_end(machine, outcome);
        check_events(machine, outcome);
        check_pages(machine, outcome);
        check_secrets(machine, outcome);
        if (what.begins == beginning::secure && !machine.planted()) {
            outcome.complaints.emplace_back("the guest could not become secure");
        }
        add_figures(machine, outcome);
    } catch (const std::exception& broken) {
        outcome.complaints.push_back(fmt::format("an exception: {}", broken.what()));
    }
    fresh_simulation();
    return outcome;
}

}  // namespace pefsim::fuzz
