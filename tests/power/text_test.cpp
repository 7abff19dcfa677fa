// SPDX-License-Identifier: Apache-2.0
//
// The executable sections of Debian's ppc64el C library and kernel, word by word, disassembled beside GNU objdump. Of
// the kernel samples, and everything with PEFSIM_TEXT=full in the environment.
#include <elf.h>
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <boost/endian/conversion.hpp>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <span>
#include <sstream>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "power/debug/disassembler.h"
#include "tests/power/known_differences.h"
#include "tests/power/objdump.h"

namespace pefsim::power::isa {
namespace {

struct text_section {
    std::uint64_t address = 0;
    std::vector<std::uint32_t> words;
};

template <typename T>
T read_at(const std::string& image, std::size_t offset) {
    T value{};
    if (offset > image.size() || image.size() - offset < sizeof value) {
        throw std::runtime_error("the ELF file ends early");
    }
    std::memcpy(&value, image.data() + offset, sizeof value);
    return value;
}

/// The sections of a little-endian ELF64 file that hold instructions.
std::vector<text_section> text_of(const std::filesystem::path& path) {
    std::ifstream stream(path, std::ios::binary);
    const std::string image{std::istreambuf_iterator<char>(stream), {}};
    const auto header = read_at<Elf64_Ehdr>(image, 0);
    if (header.e_ident[EI_DATA] != ELFDATA2LSB || header.e_machine != EM_PPC64) {
        throw std::runtime_error(path.string() + " is not a ppc64le file");
    }
    std::vector<text_section> sections;
    for (std::size_t i = 0; i < header.e_shnum; ++i) {
        const auto section = read_at<Elf64_Shdr>(image, header.e_shoff + i * header.e_shentsize);
        if (section.sh_type == SHT_PROGBITS && (section.sh_flags & SHF_EXECINSTR) != 0) {
            text_section& text = sections.emplace_back();
            text.address = section.sh_addr;
            for (std::uint64_t offset = 0; offset + 4 <= section.sh_size; offset += 4) {
                text.words.push_back(boost::endian::little_to_native(
                    read_at<std::uint32_t>(image, section.sh_offset + offset)));
            }
        }
    }
    return sections;
}

/// How much of a text is compared.
enum class extent : std::uint8_t { all, samples };

/// PEFSIM_TEXT=full in the environment: everything, however long it takes.
extent wanted() {
    const char* const wish = std::getenv("PEFSIM_TEXT");
    return wish != nullptr && std::string_view(wish) == "full" ? extent::all : extent::samples;
}

/// Differs as the table of known differences says: an instruction for objdump that a POWER9 has not.
bool as_known(std::uint32_t word, std::string_view here, std::string_view there) {
    const known_difference* const known = known_difference_of(word);
    return known != nullptr && here.starts_with(".long") && !there.starts_with(".long");
}

/// Compares every word of the file's text, or of samples of it; the number of words.
std::size_t compare_text_of(const std::filesystem::path& path, extent how = extent::all) {
    constexpr std::size_t window = 4096;
    constexpr std::size_t of_windows = 32;
    std::size_t count = 0;
    unsigned failures = 0;
    for (const text_section& text : text_of(path)) {
        const std::size_t step = how == extent::all ? window * of_windows : window;
        for (std::size_t first = 0; first < text.words.size(); first += window * of_windows) {
            const std::size_t length = std::min(step, text.words.size() - first);
            const std::span<const std::uint32_t> words = std::span(text.words).subspan(first, length);
            const std::uint64_t address = text.address + 4 * first;
            const std::vector<std::string> expected = objdump(words, address);
            for (std::size_t i = 0; i < expected.size() && failures < 20; ++i) {
                const std::string line = debug::disassemble(words[i], address + 4 * i);
                const bool fits = line == expected[i] || as_known(words[i], line, expected[i]);
                EXPECT_TRUE(fits) << fmt::format("{:#x}: {:#010x}: objdump \"{}\", here \"{}\"",
                                                 address + 4 * i, words[i], expected[i], line);
                failures += fits ? 0 : 1;
            }
            count += length;
        }
    }
    return count;
}

std::filesystem::path cache_directory() {
    const char* const cache = std::getenv("XDG_CACHE_HOME");
    const char* const home = std::getenv("HOME");
    const std::filesystem::path parent = cache != nullptr
                                             ? std::filesystem::path(cache)
                                             : std::filesystem::path(home != nullptr ? home
                                                                                     : ::testing::TempDir()) /
                                                   ".cache";
    return parent / "pefsim" / "ppc64el";
}

class text_beside_objdump : public ::testing::Test {
protected:
    void SetUp() override {
        if (!objdump_is_installed()) {
            GTEST_SKIP() << no_objdump;
        }
    }

    /// Fetches a file of Debian's ppc64el and compares its text; at least `least` words of it.
    static void compare(const std::string& file, extent how, std::size_t least) {
        const std::filesystem::path place = cache_directory();
        const std::string script = PEFSIM_SOURCE_DIR "/tests/power/unpack-text";
        if (std::system(fmt::format("'{}' '{}' {}", script, place.string(), file).c_str()) != 0) {
            GTEST_SKIP() << "SKIP: Debian's " << file << " for ppc64el cannot be had: no network?";
        }
        const std::size_t words = compare_text_of(place / file, how);
        EXPECT_GT(words, least) << "hardly any instruction was read";
        fmt::print("{}: {} words compared\n", file, words);
    }
};

TEST_F(text_beside_objdump, libc) { compare("libc.so.6", extent::all, 300'000); }

TEST_F(text_beside_objdump, kernel) {
    const extent how = wanted();
    compare("vmlinux", how, how == extent::all ? 2'000'000 : 60'000);
}

/// Further ppc64le ELF files, a kernel for instance: PEFSIM_TEXT_OF=vmlinux:libm.so.6.
TEST_F(text_beside_objdump, files_named_in_the_environment) {
    const char* const names = std::getenv("PEFSIM_TEXT_OF");
    if (names == nullptr) {
        GTEST_SKIP() << "SKIP: PEFSIM_TEXT_OF names no file";
    }
    std::istringstream list(names);
    for (std::string name; std::getline(list, name, ':');) {
        const std::size_t words = compare_text_of(name);
        EXPECT_GT(words, 0U) << name;
        RecordProperty(std::filesystem::path(name).filename().string(), static_cast<int>(words));
    }
}

}  // namespace
}  // namespace pefsim::power::isa
