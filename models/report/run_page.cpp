// SPDX-License-Identifier: Apache-2.0
#include "report/run_page.h"

#include <algorithm>
#include <fmt/format.h>
#include <iterator>
#include <string_view>
#include <utility>

#include "abi/address.h"
#include "report/diagnosis.h"
#include "report/html_text.h"
#include "report/page_cut.h"
#include "report/quantity_text.h"
#include "report/run_reader.h"

namespace pefsim::report {
namespace {

using nlohmann::ordered_json;

constexpr std::size_t lines_on_first_screen = 7;

std::string member(const ordered_json& of, std::string_view name) { return run_reader::text(of, name); }
double number(const ordered_json& of, std::string_view name) { return run_reader::number(of, name); }

/// A report whose texts are UTF-8, whatever files are called.
ordered_json valid(const ordered_json& report) {
    return ordered_json::parse(report.dump(-1, ' ', false, ordered_json::error_handler_t::replace));
}

/// JSON that ends no <script>.
std::string embedded(const ordered_json& data) {
    std::string result;
    for (const char c : data.dump()) {
        result += c == '<' ? std::string("\\u003c") : std::string(1, c);
    }
    return fmt::format("<script type=\"application/json\" id=\"report\">{}</script>\n", result);
}

std::string exact_time(double ns) { return fmt::format("{:.3f} ns", ns); }

// --- the first screen

std::string verdict_html(const ordered_json& report) {
    std::vector<const ordered_json*> lines;
    for (const ordered_json& each : report["verdict"]) {
        lines.push_back(&each);
    }
    // What was not shown is what one looks for.
    std::stable_partition(lines.begin(), lines.end(),
                          [](const ordered_json* each) { return !each->value("shown", false); });
    std::string first;
    std::string more;
    for (std::size_t i = 0; i < lines.size(); ++i) {
        const bool shown = lines[i]->value("shown", false);
        (i < lines_on_first_screen ? first : more) += html_element(
            "li", "",
            fmt::format("{} {}",
                        shown ? html_element("span", "class=\"good\"", "&#10003; shown:")
                              : html_element("strong", "class=\"bad\"", "&#10007; not shown:"),
                        html_escaped(member(*lines[i], "text"))));
    }
    if (!more.empty()) {
        more = html_element(
            "details", "",
            html_element("summary", "", fmt::format("{} more", lines.size() - lines_on_first_screen)) +
                html_element("ul", "class=\"lines\"", more));
    }
    return html_element("section", "class=\"card\" aria-labelledby=\"verdict\"",
                        "<h2 id=\"verdict\">Verdict</h2>" + html_element("ul", "class=\"lines\"", first) +
                            more);
}

std::string ending_html(const ordered_json& ended) {
    constexpr std::string_view of_console = "console: ";
    std::string details;
    std::string console;
    for (const ordered_json& each : run_reader::member(ended, "details")) {
        const auto text = each.get<std::string>();
        (text.starts_with(of_console) ? console : details) += html_element("li", "", html_escaped(text));
    }
    const auto list = [](const std::string& items) { return html_element("ul", "", items); };
    return html_element(
        "section", "class=\"card\" aria-labelledby=\"ended\"",
        fmt::format("<h2 id=\"ended\">How it ended</h2><p>{}{}</p>{}{}", html_escaped(member(ended, "text")),
                    ended.value("partial", false) ? " <strong>(this report is partial)</strong>" : "",
                    details.empty() ? "" : list(details),
                    console.empty()
                        ? ""
                        : html_element("details", "",
                                       "<summary>The console's last lines</summary>" + list(console))));
}

/// A moment; a link into the timeline where that has it.
std::string moment_html(double when, const ordered_json& run, std::size_t number_of_run) {
    std::size_t index = 0;
    for (const ordered_json& each : run_reader::member(run_reader::member(run, "violations"), "kept")) {
        ++index;
        if (number(each, "time_ns") == when) {
            return html_element("a", fmt::format("href=\"#moment-{}-{}\"", number_of_run, index),
                                exact_time(when));
        }
    }
    return exact_time(when);
}

std::string cause_html(const finding& what, const ordered_json& run, std::size_t number_of_run) {
    const std::string label = member(run, "label");
    const std::string result = html_element("p", "class=\"sentence\"",
                                            html_escaped((label.empty() ? "" : label + ": ") + what.cause));
    std::string rest = html_escaped(what.remedy);
    if (what.when_ns) {
        rest = fmt::format("At {}. {}", moment_html(*what.when_ns, run, number_of_run), rest);
    }
    return rest.empty() ? result : result + html_element("p", "", rest);
}

/// What the diagnosis finds in all machines: the first machine's first finding, then a line for each other one.
std::string causes_html(const ordered_json& report) {
    constexpr std::size_t most = 4;
    std::string first;
    std::string others;
    std::size_t count = 0;
    for (std::size_t i = 0; i < report["runs"].size(); ++i) {
        const std::string label = member(report["runs"][i], "label");
        for (const finding& each : diagnose(report["runs"][i])) {
            ++count;
            if (count == 1) {
                first = cause_html(each, report["runs"][i], i + 1);
            } else if (count <= most) {
                others += html_element(
                    "li", "", html_escaped((label.empty() ? "" : fmt::format("{}: ", label)) + each.cause));
            }
        }
    }
    if (count > most) {
        others += html_element("li", "", fmt::format("and {} more", count - most));
    }
    const bool well = report.value("shown", false);
    if (count == 0) {
        first = html_element(
            "p", "",
            well ? "Nothing went wrong that the record shows."
                 : "The record has nothing that explains it: no broken rule, nothing lost, nothing "
                   "exhausted, nothing slow.");
    }
    return html_element(
        "section", fmt::format("class=\"card cause{}\" aria-labelledby=\"cause\"", count == 0 ? " none" : ""),
        "<h2 id=\"cause\">Cause</h2>" + first +
            (others.empty() ? "" : "<p>Also:</p>" + html_element("ul", "", others)));
}

std::string header_html(const ordered_json& report) {
    const bool shown = report.value("shown", false);
    const std::string word = shown ? "<span class=\"verdict-word good\">&#10003; shown</span>"
                                   : "<span class=\"verdict-word bad\">&#10007; not shown</span>";
    return html_element("header", "",
                        fmt::format("<h1>{} {}</h1>\n<details class=\"description\"><summary>What the "
                                    "scenario is about (seed {})</summary>"
                                    "<p>{}</p></details>",
                                    html_escaped(member(report, "scenario")), word, number(report, "seed"),
                                    html_escaped(member(report, "description"))));
}

// --- violations

void add_violation(const ordered_json& each, std::size_t run, std::size_t index, html_table& into) {
    std::string kind = member(each, "kind");
    std::ranges::replace(kind, '_', ' ');
    const double count = number(each, "count");
    const auto address = static_cast<std::uint64_t>(number(each, "address"));
    const std::string state = member(each, "page_state");
    std::string page;
    if (!state.empty()) {
        page = fmt::format("<a href=\"#page-{}-{}\">{:#x}</a> {}", run, address / abi::page_size,
                           address / abi::page_size, html_escaped(state));
    } else if (address != 0) {
        page = fmt::format("{:#x}", address);
    }
    const double request = number(each, "request");
    into.rows.push_back(
        {fmt::format("<a href=\"#moment-{}-{}\">{}</a>", run, index, exact_time(number(each, "time_ns"))),
         html_escaped(member(each, "who")), html_escaped(kind + ": " + member(each, "detail")), page,
         request == 0 ? "" : fmt::format("{}", request), count_text(static_cast<std::uint64_t>(count))});
    into.row_ids.push_back(fmt::format("violation-{}-{}", run, index));
}

std::string violations_html(const ordered_json& report) {
    std::string tables;
    double total = 0;
    for (std::size_t i = 0; i < report["runs"].size(); ++i) {
        const ordered_json& run = report["runs"][i];
        const ordered_json& violations = run_reader::member(run, "violations");
        const double count = number(violations, "total");
        total += count;
        const std::string label = member(run, "label");
        html_table table{
            .caption = fmt::format("{}{} in all; equal ones are one row, with the time of the first",
                                   label.empty() ? "" : label + ": ",
                                   count_text(static_cast<std::uint64_t>(count))),
            .columns = {{"Time", "number"},
                        {"Who"},
                        {"What", "long"},
                        {"Page"},
                        {"Request", "number"},
                        {"Times", "number"}}};
        for (const ordered_json& each : run_reader::member(violations, "kept")) {
            add_violation(each, i + 1, table.rows.size() + 1, table);
        }
        tables += table.rows.empty() ? "" : table.text();
    }
    if (total == 0) {
        tables = html_element("p", "class=\"quiet\"", "Nobody broke a rule.");
    }
    return html_element("section", "aria-labelledby=\"violations\"",
                        "<h2 id=\"violations\">Violations</h2>\n" + tables);
}

// --- the end of the page

std::string text_html(const std::string& text) {
    return html_element(
        "details", "",
        "<summary>The whole text report</summary>" +
            html_element("div", "class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"Text report\"",
                         html_element("pre", "", html_escaped(text))));
}

std::string left_out_html(const std::vector<std::string>& left_out) {
    if (left_out.empty()) {
        return {};
    }
    std::string items;
    for (const std::string& each : left_out) {
        items += html_element("li", "", html_escaped(each));
    }
    return html_element(
        "section", "aria-labelledby=\"left-out\"",
        "<h2 id=\"left-out\">Left out of this page</h2><p>The JSON report (--report) has all of it.</p>" +
            html_element("ul", "", items));
}

std::string page_of(const ordered_json& whole, const page_facts& facts, unsigned halvings) {
    ordered_json report = whole;
    std::string text = facts.text;
    std::vector<std::string> left_out = cut_report(report, halvings);
    std::ranges::move(cut_text(text, halvings), std::back_inserter(left_out));

    const std::string replay = report.contains("replay") && report["replay"].is_string()
                                   ? member(report, "replay")
                                   : facts.replay;
    const std::string body = header_html(report) + "\n<main>\n" +
                             html_element("div", "class=\"summary\"",
                                          verdict_html(report) + "\n" +
                                              ending_html(run_reader::member(report, "ended")) + "\n" +
                                              causes_html(whole)) +
                             "\n<nav aria-label=\"Contents\"><ul id=\"contents\"></ul></nav>\n" +
                             violations_html(report) +
                             "\n<div id=\"pictures\"></div>\n<noscript><p>The pictures need JavaScript; all "
                             "of their figures are in the text "
                             "report.</p></noscript>\n" +
                             text_html(text) + left_out_html(left_out) + "\n</main>";
    const ordered_json data{{"report", report},
                            {"facts", {{"changed", facts.changed_parameters}, {"replay", replay}}}};
    return html_page(fmt::format("{}: {}", member(report, "scenario"),
                                 report.value("shown", false) ? "shown" : "not shown"),
                     body, embedded(data));
}

}  // namespace

std::string run_page(const ordered_json& report, const page_facts& facts, std::size_t limit) {
    const ordered_json whole = valid(report);
    constexpr unsigned most_halvings = 20;
    std::string page = page_of(whole, facts, 0);
    for (unsigned halvings = 1; page.size() > limit && halvings <= most_halvings; ++halvings) {
        page = page_of(whole, facts, halvings);
    }
    return page;
}

}  // namespace pefsim::report
