// SPDX-License-Identifier: Apache-2.0
#include "report/diagnosis.h"

#include <algorithm>
#include <array>
#include <fmt/format.h>
#include <map>
#include <string>
#include <utility>

#include "abi/address.h"
#include "report/quantity_text.h"
#include "report/report_table.h"

namespace pefsim::report {
namespace {

using nlohmann::ordered_json;
using found = std::optional<finding>;

std::string member(const ordered_json& of, std::string_view name) { return run_reader::text(of, name); }
std::uint64_t whole(const ordered_json& of, std::string_view name) {
    return static_cast<std::uint64_t>(run_reader::number(of, name));
}

/// "page 0x12 (SECURE)"
std::string page_text(const ordered_json& violation) {
    return fmt::format("page {:#x} ({})", whole(violation, "address") / abi::page_size,
                       member(violation, "page_state"));
}

std::string request_text(const ordered_json& violation) {
    const std::uint64_t number = whole(violation, "request");
    return number == 0 ? std::string() : fmt::format(", for request {}", number);
}

/// A sentence about the first violation of a kind.
found of_violation(const run_reader& run, std::string_view kind, std::string_view opening,
                   std::string_view remedy) {
    const ordered_json* const first = run.first_violation(kind);
    if (first == nullptr) {
        return std::nullopt;
    }
    std::string where;
    if (!member(*first, "page_state").empty()) {
        where = fmt::format(" ({})", page_text(*first));
    }
    return finding{{},
                   fmt::format("{}: {}{}.", opening, member(*first, "detail"), where),
                   std::string(remedy),
                   run_reader::number(*first, "time_ns")};
}

/// What stands for "somebody waits for what does not come", however the run then ended.
bool guest_waits(const run_reader& run) {
    const std::string kind = run.ending_kind();
    return kind == "waits_for_ever" || kind == "hung" || kind == "time_limit" || kind == "interrupted";
}

/// The first time that a device met a page that is the guest's own: when it was refused, or when the page was named.
const ordered_json* private_page_named(const run_reader& run) {
    for (const std::string_view kind : {"private_address", "refused_access"}) {
        if (const ordered_json* const first = run.first_violation(kind, true)) {
            return first;
        }
    }
    return nullptr;
}

/// `what` came after a device had met a private page, and may well come of it: a ring that reads as ciphertext is
/// malformed, and what a device writes over ciphertext is tampering.
bool follows_from_private_page(const run_reader& run, const ordered_json& what) {
    const ordered_json* const first = private_page_named(run);
    return first != nullptr && run_reader::number(*first, "time_ns") <= run_reader::number(what, "time_ns");
}

// --- what was done to a secure guest

found page_tampered(const run_reader& run) {
    const ordered_json* const first = run.first_violation("page_tampered");
    if (first == nullptr || follows_from_private_page(run, *first)) {
        return std::nullopt;
    }
    found result = of_violation(
        run, "page_tampered",
        "A page was tampered with: while it was out of secure memory the host changed, replayed or swapped "
        "its "
        "ciphertext, and it failed its authentication when it came back",
        "The Ultravisor did what it is for. Look at who on the host wrote to the page.");
    if (run.ending_kind() == "terminated") {
        result->cause += " The Ultravisor ended the guest.";
    }
    return result;
}

found image_unverified(const run_reader& run) {
    return of_violation(
        run, "image_unverified", "The guest's image is not what its owner says of it",
        "Make the ESM blob anew for this image (pefsim-esm), or find out who changed the image.");
}

found memory_taken(const run_reader& run) {
    return of_violation(run, "memory_taken", "The host took memory from the running secure guest", "");
}

// --- what devices are told

std::uint64_t private_pages_named(const run_reader& run) {
    return run.violations("private_address") + run.violations("refused_access");
}

/// Operations that hand out a secure guest's own memory.
std::string unprotected_operations(const run_reader& run) {
    constexpr std::string_view chosen = "kernel.virtio.dma_ops";
    if (run.count(chosen, "platform override") + run.count(chosen, "forced swiotlb") > 0) {
        return {};
    }
    for (const std::string_view choice :
         {"virtio direct", "own path", "dma-direct", "architecture default"}) {
        if (run.count(chosen, choice) > 0) {
            return std::string(choice);
        }
    }
    return {};
}

/// A POWER guest chooses by itself: what it has shared tells.
bool shares_nothing(const run_reader& run) {
    std::uint64_t shares = 0;
    run.each("tallies", [&shares](const std::string& name, const ordered_json& tally) {
        if (name.starts_with("cpu") && name.ends_with(".ultracalls")) {
            shares += whole(run_reader::member(tally, "counts"), "UV_SHARE_PAGE");
        }
    });
    return shares == 0;
}

found wrong_dma_operations(const run_reader& run) {
    const ordered_json* const first = private_page_named(run);
    if (first == nullptr || !run.secure()) {
        return std::nullopt;
    }
    const std::string chosen = unprotected_operations(run);
    if (chosen.empty() && !shares_nothing(run)) {
        return std::nullopt;
    }
    const std::string why = chosen.empty() ? std::string("share no page with the host")
                                           : fmt::format("are \"{}\" (no bounce buffers)", chosen);
    return finding{{},
                   fmt::format("The wrong DMA operations were chosen for a secure guest: its devices' {}, so "
                               "drivers hand private "
                               "pages to the host. {} met {} first{}, and {} such accesses failed in all.",
                               why, member(*first, "who"), page_text(*first), request_text(*first),
                               count_text(private_pages_named(run))),
                   "A secure guest's virtio devices need SWIOTLB: VIRTIO_F_ACCESS_PLATFORM, or a platform's "
                   "hook that installs it "
                   "(--dma_ops.platform swiotlb).",
                   run_reader::number(*first, "time_ns")};
}

found malformed_chain(const run_reader& run) {
    const ordered_json* const first = run.first_violation("virtqueue_malformed");
    if (first == nullptr || follows_from_private_page(run, *first)) {
        return std::nullopt;
    }
    std::uint64_t given_up = 0;
    run.each("counters", [&given_up](const std::string& name, const ordered_json& counter) {
        given_up += name.ends_with(".resets_needed") ? whole(counter, "value") : 0;
    });
    return finding{{},
                   fmt::format("A descriptor chain in the ring of {} is malformed: {}.{}",
                               member(*first, "who"), member(*first, "detail"),
                               given_up == 0 ? "" : " The device gave up its queues and asked for a reset."),
                   "Look for who writes to the ring besides its driver.",
                   run_reader::number(*first, "time_ns")};
}

found private_page_in_ring(const run_reader& run) {
    const ordered_json* const first = private_page_named(run);
    if (first == nullptr || wrong_dma_operations(run)) {
        return std::nullopt;
    }
    return finding{
        {},
        fmt::format("A private page stands in the ring of {}: {} at {:#x}{}. The host cannot read it.",
                    member(*first, "who"), page_text(*first), whole(*first, "address"), request_text(*first)),
        "The driver put an address into the ring that the DMA API did not give it: every buffer must be "
        "mapped first.",
        run_reader::number(*first, "time_ns")};
}

found iommu_fault(const run_reader& run) {
    return of_violation(run, "iommu_fault", "A device used a bus address for which there is no valid TCE",
                        "The driver unmapped the buffer too early, or never mapped it.");
}

// --- what was lost between driver and device

/// "kernel.virtio_blk0" of "kernel.virtio_blk0.queue0_kicks", and the device's name, "virtio-blk0".
std::pair<std::string, std::string> driver_and_device(const std::string& metric) {
    const std::string driver = metric.substr(0, metric.rfind('.'));
    std::string device = driver.substr(driver.rfind('.') + 1);
    std::ranges::replace(device, '_', '-');
    return {driver, device};
}

found doorbell_lost(const run_reader& run) {
    if (!guest_waits(run)) {
        return std::nullopt;
    }
    struct of_device {
        std::uint64_t rung = 0;
        std::uint64_t heard = 0;
        std::string driver{};
    };
    std::map<std::string, of_device> devices;
    run.each("counters", [&devices](const std::string& name, const ordered_json& counter) {
        if (name.starts_with("kernel.") && name.ends_with("_kicks")) {
            const auto [driver, device] = driver_and_device(name);
            devices[device].rung += whole(counter, "value");
            devices[device].driver = driver;
        } else if (name.ends_with(".doorbells")) {
            devices[name.substr(0, name.find('.'))].heard += whole(counter, "value");
        }
    });
    for (const auto& [device, of] : devices) {
        if (of.rung <= of.heard) {
            continue;
        }
        const std::uint64_t given = run.counter(of.driver + ".device_requests");
        const std::uint64_t taken = run.total(device + ".block.operations");
        const std::string waiting = given > taken
                                        ? fmt::format(" {} in its ring that it never took.",
                                                      given - taken == 1
                                                          ? std::string("One request is")
                                                          : count_text(given - taken) + " requests are")
                                        : std::string();
        std::optional<double> since;
        for (const ordered_json& each :
             run_reader::member(run_reader::member(run.run(), "anatomy"), "unfinished")) {
            if (!since && member(each, "device") == device && member(each, "waiting_for") == "doorbell") {
                since = run_reader::number(each, "since_ns");
            }
        }
        return finding{
            {},
            fmt::format(
                "A doorbell was lost on its way to {}: its driver rang {} times, the device heard {}.{}",
                device, count_text(of.rung), count_text(of.heard), waiting),
            "Between them stand the Ultravisor, which reflects the store, the hypervisor, which emulates it, "
            "and the host bridge.",
            since};
    }
    return std::nullopt;
}

found interrupt_not_ended(const run_reader& run) {
    if (!guest_waits(run)) {
        return std::nullopt;
    }
    std::uint64_t accepted = 0;
    std::uint64_t ended = 0;
    std::string cpu;
    run.each("tallies", [&](const std::string& name, const ordered_json& tally) {
        if (!name.starts_with("cpu") || !name.ends_with(".hypercalls")) {
            return;
        }
        const ordered_json& counts = run_reader::member(tally, "counts");
        const std::uint64_t mine = whole(counts, "H_XIRR") + whole(counts, "H_XIRR_X");
        if (cpu.empty() && mine > whole(counts, "H_EOI")) {
            cpu = name.substr(0, name.find('.'));
        }
        accepted += mine;
        ended += whole(counts, "H_EOI");
    });
    accepted -= std::min(accepted, run.counter("xics.interrupts_spurious"));
    if (accepted <= ended) {
        return std::nullopt;
    }
    const std::uint64_t raised = run.counter("pci.interrupt_messages");
    return finding{{},
                   fmt::format("An interrupt was never acknowledged: {} accepted {} (H_XIRR) and ended {} "
                               "(H_EOI), so the interrupt "
                               "controller presents nothing more of its priority. Devices raised {}.",
                               cpu, counted(accepted, "interrupt"), count_text(ended), count_text(raised)),
                   "The interrupt's handler must call its driver and end with H_EOI.",
                   std::nullopt};
}

// --- secrets

found canary_seen(const run_reader& run) {
    const ordered_json& canaries = run_reader::member(run_reader::member(run.run(), "exposure"), "canaries");
    if (!run.secure() || whole(canaries, "sightings") == 0 || run_reader::member(canaries, "kept").empty()) {
        return std::nullopt;
    }
    const ordered_json& first = canaries["kept"].front();
    const ordered_json& writer = run_reader::member(first, "writer");
    const bool mapped = whole(writer, "mapping") > 0;
    std::string channel = member(first, "channel");
    std::ranges::replace(channel, '_', ' ');
    return finding{
        {},
        fmt::format("A secret of the guest's (canary \"{}\") reached the host through a {}: {} ({}) wrote "
                    "it{}. Seen {} "
                    "times in all.",
                    member(first, "canary"), channel, member(writer, "initiator"), member(writer, "origin"),
                    mapped ? fmt::format(" for mapping {}, which copied recycled memory with its old content",
                                         whole(writer, "mapping"))
                           : std::string(),
                    count_text(whole(canaries, "sightings"))),
        mapped ? "Clear buffers that a device is to fill before they are mapped (init_on_alloc=1)." : "",
        run_reader::number(first, "time_ns")};
}

// --- not enough of something

found out_of_memory(const run_reader& run) {
    if (run.ending_kind() != "out_of_memory") {
        return std::nullopt;
    }
    return finding{{},
                   fmt::format("The guest has run out of memory: {}.",
                               member(run_reader::member(run.run(), "ended"), "text")),
                   "Give it more (--memory.size).",
                   std::nullopt};
}

found pool_exhausted(const run_reader& run) {
    const std::uint64_t failures = run.counter("swiotlb.failures");
    if (failures == 0) {
        return std::nullopt;
    }
    constexpr std::uint64_t slot_bytes = 2048;
    const std::uint64_t slots = whole(run.level("swiotlb.pool_slots"), "value");
    const std::uint64_t most = whole(run.level("swiotlb.pool_used"), "high_water");
    std::uint64_t requeued = 0;
    run.each("counters", [&requeued](const std::string& name, const ordered_json& counter) {
        requeued += name.ends_with(".requeued") ? whole(counter, "value") : 0;
    });
    return finding{
        {},
        fmt::format(
            "The bounce buffer pool is too small for what is in flight: {} mappings found no room in its "
            "{} ({} of {} slots were taken at most), and {} had to wait.",
            count_text(failures), bytes_text(slots * slot_bytes), count_text(most), count_text(slots),
            counted(requeued, "request")),
        "Make the pool larger (--swiotlb.size, Linux: swiotlb=), or keep less in flight.",
        std::nullopt};
}

/// A lock that takes this share of all CPUs' time is told.
constexpr double much_waiting = 0.2;

found lock_held_long(const run_reader& run) {
    found result;
    double worst = much_waiting;
    run.each("histograms", [&](const std::string& name, const ordered_json& waits) {
        if (!name.ends_with(".lock_wait")) {
            return;
        }
        const double total = run_reader::number(waits, "mean") * run_reader::number(waits, "count");
        const double share = total / (run.duration_ns() * static_cast<double>(run.cpus()));
        if (run.duration_ns() <= 0 || share < worst) {
            return;
        }
        worst = share;
        const std::string module = name.substr(0, name.rfind('.'));
        const std::string lock = module == "swiotlb" ? "the bounce buffer pool" : module;
        result = finding{
            {},
            fmt::format("A lock is held long: CPUs spun for that of {} {} times, {} on average and up to {}, "
                        "which is {:.0f} % of all CPUs' time.",
                        lock, count_text(whole(waits, "count")), time_text(run_reader::number(waits, "mean")),
                        time_text(run_reader::number(waits, "max")), 100 * share),
            module == "swiotlb" ? "Give the pool more areas, each has a lock of its own (--swiotlb.areas), "
                                  "or more room, so that slots are found sooner."
                                : "",
            std::nullopt};
    });
    return result;
}

/// A disk that takes longer than this for each request, those side by side counted as one, is slow: flash takes a
/// tenth.
constexpr double slow_request_ns = 1e6;
constexpr double most_of_the_time = 0.8;

found slow_device(const run_reader& run) {
    found result;
    run.each("histograms", [&](const std::string& name, const ordered_json& latency) {
        if (result || !name.starts_with("virtio-blk") || !name.ends_with(".block.latency")) {
            return;
        }
        const std::string device = name.substr(0, name.find('.'));
        const double count = run_reader::number(latency, "count");
        const double mean = run_reader::number(latency, "mean");
        if (count == 0 || run.duration_ns() / count < slow_request_ns || mean < slow_request_ns) {
            return;
        }
        std::string driver = device;
        std::ranges::replace(driver, '-', '_');
        const double whole_request = run_reader::number(run.histogram("kernel." + driver + ".latency"),
                                                        "mean");
        if (whole_request > 0 && mean < most_of_the_time * whole_request) {
            return;
        }
        const std::string share = whole_request > 0
                                      ? fmt::format("{:.0f} % of a request's time is the disk's",
                                                    std::min(100.0, 100 * mean / whole_request))
                                      : std::string("requests wait for it");
        result = finding{
            {},
            fmt::format("The disk behind {} is slow: it takes {} for a request on average, up to {}; {}.",
                        device, time_text(mean), time_text(run_reader::number(latency, "max")), share),
            "Nothing in the guest helps but more requests in flight; look at what stands behind the device "
            "(--timing.block_latency, --timing.block_bandwidth).",
            std::nullopt};
    });
    return result;
}

// --- what is left

found other_violation(const run_reader& run) {
    const ordered_json& kept = run_reader::member(run_reader::member(run.run(), "violations"), "kept");
    if (!kept.is_array() || kept.empty()) {
        return std::nullopt;
    }
    const ordered_json& first = kept.front();
    std::string kind = member(first, "kind");
    std::ranges::replace(kind, '_', ' ');
    return finding{
        {},
        fmt::format("A rule was broken ({}): {}: {}.", kind, member(first, "who"), member(first, "detail")),
        "",
        run_reader::number(first, "time_ns")};
}

found guest_gave_up(const run_reader& run) {
    if (run.ending_kind() != "panicked" && run.ending_kind() != "terminated" &&
        run.ending_kind() != "halted" && run.ending_kind() != "signalled" &&
        run.ending_kind() != "scenario_error") {
        return std::nullopt;
    }
    return finding{
        {},
        fmt::format("The guest cannot go on: {}.", member(run_reader::member(run.run(), "ended"), "text")),
        "",
        std::nullopt};
}

found waits_for_ever(const run_reader& run) {
    const ordered_json& ended = run_reader::member(run.run(), "ended");
    if (run.ending_kind() != "waits_for_ever" && run.ending_kind() != "hung") {
        return std::nullopt;
    }
    const ordered_json& details = run_reader::member(ended, "details");
    const std::string who = details.is_array() && !details.empty()
                                ? " " + details.front().get<std::string>() + "."
                                : std::string();
    return finding{
        {},
        fmt::format("The guest waits for something that does not come: {}.{}", member(ended, "text"), who),
        "",
        std::nullopt};
}

found cut_off(const run_reader& run) {
    const ordered_json& partial = run_reader::member(run_reader::member(run.run(), "ended"), "partial");
    if (!partial.is_boolean() || !partial.get<bool>()) {
        return std::nullopt;
    }
    return finding{{},
                   fmt::format("The run was cut off before its end: {}.",
                               member(run_reader::member(run.run(), "ended"), "text")),
                   "",
                   std::nullopt};
}

constexpr std::array rules{
    diagnosis_rule{"page_tampered", "violations of the kind page_tampered", page_tampered},
    diagnosis_rule{"image_unverified", "violations of the kind image_unverified", image_unverified},
    diagnosis_rule{"memory_taken", "violations of the kind memory_taken", memory_taken},
    diagnosis_rule{"wrong_dma_operations",
                   "devices of a secure guest that met private pages, with DMA operations that do not bounce",
                   wrong_dma_operations},
    diagnosis_rule{"private_page_in_ring", "devices that met a private page though the DMA operations bounce",
                   private_page_in_ring},
    diagnosis_rule{"malformed_chain",
                   "violations of the kind virtqueue_malformed; devices that gave up their queues",
                   malformed_chain},
    diagnosis_rule{"iommu_fault", "violations of the kind iommu_fault", iommu_fault},
    diagnosis_rule{"doorbell_lost",
                   "doorbells that drivers rang and devices did not hear, while the guest waits",
                   doorbell_lost},
    diagnosis_rule{"interrupt_not_ended",
                   "interrupts that were accepted (H_XIRR) and not ended (H_EOI), while the guest waits",
                   interrupt_not_ended},
    diagnosis_rule{"canary_seen", "canaries of a secure guest that reached the host", canary_seen},
    diagnosis_rule{"out_of_memory", "how the run ended", out_of_memory},
    diagnosis_rule{"pool_exhausted", "mappings that SWIOTLB refused", pool_exhausted},
    diagnosis_rule{"lock_held_long",
                   "the time that CPUs spun for a lock of the DMA operations: 20 % or more of it all",
                   lock_held_long},
    diagnosis_rule{"slow_device",
                   "a block device that takes 1 ms or more for each request, and 80 % of its time",
                   slow_device},
    diagnosis_rule{"other_violation", "violations of any other kind", other_violation},
    diagnosis_rule{"guest_gave_up", "how the run ended", guest_gave_up},
    diagnosis_rule{"waits_for_ever", "how the run ended, and who waited for what", waits_for_ever},
    diagnosis_rule{"cut_off", "how the run ended", cut_off},
};

/// Of no news once something else explains the run.
bool is_last_resort(std::string_view rule) {
    return rule == "other_violation" || rule == "guest_gave_up" || rule == "waits_for_ever" ||
           rule == "cut_off";
}

}  // namespace

std::span<const diagnosis_rule> diagnosis_rules() { return rules; }

std::vector<finding> diagnose(const ordered_json& run) {
    std::vector<finding> all;
    const run_reader reader(run);
    for (const diagnosis_rule& rule : rules) {
        if (!all.empty() && is_last_resort(rule.name)) {
            continue;
        }
        if (found result = rule.look(reader)) {
            result->rule = rule.name;
            all.push_back(std::move(*result));
        }
    }
    return all;
}

ordered_json causes_json(std::span<const finding> found) {
    ordered_json result = ordered_json::array();
    for (const finding& each : found) {
        ordered_json& cause = result.emplace_back(ordered_json{{"rule", each.rule}, {"text", each.cause}});
        if (!each.remedy.empty()) {
            cause["remedy"] = each.remedy;
        }
        if (each.when_ns) {
            cause["time_ns"] = *each.when_ns;
        }
    }
    return result;
}

std::string cause_text(const finding& what, std::string_view label, std::size_t columns) {
    const std::string all = fmt::format("Cause{}{}: {} {}", label.empty() ? "" : " in ", label, what.cause,
                                        what.remedy);
    return wrapped(all, 2, columns) + '\n';
}

}  // namespace pefsim::report
