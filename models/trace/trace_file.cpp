// SPDX-License-Identifier: Apache-2.0
#include "trace/trace_file.h"

#include <fmt/format.h>
#include <stdexcept>

#include "output/whole_file.h"
#include "trace/recorder.h"

namespace pefsim::trace {

void check_trace_file(const std::filesystem::path& file) {
    const std::filesystem::path ending = file.extension();
    if (ending != ".vcd" && ending != ".fst") {
        throw std::invalid_argument(
            fmt::format("trace file '{}': its ending must be .vcd or .fst", file.string()));
    }
    if (ending == ".fst" && !recorder::fst_available()) {
        throw std::invalid_argument(fmt::format(
            "trace file '{}': built without the FST writer (Debian package verilator); only .vcd can "
            "be written",
            file.string()));
    }
    const output::whole_file probe("trace file", file,
                                   ending == ".fst" ? output::whole_file::access::by_name
                                                    : output::whole_file::access::sequential);
}

}  // namespace pefsim::trace
