// SPDX-License-Identifier: Apache-2.0
//
// render_page < A.json > a.html: the page of a report that no scenario has written.
#include <iostream>
#include <nlohmann/json.hpp>
#include <systemc>

#include "report/run_page.h"

/// libsystemc asks for one.
int sc_main(int /*argc*/, char** /*argv*/) { return 0; }

int main() {
    std::cout << pefsim::report::run_page(
        nlohmann::ordered_json::parse(std::cin),
        {.text = "The report for people\n", .changed_parameters = {"cpus"}, .replay = "sample --cpus 2"});
}
