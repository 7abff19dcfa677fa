// SPDX-License-Identifier: Apache-2.0
//
// pefsim-compare: what differs between two runs, by their JSON reports (report/comparison.h). Exit status as that of
// cmp and diff: 0 nothing differs, 1 something does, 2 one line on standard error says why there is no answer.
#include <fmt/format.h>

#include <algorithm>
#include <boost/program_options.hpp>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <exception>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <systemc>
#include <vector>

#include "output/file_claims.h"
#include "output/standard_output.h"
#include "output/version.h"
#include "output/whole_file.h"
#include "report/comparison.h"

namespace {

namespace options = boost::program_options;
namespace output = pefsim::output;
namespace report = pefsim::report;
using nlohmann::ordered_json;

constexpr int equal = 0;
constexpr int different = 1;
constexpr int mistake = 2;

constexpr const char* usage = R"(pefsim-compare: what differs between two runs, by their JSON reports

It prints verdict, ending and parameters that differ, then all metrics, exposure, the parts of requests
and latencies, each with the ratio of B to A, the largest first. Names of files are no difference. Exit
status: 0 nothing differs, 1 something does, 2 bad input.

usage: pefsim-compare A.json B.json [options]

Options
  --html FILE.html                write it as a page for a browser, too
  --help                          show this text (-h, too)
  --version                       show which pefsim this is
)";

ordered_json read_report(const std::string& name) {
    const auto refuse = [&name](const std::string& why) -> void {
        throw std::invalid_argument(fmt::format("'{}' {}", name, why));
    };
    if (std::filesystem::is_directory(name)) {
        refuse(fmt::format("cannot be read: {}", std::strerror(EISDIR)));
    }
    std::ifstream from(name, std::ios::binary);
    if (!from) {
        refuse(fmt::format("cannot be read: {}", std::strerror(errno)));
    }
    ordered_json result = ordered_json::parse(from, nullptr, false);
    if (result.is_discarded()) {
        refuse("is no JSON");
    }
    try {
        report::check_is_report(result);
    } catch (const std::invalid_argument& error) {
        refuse(fmt::format("is no report of pefsim: {}", error.what()));
    }
    return result;
}

report::comparison compare(const ordered_json& a, const ordered_json& b) {
    try {
        return report::compare_reports(a, b);
    } catch (const ordered_json::exception& error) {  // "[json.exception ...] what"
        const std::string_view what = error.what();
        throw std::invalid_argument(fmt::format("a member of a report is not what it should be: {}",
                                                what.substr(std::min(what.find("] ") + 2, what.size()))));
    }
}

struct request {
    bool help = false;
    bool version = false;
    std::vector<std::string> reports;
    std::optional<std::string> page;
};

request parse(int argc, char** argv) {
    options::options_description known;
    known.add_options()("help,h", "")("version", "")("html", options::value<std::string>())(
        "report", options::value<std::vector<std::string>>());
    options::positional_options_description names;
    names.add("report", -1);
    options::variables_map given;
    try {
        constexpr int style = options::command_line_style::allow_long |
                              options::command_line_style::allow_short |
                              options::command_line_style::allow_dash_for_short |
                              options::command_line_style::short_allow_next |
                              options::command_line_style::long_allow_adjacent |
                              options::command_line_style::long_allow_next;
        options::store(
            options::command_line_parser(argc, argv).options(known).positional(names).style(style).run(),
            given);
    } catch (const options::error& error) {
        throw std::invalid_argument(error.what());
    }
    request result{
        .help = given.count("help") != 0, .version = given.count("version") != 0, .reports = {}, .page = {}};
    if (given.count("report") != 0) {
        result.reports = given["report"].as<std::vector<std::string>>();
    }
    if (given.count("html") != 0) {
        result.page = given["html"].as<std::string>();
    }
    if (!result.help && !result.version && result.reports.size() != 2) {
        throw std::invalid_argument(
            fmt::format("two reports are needed, not {}; try --help", result.reports.size()));
    }
    if (result.page == "-") {
        throw std::invalid_argument("--html: '-' is no file; there is /dev/stdout");
    }
    return result;
}

int say(std::string_view text) {
    output::standard_output::write(text);
    output::standard_output::check();
    return equal;
}

int run(const request& what) {
    if (what.help) {
        return say(usage);
    }
    if (what.version) {
        return say(fmt::format("pefsim-compare (pefsim) {}\n", output::version()));
    }
    output::file_claims claims;
    claims.add_standard_files();
    for (const std::string& each : what.reports) {
        claims.add("report", output::file_use::input, each);
    }
    claims.add("html", output::file_use::output, what.page.value_or(""));
    claims.check();
    std::optional<output::whole_file> page;
    if (what.page) {
        page.emplace("html", *what.page, output::whole_file::access::late);
    }
    const ordered_json a = read_report(what.reports[0]);
    const ordered_json b = read_report(what.reports[1]);
    const report::comparison result = compare(a, b);
    output::standard_output::write(report::comparison_text(result, what.reports[0], what.reports[1]));
    if (page) {
        output::standard_output::flush();
        page->write(report::comparison_page(result, what.reports[0], what.reports[1]));
        page->commit();
    }
    output::standard_output::check();
    return result.equal() ? equal : different;
}

}  // namespace

/// libsystemc, with whose times reports are made, asks for one; nothing is simulated here.
int sc_main(int /*argc*/, char** /*argv*/) { return mistake; }

int main(int argc, char** argv) {
    std::string why;
    try {
        // Writes fail instead, and say so.
        std::signal(SIGPIPE, SIG_IGN);
        std::signal(SIGXFSZ, SIG_IGN);
        output::occupy_standard_descriptors();
        return run(parse(argc, argv));
    } catch (const std::exception& error) {
        why = error.what();
    }
    std::ranges::replace_if(
        why, [](char c) { return (c >= 0 && c < ' ') || c == 0x7f; }, ' ');
    output::complain("pefsim-compare: " + why);
    return mistake;
}
