// SPDX-License-Identifier: Apache-2.0
//
// Every word of the executable sections of Debian's ppc64el C library, disassembled beside GNU objdump.
#include <elf.h>
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <boost/endian/conversion.hpp>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

#include "cpu/power/isa/disassembler.h"
#include "tests/cpu/power/objdump.h"

namespace pefsim::cpu::power::isa {
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

/// Compares every word of the file's text; the number of words.
std::size_t compare_text_of(const std::filesystem::path& path) {
    std::size_t count = 0;
    unsigned failures = 0;
    for (const text_section& text : text_of(path)) {
        const std::vector<std::string> expected = objdump(text.words, text.address);
        for (std::size_t i = 0; i < expected.size() && failures < 20; ++i) {
            const std::string line = disassemble(text.words[i], text.address + 4 * i);
            EXPECT_EQ(line, expected[i])
                << fmt::format("{:#x}: {:#010x}", text.address + 4 * i, text.words[i]);
            failures += line == expected[i] ? 0 : 1;
        }
        count += expected.size();
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

TEST(text_beside_objdump, libc) {
    if (!objdump_is_installed()) {
        GTEST_SKIP() << no_objdump;
    }
    const std::filesystem::path place = cache_directory();
    const std::string script = PEFSIM_SOURCE_DIR "/tests/cpu/power/unpack-libc";
    if (std::system(fmt::format("'{}' '{}'", script, place.string()).c_str()) != 0) {
        GTEST_SKIP() << "Debian's libc6:ppc64el cannot be had: no network?";
    }
    const std::size_t words = compare_text_of(place / "libc.so.6");
    EXPECT_GT(words, 300'000U) << "hardly any instruction was read";
    RecordProperty("words", static_cast<int>(words));
}

/// Further ppc64le ELF files, a kernel for instance: PEFSIM_TEXT_OF=vmlinux:libm.so.6.
TEST(text_beside_objdump, files_named_in_the_environment) {
    const char* const names = std::getenv("PEFSIM_TEXT_OF");
    if (names == nullptr || !objdump_is_installed()) {
        GTEST_SKIP() << "PEFSIM_TEXT_OF names no file, or objdump is missing";
    }
    std::istringstream list(names);
    for (std::string name; std::getline(list, name, ':');) {
        const std::size_t words = compare_text_of(name);
        EXPECT_GT(words, 0U) << name;
        RecordProperty(std::filesystem::path(name).filename().string(), static_cast<int>(words));
    }
}

}  // namespace
}  // namespace pefsim::cpu::power::isa
