// SPDX-License-Identifier: Apache-2.0
#include "trace/trace_file.h"

#include <cerrno>
#include <cstdio>
#include <fmt/format.h>
#include <memory>
#include <stdexcept>
#include <system_error>

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
    const bool existed = std::filesystem::exists(file);
    std::unique_ptr<std::FILE, int (*)(std::FILE*)> probe(std::fopen(file.c_str(), "ab"), &std::fclose);
    if (!probe) {
        throw std::invalid_argument(fmt::format("trace file '{}': cannot be written: {}", file.string(),
                                                std::generic_category().message(errno)));
    }
    probe.reset();
    if (!existed) {
        std::filesystem::remove(file);
    }
}

}  // namespace pefsim::trace
