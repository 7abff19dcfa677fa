// SPDX-License-Identifier: Apache-2.0
#include "power/debug/symbols.h"

#include <elf.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/endian/conversion.hpp>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "power/debug/elf_symbols.h"
#include "power/debug/kernel_symbols.h"
#include "power/debug/symbol_file.h"
#include "power/elf_image.h"

namespace pefsim::power::debug {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

constexpr std::uint64_t linked = 0xc000'0000'0000'0000;

/// A file with a name of the test's own.
class symbol_file_test : public ::testing::Test {
protected:
    ~symbol_file_test() override { std::filesystem::remove(file); }
    std::unique_ptr<symbol_lookup> read(std::string_view content) const {
        std::ofstream(file, std::ios::binary) << content;
        return read_symbols(file);
    }
    std::string complaint_about(std::string_view content) const {
        try {
            read(content);
        } catch (const std::invalid_argument& wrong) {
            return wrong.what();
        }
        return "";
    }
    const std::string file = ::testing::TempDir() + "symbols_" +
                             ::testing::UnitTest::GetInstance()->current_test_info()->name();
};

TEST_F(symbol_file_test, system_map) {
    const auto symbols = read("0000000000000000 A crc\n"
                              "                 U elsewhere\n"
                              "                 w weakly_elsewhere\n"
                              "c000000000000000 t start_first_256B\n"
                              "c000000000000000 T _text\n"
                              "c000000000000000 T _stext\n"
                              "c000000000000100 t local\n"
                              "c000000000000100 d a_value\n"
                              "c000000000020010 T last\n");
    EXPECT_EQ(text_of(symbols->at(linked)), "_text") << "global code, and the first of it";
    EXPECT_EQ(text_of(symbols->at(linked + 0xff)), "_text+0xff");
    EXPECT_EQ(text_of(symbols->at(linked + 0x2'000f)), "local+0x1ff0f");
    EXPECT_EQ(text_of(symbols->at(linked + 0x2'ffff)), "last+0xffef");
    EXPECT_EQ(text_of(symbols->at(linked + 0x3'0000)), "") << "the last one ends with its 64 KiB";
    EXPECT_EQ(text_of(symbols->at(0x10)), "") << "what is absolute is no place";
    EXPECT_EQ(symbols->find("last"), linked + 0x2'0010);
    EXPECT_EQ(symbols->find("crc"), std::nullopt);
}

TEST_F(symbol_file_test, what_the_running_kernel_lists) {
    const auto symbols = read("c000000000010000 T schedule\nc008000000000000 t probe\t[virtio_blk]\n");
    EXPECT_EQ(text_of(symbols->at(0xc008'0000'0000'0004)), "probe [virtio_blk]+0x4");
    EXPECT_EQ(complaint_about("0000000000000000 T schedule\n0000000000000000 T panic\n"),
              file + ": all its addresses are 0");
}

TEST_F(symbol_file_test, other_files_are_refused) {
    EXPECT_EQ(complaint_about("c000000000000000 T _text\n# a comment\n"),
              file + ": line 2 is not ADDRESS TYPE NAME, nor is it an ELF file");
    EXPECT_EQ(complaint_about("c000000000000000 T\n"),
              file + ": line 1 is not ADDRESS TYPE NAME, nor is it an ELF file");
    EXPECT_EQ(complaint_about(""), file + ": has no symbols");
    EXPECT_THAT(complaint_about("\x7f"
                                "ELF, or not"),
                StartsWith(file + ": "));
    EXPECT_THROW(read_symbols("/nonexistent"), std::invalid_argument);
}

TEST(moved_symbols, are_named_in_each_place) {
    auto kernel = std::make_unique<symbol_table>();
    kernel->add(linked, 0x100, "_text");
    kernel->add(linked + 0x100, 0x100, "start");
    const moved_symbols symbols(std::move(kernel), {{.at = 0x40'0000, .size = 0x200, .linked = linked},
                                                    {.at = 0, .size = 0x200, .linked = linked}});
    EXPECT_EQ(text_of(symbols.at(linked + 0x104)), "start+0x4");
    EXPECT_EQ(text_of(symbols.at(0x40'0104)), "start+0x4");
    EXPECT_EQ(text_of(symbols.at(0x104)), "start+0x4");
    EXPECT_EQ(text_of(symbols.at(0x40'0200)), "");
    EXPECT_EQ(symbols.find("start"), linked + 0x100);
}

// --- symbols of a kernel

class bytes {
public:
    explicit bytes(bool little_endian) : little_endian_(little_endian) {}
    template <class T>
    void put(T value) {
        const T stored = little_endian_ ? boost::endian::native_to_little(value)
                                        : boost::endian::native_to_big(value);
        content.append(reinterpret_cast<const char*>(&stored), sizeof stored);
    }
    void align() { content.resize((content.size() + 7) / 8 * 8); }
    std::string content;

private:
    bool little_endian_;
};

struct kernel_case {
    bool little_endian = true;
    bool since_6_4 = false;
    std::uint64_t relative_base = 0;
};

/// A kernel of one segment with 1100 symbols, function_0 .. function_1099, 16 bytes each, behind something else. The
/// token 0x80 is "function_"; one name is longer than 127 tokens.
constexpr std::size_t functions = 1100;
std::string name_of(std::size_t n) {
    return n == 5 ? std::string(200, 'x') : "function_" + std::to_string(n);
}

std::string kernel_with_symbols(const kernel_case& of) {
    bytes names(of.little_endian);
    std::vector<std::uint32_t> marks;
    for (std::size_t n = 0; n < functions; ++n) {
        if (n % 256 == 0) {
            marks.push_back(static_cast<std::uint32_t>(names.content.size()));
        }
        const std::string packed = n == 5 ? "t" + name_of(n) : "T\x80" + std::to_string(n);
        if (packed.size() < 0x80) {
            names.put(static_cast<std::uint8_t>(packed.size()));
        } else {
            names.put(static_cast<std::uint8_t>(0x80 | (packed.size() & 0x7f)));
            names.put(static_cast<std::uint8_t>(packed.size() >> 7));
        }
        names.content += packed;
    }
    bytes out(of.little_endian);
    out.content = "something else";
    const auto offsets = [&] {
        out.align();
        for (std::size_t n = 0; n < functions; ++n) {
            out.put(static_cast<std::uint32_t>(16 * n));
        }
        out.align();
        out.put(of.relative_base);
    };
    if (!of.since_6_4) {
        offsets();
    }
    out.align();
    out.put(static_cast<std::uint32_t>(functions));
    out.align();
    out.content += names.content;
    out.align();
    for (const std::uint32_t mark : marks) {
        out.put(mark);
    }
    out.align();
    std::vector<std::uint16_t> index;
    std::string table;
    for (unsigned token = 0; token < 256; ++token) {
        index.push_back(static_cast<std::uint16_t>(table.size()));
        table += token == 0x80 ? "function_" : std::string(1, token == 0 ? '?' : static_cast<char>(token));
        table += '\0';
    }
    out.content += table;
    out.align();
    for (const std::uint16_t each : index) {
        out.put(each);
    }
    if (of.since_6_4) {
        offsets();
    }
    return out.content;
}

elf_image kernel_of(const std::string& content, bool little_endian) {
    bytes file(little_endian);
    file.content.assign(ELFMAG, SELFMAG);
    file.put(static_cast<std::uint8_t>(ELFCLASS64));
    file.put(static_cast<std::uint8_t>(little_endian ? ELFDATA2LSB : ELFDATA2MSB));
    file.put(static_cast<std::uint8_t>(EV_CURRENT));
    file.content.resize(EI_NIDENT);
    file.put(static_cast<std::uint16_t>(ET_DYN));
    file.put(static_cast<std::uint16_t>(EM_PPC64));
    file.put(static_cast<std::uint32_t>(EV_CURRENT));
    file.put(linked);                                          // e_entry
    file.put(static_cast<std::uint64_t>(sizeof(Elf64_Ehdr)));  // e_phoff
    file.put(std::uint64_t{0});
    file.put(std::uint32_t{0});
    for (const std::size_t each : {sizeof(Elf64_Ehdr), sizeof(Elf64_Phdr), std::size_t{1}, std::size_t{0},
                                   std::size_t{0}, std::size_t{0}}) {
        file.put(static_cast<std::uint16_t>(each));
    }
    constexpr std::uint64_t at = 0x100;
    file.put(static_cast<std::uint32_t>(PT_LOAD));
    file.put(static_cast<std::uint32_t>(PF_R | PF_X));
    for (const std::uint64_t each : {at, linked, std::uint64_t{0}, std::uint64_t{content.size()},
                                     std::uint64_t{content.size()}, std::uint64_t{0x100}}) {
        file.put(each);
    }
    file.content.resize(at);
    file.content += content;
    const auto all = std::as_bytes(std::span(file.content));
    return elf_image(std::vector<std::byte>(all.begin(), all.end()));
}

TEST(kernel_symbols, of_a_stripped_kernel) {
    for (const kernel_case& each :
         {kernel_case{}, kernel_case{.since_6_4 = true}, kernel_case{.little_endian = false},
          kernel_case{.relative_base = linked + 0x1000}}) {
        const elf_image kernel = kernel_of(kernel_with_symbols(each), each.little_endian);
        const std::uint64_t base = each.relative_base == 0 ? linked : each.relative_base;
        const auto symbols = kernel_symbols(kernel);
        ASSERT_TRUE(symbols);
        for (std::size_t n = 0; n < functions; ++n) {
            EXPECT_EQ(text_of(symbols->at(base + 16 * n + 4)), name_of(n) + "+0x4");
        }
        EXPECT_EQ(text_of(symbols_of(&kernel)->at(base)), name_of(0));
    }
}

TEST(kernel_symbols, survive_damage) {
    const std::string whole = kernel_with_symbols({});
    EXPECT_FALSE(kernel_symbols(kernel_of("nothing of the kind", true)));
    for (std::size_t size = 16; size < whole.size(); size += 97) {
        const auto found = kernel_symbols(kernel_of(whole.substr(0, size), true));
        EXPECT_TRUE(size > whole.size() / 2 || !found) << size;
    }
    for (std::size_t at = 0; at < whole.size(); at += 31) {
        std::string damaged = whole;
        damaged[at] = static_cast<char>(damaged[at] ^ 0x55);
        kernel_symbols(kernel_of(damaged, true));  // whatever comes of it
    }
}

}  // namespace
}  // namespace pefsim::power::debug
