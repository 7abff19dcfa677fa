// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <elf.h>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <initializer_list>
#include <vector>

namespace pefsim::testing {

/// A ppc64le program of one segment that may be read, written and executed: the bytes of its ELF file.
inline std::vector<std::byte> tiny_program(std::initializer_list<std::uint32_t> code) {
    constexpr std::uint64_t address = 0x1000'0000;
    constexpr std::uint64_t page = 0x10000;
    Elf64_Ehdr header{};
    std::memcpy(header.e_ident, ELFMAG, SELFMAG);
    header.e_ident[EI_CLASS] = ELFCLASS64;
    header.e_ident[EI_DATA] = ELFDATA2LSB;
    header.e_ident[EI_VERSION] = EV_CURRENT;
    header.e_type = ET_EXEC;
    header.e_machine = EM_PPC64;
    header.e_version = EV_CURRENT;
    header.e_entry = address + sizeof(Elf64_Ehdr) + sizeof(Elf64_Phdr);
    header.e_phoff = sizeof header;
    header.e_flags = 2;  // ABI
    header.e_ehsize = sizeof header;
    header.e_phentsize = sizeof(Elf64_Phdr);
    header.e_phnum = 1;
    Elf64_Phdr segment{};
    segment.p_type = PT_LOAD;
    segment.p_flags = PF_R | PF_W | PF_X;
    segment.p_vaddr = segment.p_paddr = address;
    segment.p_filesz = sizeof header + sizeof segment + code.size() * sizeof(std::uint32_t);
    segment.p_memsz = page;
    segment.p_align = page;

    std::vector<std::byte> file(segment.p_filesz);
    std::memcpy(file.data(), &header, sizeof header);
    std::memcpy(&file[sizeof header], &segment, sizeof segment);
    if (code.size() != 0) {
        std::memcpy(&file[sizeof header + sizeof segment], code.begin(), code.size() * sizeof(std::uint32_t));
    }
    return file;
}

/// Where the segment of tiny_program() has zeros.
inline constexpr std::uint64_t tiny_data = 0x1000'1000;

}  // namespace pefsim::testing
