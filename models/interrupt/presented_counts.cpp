// SPDX-License-Identifier: Apache-2.0
#include "interrupt/presented_counts.h"

#include <fmt/format.h>
#include <stdexcept>
#include <string>
#include <vector>

#include "abi/platform.h"

namespace pefsim::interrupt {

namespace {

std::vector<std::string> server_labels(unsigned servers) {
    std::vector<std::string> labels;
    for (unsigned server = 0; server < servers; ++server) {
        labels.push_back(fmt::format("server{}", server));
    }
    return labels;
}

std::vector<std::string> kind_labels() {
    return {std::string(to_name(source_kind::ipi)), std::string(to_name(source_kind::message)),
            std::string(to_name(source_kind::level))};
}

}  // namespace

presented_counts::presented_counts(report::metric_registry& metrics, std::string_view scope, unsigned servers)
    : by_server_(metrics, scope, "interrupts_presented", "interrupts", "interrupts presented, by server",
                 server_labels(servers)),
      by_kind_(metrics, scope, "interrupts_by_kind", "interrupts", "interrupts presented, by kind of source",
               kind_labels()) {}

unsigned checked_servers(std::string_view module, unsigned servers) {
    if (servers == 0 || servers > abi::platform::max_servers) {
        throw std::invalid_argument(fmt::format("{}: {} interrupt servers are not within 1 to {}", module,
                                                servers, abi::platform::max_servers));
    }
    return servers;
}

}  // namespace pefsim::interrupt
