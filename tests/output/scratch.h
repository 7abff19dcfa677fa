// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>
#include <string>
#include <string_view>

namespace pefsim::output {

/// A test with a directory of its own.
class scratch_test : public ::testing::Test {
protected:
    scratch_test() {
        std::string name = ::testing::TempDir() + "pefsim-output-XXXXXX";
        EXPECT_NE(::mkdtemp(name.data()), nullptr);
        directory_ = name;
    }
    ~scratch_test() override {
        std::error_code ignored;
        std::filesystem::remove_all(directory_, ignored);
    }

    [[nodiscard]] std::filesystem::path at(std::string_view name) const { return directory_ / name; }
    [[nodiscard]] std::filesystem::path put(std::string_view name, std::string_view content) const {
        std::ofstream(at(name), std::ios::binary) << content;
        return at(name);
    }
    static std::string content(const std::filesystem::path& file) {
        std::ifstream stream(file, std::ios::binary);
        return {std::istreambuf_iterator<char>(stream), {}};
    }
    [[nodiscard]] std::set<std::string> files() const {
        std::set<std::string> names;
        for (const auto& each : std::filesystem::directory_iterator(directory_)) {
            names.insert(each.path().filename().string());
        }
        return names;
    }

private:
    std::filesystem::path directory_;
};

}  // namespace pefsim::output
