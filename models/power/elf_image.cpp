// SPDX-License-Identifier: Apache-2.0
#include "power/elf_image.h"

#include <elf.h>
#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <boost/endian/conversion.hpp>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <limits>
#include <stdexcept>
#include <tuple>

namespace pefsim::power {
namespace {

constexpr std::uint32_t abi_version_mask = 3;  // EF_PPC64_ABI

/// The string that begins at `offset` of a string table; empty when it does not end.
std::string_view string_at(std::span<const std::byte> table, std::uint64_t offset) {
    if (offset >= table.size()) {
        return {};
    }
    const auto* const first = std::bit_cast<const char*>(table.data() + offset);
    const void* const end = std::memchr(first, 0, table.size() - offset);
    return end == nullptr ? std::string_view()
                          : std::string_view(first, static_cast<const char*>(end) - first);
}

}  // namespace

/// Where the fields stand that both classes have.
struct elf_image::layout {
    std::size_t entry, phoff, shoff, flags, phentsize, phnum, shentsize, shnum;
    std::size_t program_header, p_flags, p_offset, p_vaddr, p_paddr, p_filesz, p_memsz, p_align;
    std::size_t section_header, sh_offset, sh_size, sh_link;
    std::size_t symbol_size, st_value, st_size, st_info, st_shndx;

    template <class Ehdr, class Phdr, class Shdr, class Sym>
    static constexpr layout of() {
        return {
            .entry = offsetof(Ehdr, e_entry),
            .phoff = offsetof(Ehdr, e_phoff),
            .shoff = offsetof(Ehdr, e_shoff),
            .flags = offsetof(Ehdr, e_flags),
            .phentsize = offsetof(Ehdr, e_phentsize),
            .phnum = offsetof(Ehdr, e_phnum),
            .shentsize = offsetof(Ehdr, e_shentsize),
            .shnum = offsetof(Ehdr, e_shnum),
            .program_header = sizeof(Phdr),
            .p_flags = offsetof(Phdr, p_flags),
            .p_offset = offsetof(Phdr, p_offset),
            .p_vaddr = offsetof(Phdr, p_vaddr),
            .p_paddr = offsetof(Phdr, p_paddr),
            .p_filesz = offsetof(Phdr, p_filesz),
            .p_memsz = offsetof(Phdr, p_memsz),
            .p_align = offsetof(Phdr, p_align),
            .section_header = sizeof(Shdr),
            .sh_offset = offsetof(Shdr, sh_offset),
            .sh_size = offsetof(Shdr, sh_size),
            .sh_link = offsetof(Shdr, sh_link),
            .symbol_size = sizeof(Sym),
            .st_value = offsetof(Sym, st_value),
            .st_size = offsetof(Sym, st_size),
            .st_info = offsetof(Sym, st_info),
            .st_shndx = offsetof(Sym, st_shndx),
        };
    }
};

const elf_image::layout& elf_image::fields() const {
    static constexpr auto elf64 = layout::of<Elf64_Ehdr, Elf64_Phdr, Elf64_Shdr, Elf64_Sym>();
    static constexpr auto elf32 = layout::of<Elf32_Ehdr, Elf32_Phdr, Elf32_Shdr, Elf32_Sym>();
    return wide_ ? elf64 : elf32;
}

struct elf_image::section {
    std::uint32_t type = SHT_NULL;
    std::uint64_t offset = 0;
    std::uint64_t size = 0;
    std::uint32_t link = 0;
};

elf_image::elf_image(std::vector<std::byte> file) : file_(std::move(file)) {
    read_header();
    read_program_headers();
    read_symbols();
}

elf_image elf_image::read(const std::string& path) {
    std::error_code error;
    const std::filesystem::file_status status = std::filesystem::status(path, error);
    if (!std::filesystem::exists(status)) {
        throw std::invalid_argument(
            fmt::format("{}: {}", path, std::strerror(error ? error.value() : ENOENT)));
    }
    if (!std::filesystem::is_regular_file(status)) {
        throw std::invalid_argument(fmt::format("{}: not a regular file", path));
    }
    std::ifstream stream(path, std::ios::binary);
    if (!stream) {
        throw std::invalid_argument(fmt::format("{}: {}", path, std::strerror(errno)));
    }
    constexpr std::uintmax_t largest = std::uintmax_t{4} << 30;
    const std::uintmax_t size = std::filesystem::file_size(path, error);
    if (error || size > largest) {
        throw std::invalid_argument(
            fmt::format("{}: {}", path, error ? error.message() : "has more than 4 GiB"));
    }
    std::vector<std::byte> file(size);
    stream.read(std::bit_cast<char*>(file.data()), static_cast<std::streamsize>(file.size()));
    file.resize(static_cast<std::size_t>(std::max<std::streamsize>(0, stream.gcount())));
    try {
        return elf_image(std::move(file));
    } catch (const std::invalid_argument& wrong) {
        throw std::invalid_argument(fmt::format("{}: {}", path, wrong.what()));
    }
}

std::span<const std::byte> elf_image::bytes(std::uint64_t offset, std::uint64_t size) const {
    if (offset > file_.size() || size > file_.size() - offset) {
        throw std::invalid_argument("the ELF file is cut short");
    }
    return std::span(file_).subspan(offset, size);
}

template <typename T>
T elf_image::number(std::uint64_t offset) const {
    T value{};
    std::memcpy(&value, bytes(offset, sizeof value).data(), sizeof value);
    return little_endian_ ? boost::endian::little_to_native(value) : boost::endian::big_to_native(value);
}

std::uint64_t elf_image::address(std::uint64_t offset) const {
    return wide_ ? number<std::uint64_t>(offset) : number<std::uint32_t>(offset);
}

void elf_image::read_header() {
    if (file_.size() < SELFMAG || std::memcmp(file_.data(), ELFMAG, SELFMAG) != 0) {
        throw std::invalid_argument("not an ELF file");
    }
    const std::byte file_class = bytes(0, EI_NIDENT)[EI_CLASS];
    if (file_class != std::byte{ELFCLASS64} && file_class != std::byte{ELFCLASS32}) {
        throw std::invalid_argument("neither a 64-bit nor a 32-bit ELF file");
    }
    wide_ = file_class == std::byte{ELFCLASS64};
    const std::byte order = file_[EI_DATA];
    if (order != std::byte{ELFDATA2LSB} && order != std::byte{ELFDATA2MSB}) {
        throw std::invalid_argument("the ELF file names no byte order");
    }
    little_endian_ = order == std::byte{ELFDATA2LSB};
    const std::uint16_t wanted = wide_ ? EM_PPC64 : EM_PPC;
    if (const auto machine = number<std::uint16_t>(offsetof(Elf64_Ehdr, e_machine)); machine != wanted) {
        throw std::invalid_argument(fmt::format("made for another machine: e_machine is {}, not {} ({})",
                                                machine, wanted, wide_ ? "PowerPC64" : "PowerPC"));
    }
    const auto type = number<std::uint16_t>(offsetof(Elf64_Ehdr, e_type));
    if (type != ET_EXEC && type != ET_DYN) {
        throw std::invalid_argument("neither an executable nor a position-independent ELF file");
    }
    relocatable_ = type == ET_DYN;
    abi_ = wide_ ? number<std::uint32_t>(fields().flags) & abi_version_mask : 0;
    entry_ = address(fields().entry);
}

void elf_image::read_program_headers() {
    const auto offset = address(fields().phoff);
    const auto size = number<std::uint16_t>(fields().phentsize);
    program_header_count_ = number<std::uint16_t>(fields().phnum);
    if (program_header_count_ != 0 && size != fields().program_header) {
        throw std::invalid_argument(fmt::format("program headers of {} bytes", size));
    }
    for (std::size_t i = 0; i < program_header_count_; ++i) {
        read_program_header(offset + i * fields().program_header);
    }
    if (segments_.empty()) {
        throw std::invalid_argument("the ELF file has nothing to load");
    }
    for (std::size_t i = 0; i < program_header_count_ && !program_headers_; ++i) {
        const std::uint64_t at = offset + i * fields().program_header;
        const auto first = address(at + fields().p_offset);
        const auto length = address(at + fields().p_filesz);
        if (number<std::uint32_t>(at + offsetof(Elf64_Phdr, p_type)) == PT_LOAD && offset >= first &&
            offset - first < length) {
            program_headers_ = address(at + fields().p_vaddr) + (offset - first);
        }
    }
}

void elf_image::read_program_header(std::uint64_t at) {
    const auto type = number<std::uint32_t>(at + offsetof(Elf64_Phdr, p_type));
    const auto flags = number<std::uint32_t>(at + fields().p_flags);
    const auto offset = address(at + fields().p_offset);
    const auto in_file = address(at + fields().p_filesz);
    if (type == PT_INTERP) {
        interpreter_ = string_at(bytes(offset, in_file), 0);
    } else if (type == PT_GNU_STACK) {
        executable_stack_ = (flags & PF_X) != 0;
    } else if (type == PT_LOAD) {
        segment loaded{.address = address(at + fields().p_vaddr),
                       .physical = address(at + fields().p_paddr),
                       .size = address(at + fields().p_memsz),
                       .align = address(at + fields().p_align),
                       .read = (flags & PF_R) != 0,
                       .write = (flags & PF_W) != 0,
                       .execute = (flags & PF_X) != 0,
                       .content = bytes(offset, in_file)};
        if (in_file > loaded.size ||
            loaded.size > std::numeric_limits<std::uint64_t>::max() - loaded.address) {
            throw std::invalid_argument(
                fmt::format("the segment at {:#x} is larger than itself", loaded.address));
        }
        if (loaded.size != 0) {
            segments_.push_back(loaded);
        }
    }
}

std::uint64_t elf_image::lowest() const { return std::ranges::min(segments_, {}, &segment::address).address; }

std::uint64_t elf_image::end() const {
    const auto end_of = [](const segment& each) { return each.address + each.size; };
    return end_of(std::ranges::max(segments_, {}, end_of));
}

// --- symbols: what a stripped or damaged table does not tell is missing, not wrong

elf_image::section elf_image::section_at(std::uint64_t index) const {
    const std::uint64_t at = address(fields().shoff) + index * fields().section_header;
    return {.type = number<std::uint32_t>(at + offsetof(Elf64_Shdr, sh_type)),
            .offset = address(at + fields().sh_offset),
            .size = address(at + fields().sh_size),
            .link = number<std::uint32_t>(at + fields().sh_link)};
}

void elf_image::read_symbols() {
    const auto count = number<std::uint16_t>(fields().shnum);
    if (address(fields().shoff) == 0 ||
        number<std::uint16_t>(fields().shentsize) != fields().section_header) {
        return;
    }
    try {
        for (std::uint64_t i = 0; i < count; ++i) {
            const section table = section_at(i);
            if (table.type == SHT_SYMTAB && table.link < count) {
                const section names = section_at(table.link);
                read_symbol_table(table, bytes(names.offset, names.size));
            }
        }
    } catch (const std::invalid_argument&) {
        symbols_.clear();
    }
    std::ranges::sort(symbols_, {}, [](const symbol& each) {
        return std::tuple(each.address, each.function, each.size, each.name);
    });
}

void elf_image::read_symbol_table(const section& table, std::span<const std::byte> names) {
    const std::uint64_t step = fields().symbol_size;
    for (std::uint64_t offset = 0; offset + step <= table.size; offset += step) {
        const std::uint64_t at = table.offset + offset;
        const auto info = number<std::uint8_t>(at + fields().st_info);
        const auto where = number<std::uint16_t>(at + fields().st_shndx);
        const unsigned type = ELF64_ST_TYPE(info);
        const bool wanted = type == STT_FUNC || type == STT_OBJECT || type == STT_NOTYPE ||
                            type == STT_GNU_IFUNC;
        const std::string_view name = string_at(names,
                                                number<std::uint32_t>(at + offsetof(Elf64_Sym, st_name)));
        if (wanted && where != SHN_UNDEF && where != SHN_ABS && !name.empty()) {
            symbols_.push_back({.address = address(at + fields().st_value),
                                .size = address(at + fields().st_size),
                                .name = name,
                                .function = type == STT_FUNC || type == STT_GNU_IFUNC});
        }
    }
}

std::optional<elf_image::location> elf_image::find(std::uint64_t address) const {
    auto after = std::ranges::upper_bound(symbols_, address, {}, &symbol::address);
    constexpr int reach = 16;  // symbols at or before the address that are asked whether it is theirs
    const symbol* nearest = nullptr;
    for (int i = 0; i < reach && after != symbols_.begin(); ++i) {
        --after;
        if (address - after->address < after->size) {
            return location{&*after, address - after->address};
        }
        if (after->size == 0 && nearest == nullptr) {
            nearest = &*after;
        }
    }
    return nearest == nullptr ? std::nullopt : std::optional(location{nearest, address - nearest->address});
}

const elf_image::symbol* elf_image::find(std::string_view name) const {
    const auto found = std::ranges::find(symbols_, name, &symbol::name);
    return found == symbols_.end() ? nullptr : &*found;
}

}  // namespace pefsim::power
