// SPDX-License-Identifier: Apache-2.0
#include "tests/trace/scratch.h"

#include <cstdlib>
#include <fstream>
#include <gtest/gtest.h>
#include <iterator>
#include <system_error>

#include <sys/wait.h>

namespace pefsim::trace {

scratch_directory::scratch_directory() {
    std::string name = ::testing::TempDir() + "pefsim-trace-XXXXXX";
    if (mkdtemp(name.data()) == nullptr) {
        throw std::system_error(errno, std::generic_category(), name);
    }
    path_ = name;
}

scratch_directory::~scratch_directory() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
}

std::string content_of(const std::filesystem::path& file) {
    std::ifstream in(file, std::ios::binary);
    EXPECT_TRUE(in) << file;
    return {std::istreambuf_iterator<char>(in), {}};
}

bool has_program(const std::string& name) { return shell("command -v " + name + " >/dev/null") == 0; }

int shell(const std::string& command) {
    const int status = std::system(command.c_str());  // NOLINT(cert-env33-c)
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

}  // namespace pefsim::trace
