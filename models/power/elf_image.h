// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace pefsim::power {

/// A program or kernel in ELF for PowerPC, of 64 or 32 bits and either byte order: what is to be loaded where, and its
/// symbols.
///
/// It keeps the file's bytes; segments are views of them. Whoever loads it decides what an address means. ELF-64 Object
/// File Format 1.5; System V ABI, PowerPC processor supplement; 64-bit ELF V2 ABI for the OpenPOWER architecture,
/// chapter 4.
class elf_image {
public:
    struct segment {
        std::uint64_t address = 0;   ///< p_vaddr
        std::uint64_t physical = 0;  ///< p_paddr
        std::uint64_t size = 0;      ///< in memory; what the file does not give is zero
        std::uint64_t align = 0;
        bool read = false;
        bool write = false;
        bool execute = false;
        std::span<const std::byte> content;
    };
    struct symbol {
        std::uint64_t address = 0;
        std::uint64_t size = 0;  ///< 0: unknown
        std::string_view name;
        bool function = false;
    };
    /// Where an address lies.
    struct location {
        const symbol* of = nullptr;
        std::uint64_t offset = 0;
    };

    /// \throws std::invalid_argument with what is wrong: no ELF file, another machine, cut short ...
    explicit elf_image(std::vector<std::byte> file);
    /// Reads a file. \throws std::invalid_argument that begins with its name
    static elf_image read(const std::string& path);

    elf_image(elf_image&&) = default;
    elf_image& operator=(elf_image&&) = default;
    elf_image(const elf_image&) = delete;  // segments and names point into the file
    elf_image& operator=(const elf_image&) = delete;
    ~elf_image() = default;

    [[nodiscard]] bool little_endian() const { return little_endian_; }
    /// ELF64, not ELF32.
    [[nodiscard]] bool wide() const { return wide_; }
    /// ET_DYN: addresses are relative to wherever it is loaded.
    [[nodiscard]] bool relocatable() const { return relocatable_; }
    /// The program interpreter that a dynamically linked program asks for; empty without one.
    [[nodiscard]] std::string_view interpreter() const { return interpreter_; }
    /// 1 or 2: the ABI's version, as e_flags gives it; 0 when it does not.
    [[nodiscard]] unsigned abi() const { return abi_; }
    /// e_entry: the first instruction, or with ABI version 1 the function descriptor.
    [[nodiscard]] std::uint64_t entry() const { return entry_; }

    /// What is to be loaded, in the order of the file.
    [[nodiscard]] std::span<const segment> segments() const { return segments_; }
    /// The first address that a segment takes, and the one behind the last.
    [[nodiscard]] std::uint64_t lowest() const;
    [[nodiscard]] std::uint64_t end() const;

    /// The program headers in memory, when a segment holds them, and what each is like.
    [[nodiscard]] std::optional<std::uint64_t> program_headers() const { return program_headers_; }
    [[nodiscard]] std::size_t program_header_count() const { return program_header_count_; }
    static constexpr std::size_t program_header_size = 56;
    /// PT_GNU_STACK asks for a stack that can be executed.
    [[nodiscard]] bool executable_stack() const { return executable_stack_; }

    /// Functions and objects, by address.
    [[nodiscard]] std::span<const symbol> symbols() const { return symbols_; }
    /// The symbol that `address` lies in; of several, a function.
    [[nodiscard]] std::optional<location> find(std::uint64_t address) const;
    [[nodiscard]] const symbol* find(std::string_view name) const;

private:
    struct section;
    struct layout;

    template <typename T>
    [[nodiscard]] T number(std::uint64_t offset) const;
    /// What is 64 bits wide in ELF64 and 32 bits in ELF32.
    [[nodiscard]] std::uint64_t address(std::uint64_t offset) const;
    [[nodiscard]] const layout& fields() const;
    [[nodiscard]] std::span<const std::byte> bytes(std::uint64_t offset, std::uint64_t size) const;
    void read_header();
    void read_program_headers();
    void read_program_header(std::uint64_t at);
    void read_symbols();
    void read_symbol_table(const section& table, std::span<const std::byte> names);
    [[nodiscard]] section section_at(std::uint64_t index) const;

    std::vector<std::byte> file_;
    bool little_endian_ = true;
    bool wide_ = true;
    bool relocatable_ = false;
    unsigned abi_ = 0;
    std::uint64_t entry_ = 0;
    std::string_view interpreter_;
    bool executable_stack_ = false;
    std::optional<std::uint64_t> program_headers_;
    std::size_t program_header_count_ = 0;
    std::vector<segment> segments_;
    std::vector<symbol> symbols_;
};

}  // namespace pefsim::power
