// SPDX-License-Identifier: Apache-2.0
//
// Mutated ELF files: README.md.
#include <elf.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <random>
#include <stdexcept>
#include <string>
#include <vector>

#include "linux_user/process.h"
#include "power/elf_image.h"
#include "tests/fuzz/fuzz_driver.h"

namespace {

using namespace pefsim;  // NOLINT(google-build-using-namespace)
using bytes = std::vector<std::byte>;

constexpr int hang_seconds = 20;             // of CPU time, for one case
constexpr std::uint64_t enough_cases = 500;  // to see every outcome
constexpr std::uint64_t memory_limit = std::uint64_t{64} << 20;
constexpr std::uint64_t most_work = 100'000;  // steps of the address space, of one program start

class mutator {
public:
    explicit mutator(std::uint64_t seed) : random_(seed) {}

    bytes mutate(const std::vector<bytes>& corpus) {
        bytes file = corpus[below(corpus.size())];
        for (std::uint64_t n = 1 + below(5); n > 0 && !file.empty(); --n) {
            change(file, corpus);
        }
        return file;
    }
    std::uint64_t below(std::uint64_t limit) { return random_() % limit; }

private:
    /// Headers are where the meaning is: of the file, of segments behind it, of sections at the end.
    std::size_t place(const bytes& file) {
        const std::size_t size = file.size();
        switch (below(4)) {
        case 0:
            return below(std::min<std::size_t>(size, sizeof(Elf64_Ehdr)));
        case 1:
            return below(std::min<std::size_t>(size, sizeof(Elf64_Ehdr) + 4 * sizeof(Elf64_Phdr)));
        case 2:
            return size - 1 - below(std::min<std::size_t>(size, 8 * sizeof(Elf64_Shdr)));
        default:
            return below(size);
        }
    }

    std::uint64_t number(std::size_t file_size) {
        const std::uint64_t sizes[] = {0,          1,          file_size,   file_size - 1, file_size + 1,
                                       0xffff,     0x7fffffff, 0x80000000u, 0xffffffffu,   memory_limit,
                                       1ULL << 46, 1ULL << 47, 1ULL << 63,  ~0ULL,         ~0ULL - 56,
                                       0x10000,    0xfff,      64};
        return below(4) == 0 ? random_() >> below(64) : sizes[below(std::size(sizes))];
    }

    void change(bytes& file, const std::vector<bytes>& corpus) {
        switch (below(6)) {
        case 0:
            file[place(file)] ^= std::byte{static_cast<unsigned char>(1U << below(8))};
            break;
        case 1:
            file[place(file)] = static_cast<std::byte>(random_());
            break;
        case 2:
            file.resize(below(file.size() + 1));
            break;
        case 3: {  // a part of another
            const bytes& other = corpus[below(corpus.size())];
            const std::size_t at = place(file);
            const std::size_t size = std::min({file.size() - at, other.size(), 1 + below(64)});
            std::copy_n(other.begin() + static_cast<std::ptrdiff_t>(below(other.size() - size + 1)), size,
                        file.begin() + static_cast<std::ptrdiff_t>(at));
            break;
        }
        default: {
            const std::uint64_t value = number(file.size());
            const std::size_t width = std::size_t{1} << below(4);
            const std::size_t at = place(file) & ~(width - 1);
            std::memcpy(&file[at], &value, std::min(width, file.size() - at));
        }
        }
    }

    std::mt19937_64 random_;
};

/// What every reader of an image asks, whatever stands in it.
void look_at(const power::elf_image& image, std::uint64_t file_size) {
    std::uint64_t content = 0;
    for (const auto& each : image.segments()) {
        content += each.content.size();
        if (each.content.size() > each.size || each.address + each.size < each.address) {
            throw std::logic_error("a segment that is none");
        }
    }
    if (image.symbols().size() > file_size ||
        content > file_size * std::max<std::size_t>(1, image.segments().size())) {
        throw std::logic_error("more than the file holds");
    }
    for (const auto& each : image.symbols()) {
        const auto at = image.find(each.address);
        if (at && (at->of == nullptr || at->of->name.empty())) {
            throw std::logic_error("a symbol that is none");
        }
    }
    static_cast<void>(image.lowest() <= image.end());
}

void start(const power::elf_image& image, std::uint64_t number) {
    linux_user::process::config config;
    config.program = "fuzz";
    config.arguments = {"fuzz"};
    config.environment = {"A=b"};
    config.memory = {.page_size = number % 2 == 0 ? 65536U : 4096U, .bytes = memory_limit};
    config.stack_size = 1 << 20;
    linux_user::process process(config, image);
    if (process.memory.work() > most_work || process.memory.peak_bytes() > memory_limit) {
        throw std::logic_error(
            fmt::format("{} steps, {} bytes", process.memory.work(), process.memory.peak_bytes()));
    }
    process.core.run(200);  // no system call is served
}

enum class outcome : std::uint8_t { refused, no_program, started };

outcome read_and_start(bytes file, std::uint64_t number) {
    const std::uint64_t size = file.size();
    outcome come_to = outcome::refused;
    try {
        const power::elf_image image(std::move(file));
        come_to = outcome::no_program;
        look_at(image, size);
        start(image, number);
        come_to = outcome::started;
    } catch (const std::invalid_argument& wrong) {
        const std::string line = wrong.what();
        if (line.empty() || line.find('\n') != std::string::npos) {
            throw std::logic_error(fmt::format("not one line: '{}'", line));
        }
    }
    return come_to;
}

std::vector<bytes> read_files(const std::string& directory) {
    std::vector<bytes> read;
    for (const auto& each : fuzz::files_of(directory)) {
        const std::string content = fuzz::content_of(each);
        const auto raw = std::as_bytes(std::span(content));
        read.emplace_back(raw.begin(), raw.end());
    }
    return read;
}

int run(const fuzz::fuzz_options& how, const std::string& corpus, const std::string& write_to) {
    const std::vector<bytes> known = read_files(corpus);
    std::array<std::uint64_t, 3> outcomes{};
    const fuzz::case_count count = fuzz::play_cases(how, hang_seconds, [&](std::uint64_t number) {
        bytes file = mutator(how.seed * 1'000'003 + number).mutate(known);
        if (how.only && !write_to.empty()) {
            std::ofstream(write_to, std::ios::binary)
                .write(reinterpret_cast<const char*>(file.data()), std::ssize(file));
        }
        ++outcomes[static_cast<std::size_t>(read_and_start(std::move(file), number))];
        return fuzz::complaints{};
    });
    if (how.only) {
        return count.failed == 0 ? 0 : 1;
    }
    fmt::print("{} cases of seed {}, {:.0f} s of CPU: {} failed; {} refused, {} no program, {} started\n",
               count.played, how.seed, fuzz::cpu_seconds(), count.failed, outcomes[0], outcomes[1],
               outcomes[2]);
    const bool blind = count.played >= enough_cases &&
                       std::ranges::any_of(outcomes, [](auto each) { return each == 0; });
    if (blind) {
        fmt::print("not all kinds of files\n");
    }
    return count.failed == 0 && !blind ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
    namespace po = boost::program_options;
    std::string corpus = fuzz::corpus("elf");
    std::string write_to;
    fuzz::fuzzer self{.name = "fuzz_elf",
                      .usage = "fuzz_elf [OPTION...]: mutated ELF files, read and started",
                      .cases = 5000};
    self.own.add_options()("write", po::value(&write_to),
                           "with --case: its file")("corpus", po::value(&corpus), "directory of good files");
    self.run = [&](const fuzz::fuzz_options& how) { return run(how, corpus, write_to); };
    return fuzz::main_of(argc, argv, self);
}
