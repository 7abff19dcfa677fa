// SPDX-License-Identifier: Apache-2.0
#include "power/debug/line_table.h"

#include <dwarf.h>
#include <elfutils/libdw.h>

#include <algorithm>
#include <cstdio>
#include <map>
#include <memory>

namespace pefsim::power::debug {
namespace {

/// A compilation unit's lines, in the order of its sequences.
class unit {
public:
    explicit unit(Dwarf_CU* of) {
        Dwarf_Die die;
        std::uint8_t address_size = 0;
        std::uint8_t offset_size = 0;
        if (dwarf_cu_die(of, &die, nullptr, nullptr, &address_size, &offset_size, nullptr, nullptr) ==
                nullptr ||
            dwarf_getsrclines(&die, &lines_, &count_) != 0) {
            count_ = 0;
        }
        Dwarf_Attribute attribute;
        if (const char* at = dwarf_formstring(dwarf_attr(&die, DW_AT_comp_dir, &attribute)); at != nullptr) {
            directory_ = at;
        }
    }
    [[nodiscard]] std::size_t count() const { return count_; }
    [[nodiscard]] Dwarf_Line* line(std::size_t n) const { return dwarf_onesrcline(lines_, n); }
    [[nodiscard]] std::string file_of(Dwarf_Line* line) const {
        const char* const name = dwarf_linesrc(line, nullptr, nullptr);
        if (name == nullptr) {
            return {};
        }
        return name[0] == '/' || directory_.empty() ? std::string(name) : directory_ + '/' + name;
    }

private:
    Dwarf_Lines* lines_ = nullptr;
    std::size_t count_ = 0;
    std::string directory_;
};

}  // namespace

std::optional<line_table> line_table::read(const std::string& elf_file) {
    const std::unique_ptr<std::FILE, int (*)(std::FILE*)> open(std::fopen(elf_file.c_str(), "rb"),
                                                               std::fclose);
    const std::unique_ptr<Dwarf, int (*)(Dwarf*)> dwarf(
        open ? dwarf_begin(::fileno(open.get()), DWARF_C_READ) : nullptr, dwarf_end);
    if (!dwarf) {
        return std::nullopt;
    }
    line_table table;
    std::map<std::string, std::uint32_t> files;
    Dwarf_CU* cu = nullptr;
    Dwarf_CU* next = nullptr;
    std::uint8_t kind = 0;
    Dwarf_Half version = 0;
    while (dwarf_get_units(dwarf.get(), cu, &next, &version, &kind, nullptr, nullptr) == 0) {
        cu = next;
        const unit lines(cu);
        for (std::size_t n = 0; n + 1 < lines.count(); ++n) {
            Dwarf_Line* const line = lines.line(n);
            Dwarf_Addr address = 0;
            Dwarf_Addr end = 0;
            int number = 0;
            bool sequence_ends = false;
            bool statement = false;
            const bool good = dwarf_lineaddr(line, &address) == 0 && dwarf_lineno(line, &number) == 0 &&
                              dwarf_lineendsequence(line, &sequence_ends) == 0 &&
                              dwarf_linebeginstatement(line, &statement) == 0 &&
                              dwarf_lineaddr(lines.line(n + 1), &end) == 0;
            if (!good || sequence_ends || number <= 0 || end < address) {
                continue;
            }
            const auto [file, is_new] = files.try_emplace(lines.file_of(line),
                                                          static_cast<std::uint32_t>(files.size()));
            if (is_new) {
                table.files_.push_back(file->first);
            }
            table.rows_.push_back({.address = address,
                                   .end = end,
                                   .file = file->second,
                                   .line = static_cast<std::uint32_t>(number),
                                   .statement = statement});
        }
    }
    if (table.rows_.empty()) {
        return std::nullopt;
    }
    std::ranges::stable_sort(table.rows_, {}, &row::address);
    return table;
}

}  // namespace pefsim::power::debug
