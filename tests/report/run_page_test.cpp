// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "report/html_text.h"
#include "report/run_page.h"

namespace pefsim::report {
namespace {

using nlohmann::ordered_json;
using ::testing::HasSubstr;
using ::testing::Not;

ordered_json sample() {
    return ordered_json::parse(R"({
        "scenario": "sample", "description": "what it is about", "seed": 7, "parameters": {"swiotlb.size": "1MiB", "cpus": "1"},
        "shown": false, "verdict": [{"shown": true, "text": "it <finished>"}, {"shown": false, "text": "all & sundry"}],
        "ended": {"kind": "finished", "text": "the guest finished", "partial": true, "details": ["cpu0 waits"]},
        "results": {"secret": 1},
        "runs": [{
            "label": "", "ended": {"kind": "finished", "text": "the guest finished", "partial": false, "details": []},
            "simulated_time_ns": 5000.0, "rates_are_of_ns": {"begin": 0, "end": 5000}, "figures": {},
            "metrics": {"counters": {}, "levels": {}, "histograms": {}, "tallies": {}},
            "exposure": {"pages_exposed": 0, "writers": [], "shares": [], "channels": {}, "canaries": {"planted": 0, "sightings": 0, "kept": []}},
            "violations": {"total": 1, "by_kind": {"dma_mapping": 1}, "kept": [{"time_ns": 1234.5, "count": 3, "kind": "dma_mapping",
                "who": "cpu0", "address": 1245184, "page_state": "SECURE", "request": 4, "detail": "</script><script>alert(1)</script>"}]},
            "notes": {"total": 0, "by_kind": {}, "kept": []}}]})");
}

/// The JSON that stands in the page.
ordered_json data_of(const std::string& page) {
    constexpr std::string_view open = "<script type=\"application/json\" id=\"report\">";
    const std::size_t begin = page.find(open) + open.size();
    return ordered_json::parse(page.substr(begin, page.find("</script>", begin) - begin));
}

std::string before_script(const std::string& page) { return page.substr(0, page.find("<script")); }

TEST(html, text_is_escaped_and_valid) {
    EXPECT_EQ(html_escaped("a<b>&\"c\"\n"), "a&lt;b&gt;&amp;&quot;c&quot;\n");
    EXPECT_EQ(html_escaped("\xff\x1b["), "\xef\xbf\xbd\xef\xbf\xbd[");
    EXPECT_EQ(html_escaped("\xc3\xa4"), "\xc3\xa4");
}

TEST(run_page, verdict_ending_cause_and_violations_need_no_script) {
    const std::string text = before_script(run_page(sample(), {}));
    std::size_t at = 0;
    for (const char* const expected :
         {"not shown", "not shown:</strong> all &amp; sundry", "it &lt;finished&gt;", "the guest finished",
          "this report is partial", "cpu0 waits", "id=\"cause\"", "A rule was broken (dma mapping)",
          "id=\"violations\"", "1234.500 ns", "href=\"#page-1-19\"", "SECURE"}) {
        const std::size_t found = text.find(expected, at);
        ASSERT_NE(found, std::string::npos) << expected << " behind " << text.substr(at, 300);
        at = found;
    }
}

TEST(run_page, nothing_of_the_report_becomes_markup) {
    const std::string page = run_page(sample(), {.text = "</pre><script>alert(2)</script>"});
    EXPECT_THAT(page, Not(HasSubstr("<script>alert")));
    EXPECT_EQ(data_of(page)["report"]["runs"][0]["violations"]["kept"][0]["detail"],
              "</script><script>alert(1)</script>");
}

TEST(run_page, has_the_text_report_the_changed_parameters_and_the_replay) {
    const std::string page = run_page(
        sample(),
        {.text = "Key figures\n", .changed_parameters = {"swiotlb.size"}, .replay = "sample --seed 7"});
    EXPECT_THAT(before_script(page), HasSubstr("<pre>Key figures\n</pre>"));
    EXPECT_EQ(data_of(page)["facts"],
              ordered_json({{"changed", {"swiotlb.size"}}, {"replay", "sample --seed 7"}}));
}

TEST(run_page, the_reports_own_replay_counts) {
    ordered_json report = sample();
    report["replay"] = "sample --x";
    EXPECT_EQ(
        data_of(run_page(report, {.text = "", .changed_parameters = {}, .replay = "y"}))["facts"]["replay"],
        "sample --x");
}

TEST(run_page, names_that_are_no_utf8_do_no_harm) {
    ordered_json report = sample();
    report["parameters"]["disk"] = "\xff\xfe";
    EXPECT_EQ(data_of(run_page(report, {}))["report"]["parameters"]["disk"], "\xef\xbf\xbd\xef\xbf\xbd");
}

TEST(run_page, same_report_same_bytes) { EXPECT_EQ(run_page(sample(), {}), run_page(sample(), {})); }

TEST(run_page, is_never_larger_than_its_limit_and_says_what_is_missing) {
    ordered_json report = sample();
    ordered_json& run = report["runs"][0];
    const ordered_json violation = run["violations"]["kept"][0];
    for (int i = 0; i < 1000; ++i) {
        run["violations"]["kept"].push_back(violation);
        run["page_map"]["spans"].push_back(
            {{"first", i}, {"count", 1}, {"state", "SHARED"}, {"writers", {std::string(300, 'w')}}});
    }
    for (int i = 0; i < 5000; ++i) {
        run["profile"]["stacks"].push_back({fmt::format("main;f{}", i), i});
        run["exposure"]["writers"].push_back({{"initiator", "cpu0"}, {"origin", std::string(10'000, 'x')}});
    }
    const std::string page = run_page(report, {.text = std::string(3'000'000, 'y')});
    EXPECT_LE(page.size(), largest_page);
    EXPECT_GT(page.size(), largest_page / 8) << "not everything is thrown away";
    EXPECT_THAT(before_script(page), HasSubstr("Left out of this page"));
    EXPECT_THAT(before_script(page), HasSubstr("profile.stacks: "));
    EXPECT_THAT(before_script(page), HasSubstr(" of 5,000 are here"));
    EXPECT_THAT(before_script(page), HasSubstr("the text report: the first "));
    const ordered_json kept = data_of(page)["report"]["runs"][0]["profile"]["stacks"];
    EXPECT_EQ(kept[0][1], 4999) << "the largest stay";
    EXPECT_LE(run_page(report, {}, 300'000).size(), 300'000);
}

TEST(run_page, a_small_report_is_whole) {
    EXPECT_THAT(run_page(sample(), {}), Not(HasSubstr("Left out of this page</h2>")));
    EXPECT_FALSE(data_of(run_page(sample(), {}))["report"].contains("results")) << "no picture shows it";
}

}  // namespace
}  // namespace pefsim::report
