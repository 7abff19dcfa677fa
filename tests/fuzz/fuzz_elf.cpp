// SPDX-License-Identifier: Apache-2.0
//
// Mutated ELF files: README.md.
#include <elf.h>
#include <fmt/format.h>

#include <algorithm>
#include <boost/program_options.hpp>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <exception>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>
#include <random>
#include <stdexcept>
#include <string>
#include <vector>

#include "containment.h"
#include "power/elf_image.h"
#include "user_program/process.h"

namespace {

using namespace pefsim;  // NOLINT(google-build-using-namespace)
using bytes = std::vector<std::byte>;

constexpr int longest_batch = 120;  // s
constexpr std::uint64_t batch = 500;
constexpr std::uint64_t memory_limit = std::uint64_t{64} << 20;
constexpr std::uint64_t most_work = 100'000;  // steps of the address space, of one program start

struct options {
    std::uint64_t seed = 1;
    std::uint64_t cases = 5000;
    double seconds = 0;
    std::string write_to;
    std::vector<bytes> corpus;
};

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

bytes file_of(const options& of, std::uint64_t number) {
    return mutator(of.seed * 1'000'003 + number).mutate(of.corpus);
}

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
    user_program::process::config config;
    config.program = "fuzz";
    config.arguments = {"fuzz"};
    config.environment = {"A=b"};
    config.memory = {.page_size = number % 2 == 0 ? 65536U : 4096U, .bytes = memory_limit};
    config.stack_size = 1 << 20;
    user_program::process process(config, image);
    if (process.memory.work() > most_work || process.memory.peak_bytes() > memory_limit) {
        throw std::logic_error(
            fmt::format("{} steps, {} bytes", process.memory.work(), process.memory.peak_bytes()));
    }
    process.core.run(200);  // no system call is served
}

enum class outcome : std::uint8_t { refused, no_program, started };

outcome run_case(const options& of, std::uint64_t number) {
    bytes file = file_of(of, number);
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

/// \returns 0 or the case that fails, behind its line on standard error
int run_batch(const options& of, std::uint64_t first, std::uint64_t count) {
    std::array<std::uint64_t, 3> outcomes{};
    for (std::uint64_t number = first; number < first + count; ++number) {
        try {
            ++outcomes[static_cast<std::size_t>(run_case(of, number))];
        } catch (const std::exception& error) {
            fmt::print(stderr, "fuzz_elf --seed {} --case {}: {}\n", of.seed, number, error.what());
            return 1;
        }
    }
    const bool all_kinds = count < batch ||
                           std::ranges::none_of(outcomes, [](auto each) { return each == 0; });
    if (!all_kinds) {
        fmt::print(stderr, "fuzz_elf: refused {}, no program {}, started {}: not all kinds of files\n",
                   outcomes[0], outcomes[1], outcomes[2]);
    }
    return all_kinds ? 0 : 1;
}

int run_cases(const options& of, std::uint64_t first) {
    const auto begin = std::chrono::steady_clock::now();
    const auto is_over = [&](std::uint64_t done) {
        const std::chrono::duration<double> spent = std::chrono::steady_clock::now() - begin;
        return of.seconds > 0 ? spent.count() >= of.seconds : done >= of.cases;
    };
    for (std::uint64_t done = 0; !is_over(done); done += batch) {
        const std::uint64_t count = of.seconds > 0 ? batch : std::min(batch, of.cases - done);
        const int status = fuzz::run_forked([&] { return run_batch(of, first + done, count); },
                                            longest_batch);
        if (status != 0) {
            fmt::print(stderr, "fuzz_elf --seed {} --case N, N from {}, {} cases: {}\n", of.seed,
                       first + done, count,
                       status < 0     ? "one hangs"
                       : status > 128 ? fmt::format("killed by signal {}", status - 128)
                                      : fmt::format("status {}", status));
            return 1;
        }
    }
    return 0;
}

std::vector<bytes> read_corpus(const std::filesystem::path& directory) {
    std::vector<std::filesystem::path> files;
    std::ranges::copy(std::filesystem::directory_iterator(directory), std::back_inserter(files));
    std::ranges::sort(files);
    std::vector<bytes> corpus;
    for (const auto& each : files) {
        std::ifstream from(each, std::ios::binary);
        const std::vector<char> text((std::istreambuf_iterator<char>(from)), {});
        const auto content = std::as_bytes(std::span(text));
        corpus.emplace_back(content.begin(), content.end());
    }
    return corpus;
}

}  // namespace

int main(int argc, char** argv) {
    namespace po = boost::program_options;
    options chosen;
    std::uint64_t first = 0;
    std::string corpus = PEFSIM_FUZZ_CORPUS "/elf";
    po::options_description known("fuzz_elf: mutated ELF files, read and started");
    known.add_options()("help", "show this text")("seed", po::value(&chosen.seed), "of all cases")(
        "cases", po::value(&chosen.cases), "how many")(
        "seconds", po::value(&chosen.seconds), "as many as fit")("case", po::value(&first), "this one alone")(
        "write", po::value(&chosen.write_to), "with --case: its file")("corpus", po::value(&corpus),
                                                                       "directory of good files");
    try {
        po::variables_map given;
        po::store(po::parse_command_line(argc, argv, known), given);
        po::notify(given);
        if (given.count("help") != 0) {
            std::cout << known;
            return 0;
        }
        chosen.corpus = read_corpus(corpus);
        if (given.count("case") != 0) {
            chosen.cases = 1;
            chosen.seconds = 0;
            if (!chosen.write_to.empty()) {
                const bytes file = file_of(chosen, first);
                std::ofstream(chosen.write_to, std::ios::binary)
                    .write(reinterpret_cast<const char*>(file.data()), std::ssize(file));
            }
        }
        return run_cases(chosen, first);
    } catch (const std::exception& error) {
        fmt::print(stderr, "fuzz_elf: {}\n", error.what());
        return 2;
    }
}
