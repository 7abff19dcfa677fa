// SPDX-License-Identifier: Apache-2.0
#include "report/page_map.h"

#include <algorithm>
#include <map>

namespace pefsim::report {

namespace {

std::string writer_of(const exposure::ledger& ledger, const exposure::attribution& writer) {
    std::string name(ledger.initiator(writer.initiator));
    if (const std::string function = ledger.function(writer.origin); !function.empty()) {
        name += ": " + function;
    }
    return name;
}

page_map_span one_page(abi::gfn page, std::string_view state, const exposure::ledger& ledger,
                       std::span<const exposure::exposed_extent> extents) {
    page_map_span span{.first = page, .count = 1, .state = std::string(state)};
    for (const exposure::exposed_extent& each : extents) {
        const std::uint64_t bytes = each.end - each.begin;
        span.written += bytes;
        span.looked_at += each.host_reads == 0 ? 0 : bytes;
        if (std::string name = writer_of(ledger, each.writer); std::ranges::count(span.writers, name) == 0) {
            span.writers.push_back(std::move(name));
        }
    }
    return span;
}

void append(std::vector<page_map_span>& to, page_map_span next) {
    if (!to.empty() && to.back().state == next.state && to.back().writers == next.writers &&
        to.back().first + to.back().count == next.first) {
        to.back().count += next.count;
        to.back().written += next.written;
        to.back().looked_at += next.looked_at;
    } else {
        to.push_back(std::move(next));
    }
}

}  // namespace

std::vector<page_map_span> page_map(std::span<const pages_in_state> states, const exposure::ledger& ledger) {
    const std::map<abi::gfn, std::vector<exposure::exposed_extent>> standing = ledger.pages();
    std::vector<page_map_span> spans;
    for (const pages_in_state& each : states) {
        abi::gfn page = each.first;
        const abi::gfn end = each.first + each.count;
        for (auto next = standing.lower_bound(page); next != standing.end() && next->first < end; ++next) {
            if (page != next->first) {
                append(spans, {.first = page, .count = next->first - page, .state = std::string(each.state)});
            }
            append(spans, one_page(next->first, each.state, ledger, next->second));
            page = next->first + 1;
        }
        if (page != end) {
            append(spans, {.first = page, .count = end - page, .state = std::string(each.state)});
        }
    }
    return spans;
}

}  // namespace pefsim::report
