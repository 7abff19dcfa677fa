// SPDX-License-Identifier: Apache-2.0
#include "report/html_text.h"

#include <algorithm>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "report/page_sources.h"

namespace pefsim::report {
namespace {

/// `text` as UTF-8.
std::string valid(std::string_view text) {
    const bool ascii = std::ranges::all_of(text, [](char c) { return static_cast<unsigned char>(c) < 0x80; });
    if (ascii) {
        return std::string(text);
    }
    using nlohmann::json;
    return json::parse(json(text).dump(-1, ' ', false, json::error_handler_t::replace)).get<std::string>();
}

/// `page` with each {{NAME}} replaced; what is put in is not looked through.
std::string filled(std::string_view page,
                   std::initializer_list<std::pair<std::string_view, std::string_view>> values) {
    std::string result;
    while (!page.empty()) {
        const std::size_t open = std::min(page.find("{{"), page.size());
        result += page.substr(0, open);
        page.remove_prefix(open);
        if (page.empty()) {
            break;
        }
        const std::size_t close = page.find("}}");
        const std::string_view name = page.substr(2, close - 2);
        result +=
            std::ranges::find(values, name, &std::pair<std::string_view, std::string_view>::first)->second;
        page.remove_prefix(close + 2);
    }
    return result;
}

}  // namespace

std::string html_escaped(std::string_view text) {
    std::string result;
    result.reserve(text.size());
    for (const char c : valid(text)) {
        switch (c) {
        case '<':
            result += "&lt;";
            break;
        case '>':
            result += "&gt;";
            break;
        case '&':
            result += "&amp;";
            break;
        case '"':
            result += "&quot;";
            break;
        case '\n':
        case '\t':
            result += c;
            break;
        default:
            if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) {
                result += "\xef\xbf\xbd";
            } else {
                result += c;
            }
        }
    }
    return result;
}

std::string html_element(std::string_view tag, std::string_view attributes, std::string_view content) {
    return fmt::format("<{}{}{}>{}</{}>", tag, attributes.empty() ? "" : " ", attributes, content, tag);
}

std::string html_table::text() const {
    std::string head;
    const auto look = [this](std::size_t i) {
        return columns[i].look.empty() ? std::string() : fmt::format("class=\"{}\"", columns[i].look);
    };
    for (std::size_t i = 0; i < columns.size(); ++i) {
        const std::string attributes = look(i).empty() ? "scope=\"col\"" : "scope=\"col\" " + look(i);
        head += html_element("th", attributes, html_escaped(columns[i].title));
    }
    std::string body;
    for (std::size_t row = 0; row < rows.size(); ++row) {
        std::string cells;
        for (std::size_t i = 0; i < rows[row].size(); ++i) {
            cells += html_element("td", look(i), rows[row][i]);
        }
        body += html_element(
            "tr", row < row_ids.size() ? fmt::format("id=\"{}\"", row_ids[row]) : std::string(), cells);
        body += '\n';
    }
    return fmt::format(
        "<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"{0}\"><table>"
        "<caption>{0}</caption>\n<thead><tr>{1}</tr></thead>\n<tbody>\n{2}</tbody></table></div>\n",
        html_escaped(caption), head, body);
}

std::string html_page(std::string_view title, std::string_view body, std::string_view data) {
    const bool scripted = !data.empty();
    const std::string policy = fmt::format(
        "default-src 'none'; style-src 'sha256-{}'; script-src {}; base-uri 'none'; form-action 'none'",
        page_sources::style_hash,
        scripted ? fmt::format("'sha256-{}'", page_sources::script_hash) : "'none'");
    return filled(page_sources::page,
                  {{"title", html_escaped(title)},
                   {"policy", policy},
                   {"style", page_sources::style},
                   {"body", body},
                   {"data", data},
                   {"script", scripted ? fmt::format("<script>{}</script>", page_sources::script) : ""}});
}

}  // namespace pefsim::report
