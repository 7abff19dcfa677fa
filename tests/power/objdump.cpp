// SPDX-License-Identifier: Apache-2.0
#include "tests/power/objdump.h"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <array>
#include <boost/endian/conversion.hpp>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <memory>
#include <stdexcept>
#include <string_view>

namespace pefsim::power::isa {
namespace {

/// A file that exists as long as the object.
class scratch_file {
public:
    explicit scratch_file(std::span<const std::uint32_t> words)
        : path_(std::filesystem::path(::testing::TempDir()) / fmt::format("pefsim_words.{}", getpid())) {
        std::ofstream stream(path_, std::ios::binary);
        for (const std::uint32_t word : words) {
            const std::uint32_t little = boost::endian::native_to_little(word);
            stream.write(reinterpret_cast<const char*>(&little), sizeof little);
        }
        if (!stream.flush()) {
            throw std::runtime_error("cannot write " + path_.string());
        }
    }
    scratch_file(const scratch_file&) = delete;
    scratch_file& operator=(const scratch_file&) = delete;
    ~scratch_file() { std::filesystem::remove(path_); }

    std::string name() const { return path_.string(); }

private:
    std::filesystem::path path_;
};

std::string output_of(const std::string& command) {
    const std::unique_ptr<FILE, int (*)(FILE*)> pipe(popen(command.c_str(), "r"), &pclose);
    if (pipe == nullptr) {
        throw std::runtime_error("cannot run " + command);
    }
    std::string text;
    std::array<char, 65536> part{};
    while (const std::size_t size = std::fread(part.data(), 1, part.size(), pipe.get())) {
        text.append(part.data(), size);
    }
    return text;
}

std::string with_single_spaces(std::string_view text) {
    std::string result;
    for (const char c : text) {
        const bool space = c == ' ' || c == '\t';
        if (!space) {
            result += c;
        } else if (!result.empty() && result.back() != ' ') {
            result += ' ';
        }
    }
    if (!result.empty() && result.back() == ' ') {
        result.pop_back();
    }
    return result;
}

}  // namespace

bool objdump_is_installed() {
    return std::system(fmt::format("command -v {} >/dev/null", objdump_program).c_str()) == 0;
}

std::vector<std::string> objdump(std::span<const std::uint32_t> words, std::uint64_t address) {
    const scratch_file file(words);
    const std::string text = output_of(
        fmt::format("{} -D -z -b binary -m powerpc:common64 -EL -M power9 --adjust-vma={:#x} {}",
                    objdump_program, address, file.name()));
    // "  address:\tbytes \tmnemonic operands"; lines of other kinds have fewer tabs.
    std::vector<std::string> lines;
    lines.reserve(words.size());
    for (std::string_view rest = text; !rest.empty();) {
        const std::string_view line = rest.substr(0, rest.find('\n'));
        rest.remove_prefix(std::min(line.size() + 1, rest.size()));
        const std::size_t bytes = line.find(":\t");
        const std::size_t code = bytes == std::string_view::npos ? bytes : line.find('\t', bytes + 2);
        if (code != std::string_view::npos) {
            lines.push_back(with_single_spaces(line.substr(code + 1)));
        }
    }
    if (lines.size() != words.size()) {
        throw std::runtime_error(
            fmt::format("objdump wrote {} lines for {} words", lines.size(), words.size()));
    }
    return lines;
}

}  // namespace pefsim::power::isa
