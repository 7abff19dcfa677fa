// SPDX-License-Identifier: Apache-2.0
#include <stdexcept>

#include "power/translator/region_translator.h"

/// Built without asmjit, or for a host that nothing is translated for: the interpreter executes everything.
namespace pefsim::power {

struct region_translator::state {};

bool region_translator::available() { return false; }

region_translator::region_translator(core& /*subject*/, const options& /*how*/) {
    throw std::logic_error("pefsim was built without a translator");
}
region_translator::~region_translator() = default;

translator_counters region_translator::counters() const { return {}; }
void region_translator::check_perf_map() const {}
std::int64_t region_translator::sampled(code_page& /*page*/, unsigned /*index*/) { return 0; }
void region_translator::forget(code_page& /*page*/) {}

}  // namespace pefsim::power
