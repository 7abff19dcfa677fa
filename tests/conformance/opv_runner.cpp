// SPDX-License-Identifier: Apache-2.0
//
// opv_runner FILE.tst[.xz] ...: runs IBM's Open Power Verification tests on the POWER9 core, instruction by
// instruction, and prints passed and failed per file. -v names each test that failed, and why.
//
// Exit status: 0 all passed, 1 a test failed, 2 a file cannot be read. `opv_runner --all-of DIRECTORY` takes every file
// there; without the directory it prints that it skipped and ends with status 77.
#include <fmt/format.h>
#include <lzma.h>

#include <algorithm>
#include <array>
#include <exception>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

#include "tests/conformance/opv_run.h"

namespace {

using namespace pefsim;

std::string unpacked(const std::string& packed) {
    lzma_stream stream = LZMA_STREAM_INIT;
    constexpr std::uint64_t memory_limit = std::uint64_t{1} << 30;
    if (lzma_stream_decoder(&stream, memory_limit, LZMA_CONCATENATED) != LZMA_OK) {
        throw std::runtime_error("no memory for liblzma");
    }
    stream.next_in = reinterpret_cast<const std::uint8_t*>(packed.data());
    stream.avail_in = packed.size();
    std::string text;
    std::array<std::uint8_t, 1 << 16> part;
    lzma_ret status = LZMA_OK;
    while (status == LZMA_OK) {
        stream.next_out = part.data();
        stream.avail_out = part.size();
        status = lzma_code(&stream, LZMA_FINISH);
        text.append(reinterpret_cast<const char*>(part.data()), part.size() - stream.avail_out);
    }
    lzma_end(&stream);
    if (status != LZMA_STREAM_END) {
        throw std::runtime_error("not an xz file, or damaged");
    }
    return text;
}

std::vector<opv::test> tests_in(const std::filesystem::path& file) {
    std::ifstream in(file, std::ios::binary);
    if (!in) {
        throw std::runtime_error("cannot be opened");
    }
    std::string text{std::istreambuf_iterator<char>(in), {}};
    if (text.starts_with(std::string_view("\xfd"
                                          "7zXZ",
                                          5))) {
        text = unpacked(text);
    }
    std::istringstream lines(std::move(text));
    return opv::read_tests(lines);
}

struct tally {
    std::size_t passed = 0;
    std::size_t failed = 0;
};

tally run_file(const std::filesystem::path& file, bool verbose) {
    tally of_file;
    for (const opv::test& each : tests_in(file)) {
        const std::string difference = opv::difference(each);
        ++(difference.empty() ? of_file.passed : of_file.failed);
        if (verbose && !difference.empty()) {
            fmt::print("{}: test {}: {}\n", file.filename().string(), each.name, difference);
        }
    }
    fmt::print("{}: {} passed, {} failed\n", file.filename().string(), of_file.passed, of_file.failed);
    return of_file;
}

constexpr int skipped = 77;

}  // namespace

int main(int argc, char** argv) {
    std::vector<std::string> arguments(argv + 1, argv + argc);
    const bool verbose = std::erase(arguments, "-v") != 0;
    std::vector<std::filesystem::path> files(arguments.begin(), arguments.end());
    if (arguments.size() == 2 && arguments[0] == "--all-of") {
        std::error_code missing;
        files.clear();
        for (const auto& entry : std::filesystem::directory_iterator(arguments[1], missing)) {
            files.push_back(entry.path());
        }
        std::ranges::sort(files);
        if (files.empty()) {
            fmt::print("skipped: no tests in {}\n", arguments[1]);
            return skipped;
        }
    }
    if (files.empty()) {
        fmt::print(stderr, "usage: opv_runner [-v] FILE.tst[.xz] ... | --all-of DIRECTORY\n");
        return 2;
    }
    tally all;
    bool unreadable = false;
    for (const std::filesystem::path& file : files) {
        try {
            const tally of_file = run_file(file, verbose);
            all.passed += of_file.passed;
            all.failed += of_file.failed;
        } catch (const std::exception& error) {
            fmt::print(stderr, "{}: {}\n", file.string(), error.what());
            unreadable = true;
        }
    }
    if (files.size() > 1) {
        fmt::print("all: {} passed, {} failed\n", all.passed, all.failed);
    }
    return unreadable ? 2 : all.failed != 0 ? 1 : 0;
}
