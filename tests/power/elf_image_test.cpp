// SPDX-License-Identifier: Apache-2.0
#include "power/elf_image.h"

#include <elf.h>
#include <gtest/gtest.h>

#include <bit>
#include <boost/endian/conversion.hpp>
#include <cstring>
#include <optional>
#include <random>
#include <span>
#include <stdexcept>
#include <string>
#include <vector>

#include "power/debug/elf_symbols.h"

namespace pefsim::power {
namespace {

constexpr std::uint64_t base = 0x1000'0000;
constexpr std::uint64_t text_offset = 0x200;
constexpr std::uint64_t names_offset = 0x300;
constexpr std::uint64_t symbols_offset = 0x340;
constexpr std::uint64_t sections_offset = 0x400;

/// Writes numbers in one byte order.
class writer {
public:
    explicit writer(bool little_endian) : little_endian_(little_endian) {}

    template <typename T>
    T operator()(T value) const {
        return little_endian_ ? boost::endian::native_to_little(value) : boost::endian::native_to_big(value);
    }

private:
    bool little_endian_;
};

template <typename T>
void place(std::vector<std::byte>& file, std::uint64_t offset, const T& value) {
    file.resize(std::max<std::size_t>(file.size(), offset + sizeof value));
    std::memcpy(file.data() + offset, &value, sizeof value);
}

/// A program with a segment of text that holds the headers, one of data that the file gives 8 bytes of, and three
/// symbols.
std::vector<std::byte> example(bool little_endian) {
    const writer put(little_endian);
    std::vector<std::byte> file;
    Elf64_Ehdr header{};
    std::memcpy(header.e_ident, ELFMAG, SELFMAG);
    header.e_ident[EI_CLASS] = ELFCLASS64;
    header.e_ident[EI_DATA] = little_endian ? ELFDATA2LSB : ELFDATA2MSB;
    header.e_type = put(Elf64_Half{ET_EXEC});
    header.e_machine = put(Elf64_Half{EM_PPC64});
    header.e_flags = put(Elf64_Word{2});
    header.e_entry = put(base + text_offset);
    header.e_phoff = put(std::uint64_t{sizeof header});
    header.e_phentsize = put(Elf64_Half{sizeof(Elf64_Phdr)});
    header.e_phnum = put(Elf64_Half{3});
    header.e_shoff = put(sections_offset);
    header.e_shentsize = put(Elf64_Half{sizeof(Elf64_Shdr)});
    header.e_shnum = put(Elf64_Half{3});
    place(file, 0, header);

    const auto segment = [&](unsigned index, Elf64_Phdr row) {
        place(file, sizeof header + index * sizeof row, row);
    };
    segment(0, {.p_type = put(Elf64_Word{PT_LOAD}),
                .p_flags = put(Elf64_Word{PF_R | PF_X}),
                .p_offset = 0,
                .p_vaddr = put(base),
                .p_paddr = put(std::uint64_t{0x4000}),
                .p_filesz = put(std::uint64_t{0x210}),
                .p_memsz = put(std::uint64_t{0x210}),
                .p_align = put(std::uint64_t{0x10000})});
    segment(1, {.p_type = put(Elf64_Word{PT_LOAD}),
                .p_flags = put(Elf64_Word{PF_R | PF_W}),
                .p_offset = put(text_offset),
                .p_vaddr = put(base + 0x2'0000),
                .p_paddr = put(base + 0x2'0000),
                .p_filesz = put(std::uint64_t{8}),
                .p_memsz = put(std::uint64_t{0x1000}),
                .p_align = put(std::uint64_t{0x10000})});
    segment(2, {.p_type = put(Elf64_Word{PT_GNU_STACK}),
                .p_flags = put(Elf64_Word{PF_R | PF_W}),
                .p_offset = 0,
                .p_vaddr = 0,
                .p_paddr = 0,
                .p_filesz = 0,
                .p_memsz = 0,
                .p_align = 0});
    place(file, text_offset, put(std::uint64_t{0x0102'0304'0506'0708}));

    const char names[] = "\0main\0counter\0mark";
    place(file, names_offset, names);
    const auto symbol = [&](unsigned index, unsigned name, unsigned type, std::uint64_t value,
                            std::uint64_t size) {
        Elf64_Sym row{};
        row.st_name = put(Elf64_Word{name});
        row.st_info = static_cast<unsigned char>(ELF64_ST_INFO(STB_GLOBAL, type));
        row.st_shndx = put(Elf64_Half{1});
        row.st_value = put(value);
        row.st_size = put(size);
        place(file, symbols_offset + index * sizeof row, row);
    };
    symbol(0, 1, STT_FUNC, base + text_offset, 0x10);
    symbol(1, 6, STT_OBJECT, base + 0x2'0000, 8);
    symbol(2, 14, STT_NOTYPE, base + text_offset + 0x80, 0);

    const auto section = [&](unsigned index, Elf64_Word type, std::uint64_t offset, std::uint64_t size,
                             Elf64_Word link) {
        Elf64_Shdr row{};
        row.sh_type = put(type);
        row.sh_offset = put(offset);
        row.sh_size = put(size);
        row.sh_link = put(link);
        place(file, sections_offset + index * sizeof row, row);
    };
    section(0, SHT_NULL, 0, 0, 0);
    section(1, SHT_SYMTAB, symbols_offset, 3 * sizeof(Elf64_Sym), 2);
    section(2, SHT_STRTAB, names_offset, sizeof names, 0);
    return file;
}

std::string complaint_about(std::vector<std::byte> file) {
    try {
        const elf_image image(std::move(file));
    } catch (const std::invalid_argument& wrong) {
        return wrong.what();
    }
    return "";
}

/// A symbol without a size reaches as far as the next one, but not out of the program.
TEST(elf_symbols, name_nothing_outside_the_segments) {
    const elf_image image(example(true));
    const debug::elf_symbols symbols(image);
    EXPECT_EQ(text_of(symbols.at(base + text_offset + 4)), "main+0x4");
    EXPECT_EQ(text_of(symbols.at(base + 0x2'0000)), "counter");
    EXPECT_EQ(text_of(symbols.at(base + 0x2'0008)), "mark+0x1fd88");
    EXPECT_EQ(text_of(symbols.at(base + 0x2'1000)), "");
    EXPECT_EQ(symbols.find("counter"), base + 0x2'0000);
    EXPECT_EQ(debug::symbols_of(nullptr)->find("counter"), std::nullopt);
}

class byte_orders : public ::testing::TestWithParam<bool> {};

TEST_P(byte_orders, are_both_read) {
    const elf_image image(example(GetParam()));
    EXPECT_EQ(image.little_endian(), GetParam());
    EXPECT_FALSE(image.relocatable());
    EXPECT_EQ(image.abi(), 2U);
    EXPECT_EQ(image.entry(), base + text_offset);
    EXPECT_EQ(image.interpreter(), "");
    EXPECT_FALSE(image.executable_stack());
    EXPECT_EQ(image.lowest(), base);
    EXPECT_EQ(image.end(), base + 0x2'1000);
    EXPECT_EQ(image.program_headers(), base + sizeof(Elf64_Ehdr));
    EXPECT_EQ(image.program_header_count(), 3U);

    ASSERT_EQ(image.segments().size(), 2U);
    const elf_image::segment& text = image.segments()[0];
    EXPECT_TRUE(text.read && text.execute && !text.write);
    EXPECT_EQ(text.physical, 0x4000U);
    EXPECT_EQ(text.content.size(), 0x210U);
    const elf_image::segment& data = image.segments()[1];
    EXPECT_TRUE(data.read && data.write && !data.execute);
    EXPECT_EQ(data.size, 0x1000U);
    ASSERT_EQ(data.content.size(), 8U);
    EXPECT_EQ(data.content[0], GetParam() ? std::byte{8} : std::byte{1});
}

TEST_P(byte_orders, symbols_are_found_by_address_and_name) {
    const elf_image image(example(GetParam()));
    ASSERT_EQ(image.symbols().size(), 3U);
    const auto at = image.find(base + text_offset + 0xc);
    ASSERT_TRUE(at);
    EXPECT_EQ(at->of->name, "main");
    EXPECT_TRUE(at->of->function);
    EXPECT_EQ(at->offset, 0xcU);
    EXPECT_FALSE(image.find(base + text_offset + 0x10)) << "behind main";
    EXPECT_EQ(image.find(base + text_offset + 0x84)->of->name, "mark") << "a label reaches to the next";
    EXPECT_FALSE(image.find(base - 1));
    ASSERT_NE(image.find("counter"), nullptr);
    EXPECT_EQ(image.find("counter")->address, base + 0x2'0000);
    EXPECT_EQ(image.find("nothing"), nullptr);
}

INSTANTIATE_TEST_SUITE_P(elf_image, byte_orders, ::testing::Bool(),
                         [](const auto& order) { return order.param ? "little" : "big"; });

TEST(elf_image, says_what_is_wrong) {
    EXPECT_EQ(complaint_about({}), "not an ELF file");
    EXPECT_EQ(complaint_about(std::vector<std::byte>(100)), "not an ELF file");
    const auto with = [](std::size_t offset, int value) {
        std::vector<std::byte> file = example(true);
        file[offset] = static_cast<std::byte>(value);
        return complaint_about(std::move(file));
    };
    EXPECT_EQ(with(EI_CLASS, 3), "neither a 64-bit nor a 32-bit ELF file");
    EXPECT_EQ(with(EI_DATA, 7), "the ELF file names no byte order");
    EXPECT_EQ(with(offsetof(Elf64_Ehdr, e_machine), EM_X86_64),
              "made for another machine: e_machine is 62, not 21 (PowerPC64)");
    EXPECT_EQ(with(offsetof(Elf64_Ehdr, e_type), ET_REL),
              "neither an executable nor a position-independent ELF file");
    EXPECT_EQ(with(offsetof(Elf64_Ehdr, e_phnum), 0), "the ELF file has nothing to load");
    EXPECT_EQ(with(offsetof(Elf64_Ehdr, e_phoff) + 3, 1), "the ELF file is cut short");
}

/// Whatever bytes a file has, it is read or refused.
TEST(elf_image, survives_damaged_files) {
    const std::vector<std::byte> whole = example(true);
    for (std::size_t size = 0; size < whole.size(); ++size) {
        complaint_about({whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size)});
    }
    std::mt19937 random(1);
    unsigned read = 0;
    for (int i = 0; i < 20'000; ++i) {
        std::vector<std::byte> file = whole;
        for (int n = 0; n < 4; ++n) {
            file[random() % file.size()] = static_cast<std::byte>(random());
        }
        try {
            const elf_image image(std::move(file));
            static_cast<void>(image.find(base + text_offset));
            ++read;
        } catch (const std::invalid_argument&) {
            continue;
        }
    }
    EXPECT_GT(read, 1000U);
}

}  // namespace
}  // namespace pefsim::power
