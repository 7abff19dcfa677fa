// SPDX-License-Identifier: Apache-2.0
#include "platform/machine.h"

#include <algorithm>
#include <array>
#include <csignal>
#include <deque>
#include <fmt/format.h>
#include <iterator>
#include <set>
#include <utility>

#include "backend/disk_image.h"
#include "backend/memory_disk.h"
#include "backend/memory_stream.h"
#include "backend/user_network.h"
#include "exposure/ledger.h"
#include "output/stop_request.h"
#include "platform/buffer_text.h"
#include "platform/seeds.h"
#include "report/metrics.h"
#include "report/quantity_text.h"
#include "report/violations.h"
#include "virtio/block.h"
#include "virtio/console.h"
#include "virtio/entropy.h"
#include "virtio/net.h"

namespace pefsim::platform {
namespace {

using sc_core::sc_time;

backend::image_mode mode_of(disk_access access) {
    switch (access) {
    case disk_access::read_write:
        return backend::image_mode::read_write;
    case disk_access::read_only:
        return backend::image_mode::read_only;
    case disk_access::snapshot:
        return backend::image_mode::snapshot;
    }
    return backend::image_mode::read_only;
}

virtio::virtio_pci_device::config transport_of(const machine_config& config) {
    return {.access_platform = config.access_platform,
            .indirect_desc = config.indirect,
            .event_idx = config.event_idx,
            .require_access_platform = config.require_access_platform,
            .packed = config.packed,
            .in_order = config.in_order,
            .notification_data = config.notification_data,
            .judge_addresses = config.ultravisor,
            .costs = config.costs};
}

constexpr std::array shared_states{memory::page_state::normal, memory::page_state::shared,
                                   memory::page_state::shared_implicit};

}  // namespace

machine::machine(const sc_core::sc_module_name& name, const machine_config& config, std::uint64_t seed,
                 ultravisor::esm_entry entry)
    : sc_module(name),
      seed_(seed),
      cpus_(config.cpus),
      time_limit_(config.time_limit),
      transport_(transport_of(config)) {
    config.check();
    for (const machine_config::watch& each : config.watches()) {
        recorder_.ledger().stories().watch(each.first, each.size,
                                           memory::to_name(memory::page_state::normal));
    }
    build_host(config, entry);
    build_devices(config);
}

machine::~machine() = default;

// --- assembly

void machine::build_host(const machine_config& config, ultravisor::esm_entry entry) {
    memory_ = std::make_unique<memory::memory_bus>(
        "memory", recorder_, memory::memory_bus::config{.ram_size = config.memory_size});
    xics_ = std::make_unique<interrupt::xics>("xics", recorder_,
                                              interrupt::xics::config{.servers = config.cpus});
    if (config.xive) {
        xive_ = std::make_unique<interrupt::xive_controller>(
            "xive", recorder_,
            interrupt::xive_controller::config{.servers = config.cpus, .costs = config.costs});
        xive_->memory.bind(memory_->initiators);
    }
    controllers_ = std::make_unique<interrupt::interrupt_controllers>(*xics_, xive_.get());
    host_bridge_ = std::make_unique<pci::host_bridge>("pci", recorder_,
                                                      pci::host_bridge::config{.ram_size = config.memory_size,
                                                                               .iommu_bypass = !config.iommu,
                                                                               .costs = config.costs});
    host_bridge_->memory.bind(memory_->initiators);
    host_bridge_->interrupts(*controllers_);

    hypervisor::hypervisor::config host{.ram_size = config.memory_size,
                                        .on_secure_page = config.policy == host_policy::page_out
                                                              ? hypervisor::secure_page_policy::page_out
                                                              : hypervisor::secure_page_policy::bus_error,
                                        .seed = seed_for(seed_, random_stream::hypervisor),
                                        .costs = config.costs};
    hypervisor_ = std::make_unique<hypervisor::hypervisor>("hypervisor", recorder_, host, *controllers_,
                                                           host_bridge_->iommu());
    hypervisor_->memory.bind(memory_->initiators);
    hypervisor_->mmio.bind(host_bridge_->mmio);
    if (xive_) {
        hypervisor_->interrupt_mmio.bind(xive_->mmio);
    }
    memory_->host_fault(*hypervisor_);

    if (config.ultravisor) {
        ultravisor_ = std::make_unique<ultravisor::ultravisor>(
            "ultravisor", recorder_, *memory_,
            ultravisor::ultravisor::config{.costs = config.costs,
                                           .seed = seed_for(seed_, random_stream::ultravisor),
                                           .entry = entry,
                                           .esm = config.esm});
        ultravisor_->hypervisor(*hypervisor_);
        ultravisor_->guest_access.bind(memory_->initiators);
        hypervisor_->ultravisor(*ultravisor_);
    }
}

void machine::plug(std::unique_ptr<pci::pci_function> function) {
    const auto slot = static_cast<unsigned>(functions_.size() + 1);
    host_bridge_->attach(slot << 3, *function);
    functions_.push_back(std::move(function));
}

void machine::add_disk(const machine_config& config, const disk_config& disk) {
    const std::size_t number = disks_.size();
    if (disk.image.empty()) {
        disks_.push_back(std::make_unique<backend::memory_disk>(
            backend::memory_disk::config{.size = disk.size,
                                         .initial = disk.blank ? backend::memory_disk::content::zero
                                                               : backend::memory_disk::content::pseudo_random,
                                         .seed = seed_for(seed_, random_stream::disks, number),
                                         .read_only = disk.access == disk_access::read_only,
                                         .id = fmt::format("memory{}", number)}));
    } else {
        disks_.push_back(
            std::make_unique<backend::disk_image>(disk.image, mode_of(disk.access), disk.known_as));
    }
    add_device<virtio::block>(
        fmt::format("virtio-blk{}", number),
        {.queues = static_cast<std::uint16_t>(config.block_queues != 0 ? config.block_queues : config.cpus),
         .queue_size = static_cast<std::uint16_t>(config.queue_size),
         .discard = config.discard,
         .write_zeroes = config.write_zeroes,
         .costs = config.costs})
        .disk(*disks_.back());
}

void machine::add_console(const machine_config& config) {
    virtio::console::config parameters{.costs = config.costs};
    parameters.ports.clear();
    for (const console_port_config& each : config.console_ports) {
        parameters.ports.push_back({.name = each.name, .is_console = each.is_console});
        if (each.output.empty()) {
            auto stream = std::make_unique<backend::memory_stream>();
            stream->feed(each.input);
            console_streams_.push_back(std::move(stream));
        } else {
            auto stream = std::make_unique<backend::file_stream>(each.output, each.input);
            console_files_.push_back(stream.get());
            console_streams_.push_back(std::move(stream));
        }
    }
    auto& device = add_device<virtio::console>("virtio-console0", parameters);
    for (std::size_t port = 0; port < console_streams_.size(); ++port) {
        device.stream(port)(*console_streams_[port]);
    }
}

void machine::add_network(const machine_config& config) {
    const auto mtu = static_cast<std::uint16_t>(config.mtu);
    if (config.network_backend == network_kind::user) {
        network_ = std::make_unique<backend::user_network>(
            "user", recorder_,
            backend::user_network::config{.mtu = mtu,
                                          .forwards = config.forwards,
                                          .poll_interval = config.quantum,
                                          .costs = config.costs});
    } else {
        network_ = std::make_unique<backend::network_peer>(
            "peer", recorder_,
            backend::network_peer::config{.mtu = mtu, .seed = seed_, .costs = config.costs});
    }
    constexpr const char* card = "virtio-net0";
    if (!config.pcap.empty()) {
        capture_ = std::make_unique<backend::frame_capture>(
            "capture", config.pcap, card,
            [this, card_number = functions_.size()](const backend::frame_buffer& buffer) {
                return buffer_text(buffer, *functions_[card_number], *host_bridge_, memory_->states(),
                                   recorder_.ledger());
            });
    }
    add_device<virtio::net>(card, {.queue_size = static_cast<std::uint16_t>(config.queue_size),
                                   .queue_pairs = static_cast<std::uint16_t>(config.network_queue_pairs),
                                   .control = config.network_control,
                                   .mergeable = config.network_mergeable,
                                   .offloads = config.network_offloads,
                                   .mtu = mtu,
                                   .capture = capture_.get(),
                                   .costs = config.costs})
        .network(*network_);
}

void machine::build_devices(const machine_config& config) {
    for (const disk_config& disk : config.disks) {
        add_disk(config, disk);
    }
    if (config.network) {
        add_network(config);
    }
    if (config.entropy) {
        entropy_ = std::make_unique<backend::entropy_source>(seed_for(seed_, random_stream::entropy));
        add_device<virtio::entropy>("virtio-rng0", {.costs = config.costs}).source(*entropy_);
    }
    if (!config.console_ports.empty()) {
        add_console(config);
    }
}

void machine::group_signals() {
    recorder_.group(module("ultravisor"), "Ultravisor (trusted)");
    recorder_.group(module("memory"), "Memory: page states and the host's accesses");
    recorder_.group(module("hypervisor"), "Hypervisor (untrusted)");
    for (const auto& function : functions_) {
        recorder_.group(function->name(), fmt::format("Device {} (untrusted)", function->basename()));
    }
    recorder_.group(module("pci"), "PCI host bridge and IOMMU");
    recorder_.group(module("peer"), "Network peer");
    recorder_.group(module("user"), "Network of the host");
    recorder_.group(module("xics"), "Interrupts");
    if (xive_) {
        recorder_.group(module("xive"), "Interrupts, XIVE");
    }
    recorder_.group(trace::recorder::violation_scope, "Violations");
}

// --- running

void machine::run(const std::function<void(const machine&)>& watch) {
    const sc_time slice(1, sc_core::SC_MS);
    std::optional<report::run_ending> cut;
    while (sc_core::sc_get_status() != sc_core::SC_STOPPED && !(cut = cut_short()) && !(cut = look())) {
        sc_core::sc_start(std::min(slice, time_limit_ - sc_core::sc_time_stamp()), sc_core::SC_RUN_TO_TIME);
        if (watch) {
            watch(*this);
        }
    }
    if (!cut && output::stop_request::made() != 0) {
        cut = cut_short();
    }
    ending_ = cut ? std::move(*cut) : how_it_ended();
    if (ending_.kind != report::ending_kind::finished) {
        std::ranges::move(what_cpus_do(), std::back_inserter(ending_.details));
    }
    if (!ending_.good()) {
        std::ranges::move(last_console_lines(), std::back_inserter(ending_.details));
    }
    elapsed_ = sc_core::sc_time_stamp();
}

void machine::commit_files() {
    if (capture_) {
        capture_->commit();
    }
    for (backend::file_stream* const each : console_files_) {
        each->commit();
    }
}

std::optional<report::run_ending> machine::cut_short() const {
    using enum report::ending_kind;
    if (const int signal = output::stop_request::made(); signal != 0) {
        return report::run_ending{interrupted,
                                  fmt::format("{} ended the run", signal == SIGINT ? "SIGINT" : "SIGTERM")};
    }
    if (sc_core::sc_time_stamp() > sc_core::SC_ZERO_TIME && !sc_core::sc_pending_activity()) {
        return report::run_ending{waits_for_ever, "the guest waits for something that will not come"};
    }
    if (sc_core::sc_time_stamp() >= time_limit_) {
        return report::run_ending{time_limit,
                                  fmt::format("the guest had not finished at the time limit of {}",
                                              report::time_text(report::in_ns(time_limit_)))};
    }
    return std::nullopt;
}

report::run_ending machine::ended_by_supervisor() const {
    std::string_view why;
    for (const report::violation_group& each : recorder_.violations().groups()) {
        if (each.first.kind == report::violation_kind::guest_terminated) {
            why = each.first.detail;
        }
    }
    return {report::ending_kind::terminated,
            fmt::format("the guest was ended{}{}", why.empty() ? "" : ": ", why)};
}

/// What was printed last, as far as people can read it.
std::vector<std::string> machine::last_console_lines() const {
    using enum report::ending_kind;
    const bool panic = ending_.kind == panicked || ending_.kind == out_of_memory;
    const std::size_t most = panic ? 16 : 4;  // a panic has a list of functions behind it
    constexpr std::size_t longest = 200;
    std::deque<std::string> lines;
    std::string line;
    const auto complete = [&] {
        if (!line.empty()) {
            lines.push_back("console: " + std::exchange(line, {}));
        }
        if (lines.size() > most) {
            lines.pop_front();
        }
    };
    const std::string& output = hypervisor_->console_output();
    const std::size_t looked_at = most * longest;
    for (const char each :
         std::string_view(output).substr(output.size() - std::min(output.size(), looked_at))) {
        if (each == '\n') {
            complete();
        } else if (each != '\r') {
            line += each >= ' ' && each <= '~' ? each : '.';
        }
    }
    complete();
    return {lines.begin(), lines.end()};
}

// --- what happened

std::string machine::module(std::string_view name) const { return fmt::format("{}.{}", this->name(), name); }

std::uint64_t machine::counter(std::string_view module, std::string_view name) const {
    const report::counter* found = recorder_.metrics().find_counter(this->module(module), name);
    return found == nullptr ? 0 : found->value();
}

std::uint64_t machine::total(std::string_view module, std::string_view name) const {
    const report::tally* found = recorder_.metrics().find_tally(this->module(module), name);
    return found == nullptr ? 0 : found->total();
}

report::run_facts machine::facts() const {
    report::run_facts facts{.elapsed = elapsed_, .ending = ending_};
    const memory::page_states& states = memory_->states();
    for (abi::gfn page = 0; page < states.size(); ++page) {
        const std::string_view state = to_name(states[page]);
        if (facts.page_states.empty() || facts.page_states.back().state != state) {
            facts.page_states.push_back({page, 0, state});
        }
        ++facts.page_states.back().count;
    }
    return facts;
}

bool machine::guest_secure() const {
    return ultravisor_ != nullptr && ultravisor_->state() == ultravisor::vm_state::secure;
}

std::uint64_t machine::device_accesses() const { return total("memory", "device_accesses"); }

std::uint64_t machine::device_accesses_not_shared() const {
    const report::tally* by_state = recorder_.metrics().find_tally(module("memory"), "device_accesses");
    std::uint64_t allowed = 0;
    for (const memory::page_state state : shared_states) {
        allowed += by_state->count(static_cast<std::size_t>(state));
    }
    return by_state->total() - allowed;
}

std::uint64_t machine::hypercalls(std::initializer_list<abi::hcall> numbers) const {
    std::uint64_t calls = 0;
    for (unsigned cpu = 0; cpu < cpus_; ++cpu) {
        const report::tally* made = recorder_.metrics().find_tally(module(fmt::format("cpu{}", cpu)),
                                                                   "hypercalls");
        for (const abi::hcall number : numbers) {
            calls += made->count(abi::hcall_row(static_cast<std::uint64_t>(number)));
        }
    }
    return calls;
}

std::size_t machine::canaries_seen() const {
    std::set<std::string> seen;
    for (const exposure::sighting_group& sightings : recorder_.ledger().sighting_groups()) {
        seen.insert(sightings.first.canary);
    }
    return seen.size();
}

}  // namespace pefsim::platform
