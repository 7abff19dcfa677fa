// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <iterator>
#include <nlohmann/json.hpp>
#include <regex>
#include <set>
#include <sstream>

#include "exposure/ledger.h"
#include "report/coloured_text.h"
#include "report/metrics.h"
#include "report/quantity_text.h"
#include "report/run_report.h"
#include "report/violations.h"
#include "tests/support/simulation.h"
#include "tests/trace/sample_machine.h"
#include "tests/trace/scratch.h"
#include "trace/recorder.h"

namespace pefsim::report {
namespace {

using nlohmann::ordered_json;
using sc_core::sc_time;
using ::testing::HasSubstr;
using ::testing::Not;

class report : public testing::simulation_test {
public:
    trace::recorder to;
    counter requests{to.metrics(), "machine.virtio_blk", "requests", "requests", "block requests completed"};
    counter bytes{to.metrics(), "machine.virtio_blk", "bytes", "bytes", "moved to and from the disk"};
    counter never{to.metrics(), "machine.virtio_blk", "errors", "requests", "that failed"};
    level slots{to.metrics(), "machine.swiotlb", "slots_used", "slots", "bounce slots in use"};
    duration_histogram latency{to.metrics(), "machine.virtio_blk", "latency",
                               "from submission to completion"};
    tally calls{to.metrics(), "machine.cpu0",  "ultracalls",
                "calls",      "sc 2, by name", {"UV_ESM", "UV_SHARE_PAGE", "UV_UNSHARE_PAGE"}};
    report_header header{
        "swiotlb_block",
        "A secure guest reads a disk through bounce buffers in pages that it shares with the host, and "
        "the host sees nothing else of its memory.",
        7,
        {{"requests", "1024"}, {"request_size", "4 KiB"}},
        {{"requests", 1024, "requests"}},
        {{true, "all data arrived"}, {true, "no canary was seen"}}};
    run_facts facts{.label = "", .elapsed = sc_time(10, sc_core::SC_MS), .key_metrics = {}, .figures = {}};

    void work() {
        requests.add(1024);
        bytes.add(4u << 20);
        slots.set(12);
        slots.set(2);
        for (unsigned i = 1; i <= 100; ++i) {
            latency.add(sc_time(i, sc_core::SC_US));
        }
        calls.add(0);
        calls.add(1, 3);
        exposure::ledger& ledger = to.ledger();
        const std::uint16_t cpu = ledger.name_initiator("cpu0");
        const std::uint16_t disk = ledger.name_initiator("virtio-blk0");
        ledger.page_exposed(1);
        std::vector<std::byte> content(abi::page_size);
        const std::vector<std::byte> secret(16, std::byte{0x5A});
        ledger.plant_canary("volume key", secret);
        const std::uint32_t mapping = ledger.new_mapping();
        ledger.wrote(abi::phys_addr{0x1'0000}, 4096, {cpu, mapping, ledger.name_origin("swiotlb_bounce")}, {},
                     content.data());
        ledger.host_read(abi::phys_addr{0x1'0000}, 1024, disk, {});
        ledger.mapping_ended(mapping);
        std::copy(secret.begin(), secret.end(), content.begin() + 0x100);
        ledger.wrote(abi::phys_addr{0x1'0100}, 16, {cpu, 0, 0}, sc_time(3, sc_core::SC_US), content.data());
        for (unsigned i = 0; i < 7; ++i) {
            to.violations().report({sc_time(i, sc_core::SC_US), violation_kind::refused_access, "virtio-blk0",
                                    0x12'0000, 4096, "SECURE", i + 1, "read of a buffer; got ciphertext"});
        }
    }
};

TEST_F(report, text_has_everything_in_order_and_fits_into_100_columns) {
    work();
    const std::string text = make_run_report(to.record(), header, facts).text;
    std::size_t at = 0;
    for (const char* part : {"swiotlb_block: shown",
                             "Verdict",
                             "all data arrived",
                             "Parameters",
                             "seed",
                             "request_size",
                             "Key figures",
                             "simulated time",
                             "10.0 ms",
                             "virtio_blk.requests",
                             "1,024 requests",
                             "102 k requests/s",
                             "virtio_blk.bytes",
                             "4.00 MiB",
                             "419 MB/s",
                             "Latencies",
                             "p99.9",
                             "virtio_blk.latency",
                             "100",
                             "50.5 us",
                             "Counts by name",
                             "cpu0.ultracalls: 4 calls",
                             "UV_SHARE_PAGE",
                             "75.0 %",
                             "UV_ESM",
                             "swiotlb.slots_used",
                             "2 slots",
                             "up to 12 slots",
                             "One figure more that stayed zero",
                             "Exposure",
                             "4.02 KiB",
                             "1.00 KiB",
                             "left behind by ended mappings",
                             "cpu0: swiotlb_bounce",
                             "canaries: 1 planted, 1 SIGHTINGS",
                             "'volume key' in shared_page at 0x10100",
                             "Violations: 7",
                             "refused_access: 7",
                             "virtio-blk0 at 0x120000, 4096 B, page SECURE, request 1: read of a buffer; got",
                             "(7 times until 6.00 us)",
                             "Trace: none"}) {
        const std::size_t found = text.find(part, at);
        ASSERT_NE(found, std::string::npos) << part << " is missing after offset " << at << " of\n" << text;
        at = found;
    }
    EXPECT_THAT(text, Not(HasSubstr("UV_UNSHARE_PAGE")));
    std::istringstream lines(text);
    for (std::string line; std::getline(lines, line);) {
        EXPECT_LE(line.size(), 100U) << line;
        EXPECT_FALSE(line.ends_with(' ')) << '"' << line << '"';
    }
}

TEST_F(report, what_an_ordinary_guest_stored_is_no_figure_where_it_is_not_recorded) {
    to.ledger().pages_exposed(0, 4);
    EXPECT_EQ(make_run_report(to.record(), header, facts).json["exposure"]["guest_bytes_written"], 0);
    to.ledger().left_out();
    const run_report made = make_run_report(to.record(), header, facts);
    EXPECT_THAT(made.text, HasSubstr("not recorded"));
    EXPECT_TRUE(made.json["exposure"]["guest_bytes_written"].is_null());
    EXPECT_EQ(made.json["exposure"]["pages_exposed"], 4);
}

TEST_F(report, json_has_everything_that_is_declared) {
    work();
    const ordered_json json = make_run_report(to.record(), header, facts).json;
    std::vector<std::string> keys;
    for (const auto& [key, value] : json.items()) {
        keys.push_back(key);
    }
    EXPECT_THAT(keys, ::testing::ElementsAre("schema_version", "pefsim_version", "scenario", "description",
                                             "seed", "parameters", "parameter_values", "shown", "verdict",
                                             "ended", "label", "simulated_time_ns", "rates_are_of_ns",
                                             "figures", "metrics", "anatomy", "series", "page_map",
                                             "exposure", "violations", "notes", "trace"));
    EXPECT_EQ(json["scenario"], "swiotlb_block");
    EXPECT_EQ(json["seed"], 7);
    EXPECT_EQ(json["parameters"]["request_size"], "4 KiB");
    EXPECT_EQ(json["shown"], true);
    EXPECT_EQ(json["simulated_time_ns"], 1e7);
    EXPECT_TRUE(json["trace"].is_null());

    const ordered_json& metrics = json["metrics"];
    EXPECT_EQ(metrics["counters"].size(), 3U);
    EXPECT_EQ(metrics["counters"]["machine.virtio_blk.bytes"]["value"], 4u << 20);
    EXPECT_EQ(metrics["counters"]["machine.virtio_blk.bytes"]["unit"], "bytes");
    EXPECT_EQ(metrics["counters"]["machine.virtio_blk.errors"]["value"], 0);
    EXPECT_EQ(metrics["levels"]["machine.swiotlb.slots_used"]["high_water"], 12);
    const ordered_json& histogram = metrics["histograms"]["machine.virtio_blk.latency"];
    EXPECT_EQ(histogram["count"], 100);
    EXPECT_EQ(histogram["mean"], 50'500);
    EXPECT_EQ(histogram["max"], 100'000);
    EXPECT_NEAR(histogram["p99"].get<double>(), 99'000, 990);
    EXPECT_EQ(metrics["tallies"]["machine.cpu0.ultracalls"]["counts"]["UV_UNSHARE_PAGE"], 0);
    EXPECT_EQ(metrics["tallies"]["machine.cpu0.ultracalls"]["total"], 4);

    const ordered_json& exposure = json["exposure"];
    EXPECT_EQ(exposure["guest_bytes_written"], 4112);
    EXPECT_EQ(exposure["guest_bytes_looked_at"], 1024);
    EXPECT_EQ(exposure["bytes_left_by_mappings"], 4096);
    EXPECT_EQ(exposure["writers"].size(), 2U);
    EXPECT_EQ(exposure["writers"][0]["origin"], "swiotlb_bounce");
    EXPECT_EQ(exposure["channels"].size(), 3U);
    EXPECT_EQ(exposure["canaries"]["planted"], 1);
    EXPECT_EQ(exposure["canaries"]["sightings"], 1);
    EXPECT_EQ(exposure["canaries"]["kept"][0]["address"], 0x1'0100);
    EXPECT_EQ(exposure["canaries"]["kept"][0]["writer"]["initiator"], "cpu0");

    EXPECT_EQ(json["violations"]["total"], 7);
    EXPECT_EQ(json["violations"]["by_kind"].size(), violation_kinds - 2) << "notes are apart";
    EXPECT_EQ(json["notes"]["by_kind"].size(), 2U);
    EXPECT_EQ(json["violations"]["by_kind"]["refused_access"], 7);
    ASSERT_EQ(json["violations"]["kept"].size(), 1U);
    const ordered_json& group = json["violations"]["kept"][0];
    EXPECT_EQ(group["count"], 7);
    EXPECT_EQ(group["request"], 1) << "of the first";
    EXPECT_EQ(group["time_ns"], 0);
    EXPECT_EQ(group["last_time_ns"], 6000);
}

TEST_F(report, tells_equal_violations_once) {
    work();
    const std::string text = figures_text(to.record(), facts);
    EXPECT_THAT(text, HasSubstr("  refused_access: 7\n"));
    EXPECT_THAT(text, HasSubstr("(7 times until 6.00 us)\n"));
    EXPECT_THAT(text, Not(HasSubstr("more\n")));
    EXPECT_THAT(text, Not(HasSubstr("Notes")));
    to.violations().report({{}, violation_kind::past_buffer, "cpu0", 0x1000, 64, "", 0, "behind a buffer"});
    EXPECT_THAT(figures_text(to.record(), facts), HasSubstr("\nNotes: 1, "));
}

TEST_F(report, instructions_of_one_function_are_one_writer_to_people) {
    exposure::ledger& ledger = to.ledger();
    ledger.name_places(
        [](std::uint64_t pc) { return pc < 0x2000 ? fmt::format("copy+{:#x}", pc & 0xff) : "fill<int>"; });
    ledger.page_exposed(1);
    const std::vector<std::byte> content(abi::page_size);
    const std::uint16_t cpu = ledger.name_initiator("cpu0");
    ledger.wrote(abi::phys_addr{0x1'0000}, 100, {cpu, 0, 0x1004}, {}, content.data());
    ledger.wrote(abi::phys_addr{0x1'0100}, 400, {cpu, 0, 0x2000}, {}, content.data());
    ledger.wrote(abi::phys_addr{0x1'1000}, 333, {cpu, 0, 0x1008}, {}, content.data());
    const std::string text = figures_text(to.record(), facts);
    const std::size_t copy = text.find("cpu0: copy ");
    const std::size_t fill = text.find("cpu0: fill<int> ");
    ASSERT_NE(copy, std::string::npos) << text;
    EXPECT_THAT(text.substr(copy, text.find('\n', copy) - copy), HasSubstr("433 B"));
    EXPECT_LT(copy, fill) << "by bytes, most first";
    EXPECT_THAT(text, Not(HasSubstr("copy+")));
    EXPECT_EQ(figures_json(to.record(), facts)["exposure"]["writers"].size(), 3U);
}

TEST_F(report, rates_are_of_the_window) {
    bytes.add(1'000'000);
    requests.add(1);
    to.metrics().begin_window(sc_time(9, sc_core::SC_MS));
    bytes.add(2'000'000);
    const std::string text = figures_text(to.record(), facts);
    EXPECT_THAT(text, HasSubstr("2.00 GB/s")) << "2 MB in the last of 10 ms";
}

TEST_F(report, says_how_the_run_ended_under_its_verdict) {
    facts.ending = {ending_kind::time_limit,
                    "the guest had not finished at the time limit of 10.0 ms",
                    {"cpu0 waits since 2.00 ms for a request's completion (virtio-blk0)"}};
    const run_report made = make_run_report(to.record(), header, facts);
    EXPECT_THAT(
        made.text,
        HasSubstr("no canary was seen\n"
                  "Ended: the guest had not finished at the time limit of 10.0 ms (this report is partial)\n"
                  "  cpu0 waits since 2.00 ms for a request's completion (virtio-blk0)\n"));
    EXPECT_EQ(made.json["ended"]["kind"], "time_limit");
    EXPECT_EQ(made.json["ended"]["partial"], true);
    EXPECT_EQ(made.json["ended"]["details"].size(), 1U);
}

TEST_F(report, text_is_as_wide_as_it_is_asked_to_be) {
    work();
    to.ledger().wrote(abi::phys_addr{0x1'0000}, 64,
                      {to.ledger().name_initiator("cpu0"), 0,
                       to.ledger().name_origin("a_function_whose_name_is_longer_than_its_column")},
                      sc_time(1, sc_core::SC_US), std::vector<std::byte>(abi::page_size).data());
    const auto widest = [](const std::string& text) {
        std::size_t result = 0;
        std::istringstream lines(text);
        for (std::string line; std::getline(lines, line);) {
            EXPECT_FALSE(line.ends_with(' ')) << '"' << line << '"';
            result = std::max(result, line.size());
        }
        return result;
    };
    const auto text_of = [&](std::size_t columns) {
        return header_text(header, columns) + figures_text(to.record(), facts, columns);
    };
    EXPECT_EQ(text_of(report_columns), header_text(header) + figures_text(to.record(), facts));
    for (const std::size_t columns : {80U, 81U, 100U, 120U}) {
        EXPECT_LE(widest(text_of(columns)), columns);
        EXPECT_GT(widest(text_of(columns)), columns - 8);
    }
    // Nothing is lost but blanks and ends of lines.
    const auto words = [](const std::string& text) {
        std::istringstream stream(text);
        return std::multiset<std::string>(std::istream_iterator<std::string>(stream), {});
    };
    EXPECT_EQ(words(text_of(80)), words(text_of(120)));
}

TEST_F(report, in_brief_it_is_verdict_end_and_violations) {
    work();
    to.violations().report(
        {sc_time(2, sc_core::SC_US), violation_kind::past_buffer, "cpu0", 1, 1, "", 0, "a note"});
    header.ending = {ending_kind::finished, "the guest finished"};
    EXPECT_EQ(brief_text(header), "swiotlb_block: shown\n"
                                  "  shown  all data arrived\n"
                                  "  shown  no canary was seen\n"
                                  "Ended: the guest finished\n");
    EXPECT_EQ(brief_text(to.record(), facts), "Violations: 7\n"
                                              "  refused_access: 7, first at 0 ns: virtio-blk0 at 0x120000, "
                                              "4096 B, page SECURE, request 1: read\n"
                                              "    of a buffer; got ciphertext\n");
    facts.label = "direct 4KiB";
    EXPECT_THAT(brief_text(to.record(), facts), ::testing::StartsWith("Violations of direct 4KiB: 7\n"));
}

TEST_F(report, colours_only_add_escape_sequences) {
    work();
    header.verdict[1].shown = false;
    const std::string text = make_run_report(to.record(), header, facts).text;
    const std::string painted = coloured(text);
    EXPECT_EQ(std::regex_replace(painted, std::regex("\x1b\\[[0-9;]*m"), ""), text);
    EXPECT_THAT(painted, HasSubstr("\x1b[1mswiotlb_block: \x1b[0m\x1b[1;31mNOT SHOWN\x1b[0m\n"));
    EXPECT_THAT(painted, HasSubstr("\n  \x1b[32mshown\x1b[0m      all data arrived\n"));
    EXPECT_THAT(painted, HasSubstr("\n  \x1b[1;31mNOT SHOWN\x1b[0m  no canary was seen\n"));
    EXPECT_THAT(painted, HasSubstr("\n\x1b[1mLatencies\x1b[0m\n"));
    EXPECT_THAT(painted, HasSubstr("\n\x1b[1;31mViolations: 7\x1b[0m\n"));
    EXPECT_EQ(coloured("Violations: none\n"), "\x1b[32mViolations: none\x1b[0m\n");
    EXPECT_EQ(coloured("Ended: well\nCause in guest 2: a fault\n  of its own.\n"),
              "\x1b[1mEnded: well\x1b[0m\n\x1b[1mCause in guest 2\x1b[0m: a fault\n  of its own.\n");
    EXPECT_EQ(coloured(""), "");
}

TEST_F(report, equal_runs_make_equal_reports) {
    work();
    const run_report first = make_run_report(to.record(), header, facts);
    const run_report second = make_run_report(to.record(), header, facts);
    EXPECT_EQ(first.text, second.text);
    EXPECT_EQ(first.json.dump(2), second.json.dump(2));
}

TEST_F(report, key_metrics_come_first_and_must_exist) {
    work();
    facts.key_metrics = {"machine.swiotlb.slots_used"};
    facts.figures = {{"copies per request", 1.5, "copies", "bounce copies"}};
    std::string text = figures_text(to.record(), facts);
    text.erase(text.find("Latencies"));
    EXPECT_THAT(text, HasSubstr("swiotlb.slots_used"));
    EXPECT_THAT(text, Not(HasSubstr("virtio_blk.requests")));
    EXPECT_THAT(text, HasSubstr("1.50 copies"));
    facts.key_metrics = {"machine.swiotlb.no_such_metric"};
    EXPECT_THROW(figures_text(to.record(), facts), std::logic_error);
}

TEST_F(report, sections_have_the_titles_of_groups) {
    work();
    to.group("machine.swiotlb", "Bounce buffers");
    const std::string text = figures_text(to.record(), facts);
    EXPECT_THAT(text, HasSubstr("\nBounce buffers\n  swiotlb.slots_used"));
    EXPECT_THAT(text, HasSubstr("\nmachine.virtio_blk\n  virtio_blk.requests"));
}

TEST_F(report, run_in_which_nothing_happened) {
    header.verdict = {{true, "it started"}, {false, "it did something"}};
    const std::string text = make_run_report(to.record(), header, facts).text;
    EXPECT_THAT(text, HasSubstr("swiotlb_block: NOT SHOWN\n"));
    EXPECT_THAT(text, HasSubstr("  NOT SHOWN  it did something\n"));
    EXPECT_THAT(text, HasSubstr("  shown      it started\n"));
    EXPECT_THAT(text, HasSubstr("Violations: none\n"));
    EXPECT_THAT(text, Not(HasSubstr("Latencies")));
    EXPECT_THAT(text, HasSubstr("4 figures more that stayed zero"));
    header.verdict.clear();
    EXPECT_FALSE(header.shown());
}

TEST_F(report, names_trace_and_viewer) {
    const trace::scratch_directory scratch;
    trace::sample_module module(to, "machine.cpu0");
    to.start({.file = scratch / "run.vcd"});
    module.change(1, 5, sc_time(1, sc_core::SC_NS));
    to.finish();
    const run_report made = make_run_report(to.record(), header, facts);
    EXPECT_THAT(made.text, HasSubstr((scratch / "run.vcd").string() + ", 1 change of 9 signals\n"));
    EXPECT_THAT(made.text, HasSubstr("gtkwave " + (scratch / "run.gtkw").string() + "\n"));
    EXPECT_THAT(made.text, HasSubstr("surfer -c " + (scratch / "run.sucl").string() + "\n"));
    EXPECT_EQ(made.json["trace"]["file"], (scratch / "run.vcd").string());
    EXPECT_EQ(made.json["trace"]["changes"], 1);
}

TEST(quantity_text, has_units_and_three_digits) {
    EXPECT_EQ(count_text(0), "0");
    EXPECT_EQ(count_text(999), "999");
    EXPECT_EQ(count_text(1000), "1,000");
    EXPECT_EQ(count_text(1234567), "1,234,567");
    EXPECT_EQ(bytes_text(1023), "1023 B");
    EXPECT_EQ(bytes_text(1024), "1.00 KiB");
    EXPECT_EQ(bytes_text(10 * 1024 - 1), "10.0 KiB");
    EXPECT_EQ(bytes_text(1024 * 1024 - 1), "1.00 MiB");
    EXPECT_EQ(bytes_text(std::uint64_t{64} << 30), "64.0 GiB");
    EXPECT_EQ(bytes_text(~std::uint64_t{0}), "16384 PiB");
    EXPECT_EQ(time_text(0), "0 ns");
    EXPECT_EQ(time_text(0.001), "1.00 ps");
    EXPECT_EQ(time_text(0.263), "0.26 ns");
    EXPECT_EQ(time_text(999.4), "999 ns");
    EXPECT_EQ(time_text(999.6), "1.00 us");
    EXPECT_EQ(time_text(12'345), "12.3 us");
    EXPECT_EQ(time_text(3.6e12), "3600 s");
    EXPECT_EQ(share_text(1, 3), "33.3 %");
    EXPECT_EQ(share_text(1, 0), "");
    EXPECT_EQ(quantity_text(4096, "bytes"), "4.00 KiB");
    EXPECT_EQ(quantity_text(4096, "slots"), "4,096 slots");
    EXPECT_EQ(rate_text(333'000'000, "bytes", 1), "333 MB/s");
    EXPECT_EQ(rate_text(83'100, "requests", 1), "83.1 k requests/s");
    EXPECT_EQ(rate_text(83, "requests", 1), "83.0 requests/s");
    EXPECT_EQ(rate_text(83, "requests", 0), "0.00 requests/s");
    EXPECT_EQ(number_text(1.5), "1.50");
    EXPECT_EQ(number_text(1234.5), "1,235");
    EXPECT_EQ(number_text(-2), "-2.00");
    EXPECT_EQ(number_text(0.00123), "0.00123");
}

}  // namespace
}  // namespace pefsim::report
