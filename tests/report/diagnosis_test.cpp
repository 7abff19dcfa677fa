// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <fstream>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <iterator>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <vector>

#include "report/diagnosis.h"

namespace pefsim::report {
namespace {

using nlohmann::ordered_json;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

/// A secure guest that has read and written a disk, all well.
ordered_json healthy() {
    return ordered_json::parse(R"({
        "label": "", "ended": {"kind": "finished", "text": "the guest finished", "partial": false, "details": []},
        "rates_are_of_ns": {"begin": 0, "end": 10000000},
        "metrics": {
            "counters": {
                "machine.swiotlb.failures": {"value": 0},
                "machine.pci.interrupt_messages": {"value": 40},
                "machine.xics.interrupts_spurious": {"value": 2},
                "machine.kernel.virtio_blk0.queue0_kicks": {"value": 30},
                "machine.kernel.virtio_blk0.queue0_kicks_suppressed": {"value": 10},
                "machine.kernel.virtio_blk0.device_requests": {"value": 40},
                "machine.kernel.virtio_blk0.requeued": {"value": 0},
                "machine.virtio-blk0.block.doorbells": {"value": 30},
                "machine.virtio-blk0.block.resets_needed": {"value": 0}},
            "levels": {
                "machine.swiotlb.pool_slots": {"unit": "slots", "value": 512, "high_water": 512},
                "machine.swiotlb.pool_used": {"unit": "slots", "value": 0, "high_water": 300}},
            "histograms": {
                "machine.swiotlb.lock_wait": {"unit": "ns", "count": 100, "mean": 50, "max": 200},
                "machine.virtio-blk0.block.latency": {"unit": "ns", "count": 40, "mean": 90000, "max": 200000},
                "machine.kernel.virtio_blk0.latency": {"unit": "ns", "count": 40, "mean": 100000, "max": 250000}},
            "tallies": {
                "machine.cpu0.hypercalls": {"total": 84, "counts": {"H_XIRR": 42, "H_EOI": 40}},
                "machine.cpu0.ultracalls": {"total": 3, "counts": {"UV_ESM": 1, "UV_SHARE_PAGE": 2}},
                "machine.ultravisor.ultracalls": {"total": 3, "counts": {"UV_ESM": 1, "UV_SHARE_PAGE": 2}},
                "machine.kernel.virtio.dma_ops": {"total": 1, "counts": {"virtio direct": 0, "platform override": 1}},
                "machine.virtio-blk0.block.operations": {"total": 40, "counts": {"read": 20, "write": 20}}}},
        "exposure": {"canaries": {"planted": 8, "sightings": 0, "kept": []}},
        "violations": {"total": 0, "by_kind": {}, "kept": []}})");
}

std::vector<std::string> rules_of(const ordered_json& run) {
    std::vector<std::string> names;
    for (const finding& each : diagnose(run)) {
        names.emplace_back(each.rule);
    }
    return names;
}

void add_violation(ordered_json& run, const std::string& kind, const std::string& who,
                   const std::string& state, const std::string& detail, std::uint64_t address = 0x12'3000) {
    run["violations"]["total"] = run["violations"]["total"].get<int>() + 1;
    run["violations"]["by_kind"][kind] = 1;
    run["violations"]["kept"].push_back({{"time_ns", 5000.0},
                                         {"count", 1},
                                         {"kind", kind},
                                         {"who", who},
                                         {"address", address},
                                         {"page_state", state},
                                         {"request", 7},
                                         {"detail", detail}});
}

ordered_json& counter(ordered_json& run, const std::string& name) {
    return run["metrics"]["counters"]["machine." + name]["value"];
}

void hangs(ordered_json& run) {
    run["ended"] = {{"kind", "waits_for_ever"},
                    {"text", "nothing will happen any more"},
                    {"partial", false},
                    {"details", {"cpu0 waits since 3 us for a request's completion (virtio-blk0)"}}};
}

TEST(diagnosis, names_nothing_of_a_healthy_run) { EXPECT_THAT(diagnose(healthy()), IsEmpty()); }

TEST(diagnosis, names_nothing_of_a_report_without_anything) {
    EXPECT_THAT(diagnose(ordered_json::object()), IsEmpty());
}

TEST(diagnosis, every_rule_has_a_name_of_its_own) {
    std::set<std::string_view> names;
    for (const diagnosis_rule& each : diagnosis_rules()) {
        EXPECT_TRUE(names.insert(each.name).second) << each.name;
        EXPECT_FALSE(each.looks_at.empty());
    }
}

TEST(diagnosis, the_table_of_rules_stands_in_docs) {
    std::ifstream file(std::string(PEFSIM_SOURCE_DIR) + "/docs/page.md");
    const std::string text(std::istreambuf_iterator<char>(file), {});
    std::string table = "| rule | looks at |\n|---|---|\n";
    for (const diagnosis_rule& each : diagnosis_rules()) {
        table += fmt::format("| `{}` | {} |\n", each.name, each.looks_at);
    }
    EXPECT_THAT(text, HasSubstr(table + '\n'));
}

TEST(diagnosis, tampered_page_comes_before_the_end_that_follows_from_it) {
    ordered_json run = healthy();
    add_violation(run, "page_tampered", "hypervisor", "PAGEDOUT", "UV_PAGE_IN: the tag is wrong");
    run["ended"]["kind"] = "terminated";
    EXPECT_THAT(rules_of(run), ElementsAre("page_tampered"));
    EXPECT_THAT(diagnose(run).front().cause, HasSubstr("ended the guest"));
}

TEST(diagnosis, private_page_is_the_drivers_fault_where_operations_bounce) {
    ordered_json run = healthy();
    add_violation(run, "refused_access", "virtio-blk0", "SECURE", "write of a buffer; got ciphertext");
    EXPECT_THAT(rules_of(run), ElementsAre("private_page_in_ring"));
    EXPECT_THAT(diagnose(run).front().cause, HasSubstr("page 0x12 (SECURE) at 0x123000, for request 7"));
}

TEST(diagnosis, private_page_is_the_choices_fault_where_they_do_not) {
    ordered_json run = healthy();
    add_violation(run, "refused_access", "virtio-blk0", "SECURE", "read of a ring");
    run["metrics"]["tallies"]["machine.kernel.virtio.dma_ops"]["counts"] = {{"virtio direct", 1},
                                                                            {"platform override", 0}};
    EXPECT_THAT(rules_of(run), ElementsAre("wrong_dma_operations"));
    EXPECT_THAT(diagnose(run).front().cause, HasSubstr("\"virtio direct\""));
}

TEST(diagnosis, an_ordinary_guest_chooses_no_wrong_operations_and_hides_nothing) {
    ordered_json run = healthy();
    run["metrics"]["tallies"]["machine.ultravisor.ultracalls"]["counts"]["UV_ESM"] = 0;
    run["metrics"]["tallies"]["machine.kernel.virtio.dma_ops"]["counts"] = {{"virtio direct", 1}};
    run["exposure"]["canaries"]["sightings"] = 8;
    run["exposure"]["canaries"]["kept"].push_back({{"canary", "canary1"}, {"channel", "shared_page"}});
    EXPECT_THAT(diagnose(run), IsEmpty());
}

TEST(diagnosis, malformed_chain) {
    ordered_json run = healthy();
    add_violation(run, "virtqueue_malformed", "virtio-blk0", "",
                  "the chain of descriptor 3 is longer than its table");
    counter(run, "virtio-blk0.block.resets_needed") = 1;
    EXPECT_THAT(rules_of(run), ElementsAre("malformed_chain"));
    EXPECT_THAT(diagnose(run).front().cause, HasSubstr("gave up its queues"));
}

TEST(diagnosis, what_follows_from_a_private_page_is_not_told) {
    for (const char* const kind : {"virtqueue_malformed", "page_tampered"}) {
        ordered_json run = healthy();
        add_violation(run, "private_address", "virtio-blk0", "SECURE", "a descriptor names it");
        add_violation(run, kind, "virtio-blk0", "SECURE", "what came of it");
        run["violations"]["kept"][1]["time_ns"] = 6000.0;
        EXPECT_THAT(rules_of(run), ElementsAre("private_page_in_ring")) << kind;
        run["violations"]["kept"][1]["time_ns"] = 4000.0;
        EXPECT_EQ(rules_of(run).size(), 2U) << kind << " came before, and has a cause of its own";
    }
}

TEST(diagnosis, lost_doorbell_is_one_that_was_rung_and_not_heard_by_a_guest_that_waits) {
    ordered_json run = healthy();
    counter(run, "kernel.virtio_blk0.queue0_kicks") = 31;
    counter(run, "kernel.virtio_blk0.device_requests") = 41;
    EXPECT_THAT(diagnose(run), IsEmpty()) << "it did no harm";
    hangs(run);
    EXPECT_THAT(rules_of(run), ElementsAre("doorbell_lost"));
    EXPECT_THAT(diagnose(run).front().cause,
                HasSubstr("its driver rang 31 times, the device heard 30. One request is in its ring"));
}

TEST(diagnosis, interrupt_without_its_end) {
    ordered_json run = healthy();
    run["metrics"]["tallies"]["machine.cpu0.hypercalls"]["counts"]["H_EOI"] = 39;
    EXPECT_THAT(diagnose(run), IsEmpty()) << "the run ended well";
    hangs(run);
    EXPECT_THAT(rules_of(run), ElementsAre("interrupt_not_ended"));
    EXPECT_THAT(diagnose(run).front().cause,
                HasSubstr("cpu0 accepted 40 interrupts (H_XIRR) and ended 39 (H_EOI)"));
}

TEST(diagnosis, a_guest_that_waits_for_an_unknown_reason_is_told_with_what_it_waits_for) {
    ordered_json run = healthy();
    hangs(run);
    EXPECT_THAT(rules_of(run), ElementsAre("waits_for_ever"));
    EXPECT_THAT(diagnose(run).front().cause, HasSubstr("a request's completion (virtio-blk0)"));
}

TEST(diagnosis, canary_through_a_mapping_was_recycled_memory) {
    ordered_json run = healthy();
    run["exposure"]["canaries"]["sightings"] = 3;
    run["exposure"]["canaries"]["kept"].push_back(
        {{"time_ns", 700.5},
         {"canary", "canary1"},
         {"channel", "shared_page"},
         {"writer", {{"initiator", "cpu0"}, {"origin", "swiotlb.map"}, {"mapping", 12}}}});
    EXPECT_THAT(rules_of(run), ElementsAre("canary_seen"));
    EXPECT_THAT(diagnose(run).front().cause, HasSubstr("recycled memory"));
    EXPECT_EQ(diagnose(run).front().when_ns, 700.5);
}

TEST(diagnosis, pool_without_room) {
    ordered_json run = healthy();
    counter(run, "swiotlb.failures") = 12;
    counter(run, "kernel.virtio_blk0.requeued") = 9;
    EXPECT_THAT(rules_of(run), ElementsAre("pool_exhausted"));
    EXPECT_THAT(diagnose(run).front().cause, HasSubstr("12 mappings found no room in its 1.00 MiB"));
}

TEST(diagnosis, lock_is_told_from_a_fifth_of_all_time_on) {
    ordered_json run = healthy();
    ordered_json& wait = run["metrics"]["histograms"]["machine.swiotlb.lock_wait"];
    wait["mean"] = 19'000;
    EXPECT_THAT(diagnose(run), IsEmpty());
    wait["mean"] = 21'000;
    EXPECT_THAT(rules_of(run), ElementsAre("lock_held_long"));
}

TEST(diagnosis, slow_disk_is_slow_by_itself_and_not_because_many_requests_wait) {
    ordered_json run = healthy();
    ordered_json& histograms = run["metrics"]["histograms"];
    histograms["machine.virtio-blk0.block.latency"]["mean"] = 2e6;
    histograms["machine.kernel.virtio_blk0.latency"]["mean"] = 2.1e6;
    EXPECT_THAT(diagnose(run), IsEmpty()) << "40 requests in 10 ms: they were served side by side";
    run["rates_are_of_ns"]["end"] = 100e6;
    EXPECT_THAT(rules_of(run), ElementsAre("slow_device"));
    histograms["machine.kernel.virtio_blk0.latency"]["mean"] = 10e6;
    EXPECT_THAT(diagnose(run), IsEmpty()) << "most of the time is elsewhere";
}

TEST(diagnosis, what_no_rule_knows_is_told_by_its_first_violation) {
    ordered_json run = healthy();
    add_violation(run, "dma_mapping", "cpu0", "", "unmap of what is not mapped");
    EXPECT_THAT(rules_of(run), ElementsAre("other_violation"));
}

}  // namespace

TEST(diagnosis, text_and_json_say_what_was_found_and_no_more) {
    finding what{.rule = "cut_off", .cause = "It was stopped."};
    EXPECT_EQ(cause_text(what, ""), "Cause: It was stopped.\n");
    EXPECT_EQ(causes_json({&what, 1}),
              ordered_json::parse(R"([{"rule": "cut_off", "text": "It was stopped."}])"));

    what.remedy = "Let it run.";
    what.when_ns = 5000.0;
    EXPECT_EQ(cause_text(what, "guest 2"), "Cause in guest 2: It was stopped. Let it run.\n");
    EXPECT_EQ(causes_json({&what, 1})[0]["remedy"], "Let it run.");
    EXPECT_EQ(causes_json({&what, 1})[0]["time_ns"], 5000.0);
    EXPECT_EQ(cause_text(what, "", 20), "Cause: It was\n  stopped. Let it\n  run.\n");
}

}  // namespace pefsim::report
