// SPDX-License-Identifier: Apache-2.0
#include "esm/archive.h"

#include <array>
#include <charconv>
#include <cstdint>
#include <fmt/format.h>
#include <string>
#include <string_view>

#include "device_tree/flat_tree.h"

namespace pefsim::esm {
namespace {

constexpr std::string_view magic = "070701";
constexpr std::string_view trailer = "TRAILER!!!";
constexpr std::string_view folder = "opt/ibm/pef";
constexpr std::size_t fields = 13;
constexpr std::size_t digits = 8;
constexpr std::size_t header_size = magic.size() + fields * digits;
constexpr std::size_t file_size_field = 6;
constexpr std::size_t name_size_field = 11;
constexpr std::size_t block = 512;

constexpr std::size_t up(std::size_t value, std::size_t to) { return (value + to - 1) / to * to; }

struct entry {
    std::string_view name;
    std::size_t content = 0;  // from the begin of the archive
    std::size_t size = 0;
    std::size_t end = 0;
};

std::optional<std::size_t> number(std::string_view header, std::size_t field) {
    const char* const first = header.data() + magic.size() + field * digits;
    std::uint32_t value = 0;
    const auto [stop, error] = std::from_chars(first, first + digits, value, 16);
    return error == std::errc() && stop == first + digits ? std::optional<std::size_t>(value) : std::nullopt;
}

std::optional<entry> entry_at(std::string_view archive, std::size_t at) {
    if (at > archive.size() || archive.size() - at < header_size || !archive.substr(at).starts_with(magic)) {
        return std::nullopt;
    }
    const std::string_view header = archive.substr(at, header_size);
    const auto name_size = number(header, name_size_field);
    const auto size = number(header, file_size_field);
    if (!name_size || *name_size == 0 || !size) {
        return std::nullopt;
    }
    entry found;
    found.size = *size;
    found.content = up(at + header_size + *name_size, 4);
    found.end = up(found.content + found.size, 4);
    if (found.content + found.size > archive.size()) {
        return std::nullopt;
    }
    found.name = archive.substr(at + header_size, *name_size - 1);
    return found;
}

// The name of the file is free: the Ultravisor looks for the magic number of a flat tree in each.
std::optional<std::size_t> tree_within(byte_view archive, const entry& file) {
    for (std::size_t at = file.content; at + 4 <= file.content + file.size; at += 4) {
        if (device_tree::flat_tree::size_of(archive.subspan(at, file.content + file.size - at))) {
            return at;
        }
    }
    return std::nullopt;
}

std::string header_of(std::string_view name, std::uint32_t mode, std::size_t size) {
    std::array<std::size_t, fields> values{};
    values[1] = mode;
    values[4] = 1;  // links
    values[file_size_field] = size;
    values[name_size_field] = name.size() + 1;
    std::string text(magic);
    for (const std::size_t each : values) {
        text += fmt::format("{:08x}", each);
    }
    text += name;
    text.resize(up(text.size() + 1, 4));
    return text;
}

}  // namespace

std::optional<archived_blob> find_blob(byte_view initrd) {
    std::optional<archived_blob> found;
    for (std::size_t at = 0;;) {
        const auto file = entry_at(text_of(initrd), at);
        if (!file) {
            return std::nullopt;
        }
        at = file->end;
        if (file->name == trailer) {
            if (found) {
                found->rest = std::min(up(at, block), initrd.size());
            }
            return found;
        }
        if (file->size == 0 || found) {
            continue;
        }
        const auto tree = file->name.starts_with(folder) ? tree_within(initrd, *file) : std::nullopt;
        if (!tree) {
            return std::nullopt;
        }
        found = archived_blob{.at = *tree, .size = file->content + file->size - *tree, .rest = 0};
    }
}

bytes archive_of(byte_view blob) {
    constexpr std::uint32_t directory = 0040755;
    constexpr std::uint32_t file = 0100400;
    std::string text;
    for (const std::string_view each : {"opt", "opt/ibm", "opt/ibm/pef"}) {
        text += header_of(each, directory, 0);
    }
    text += header_of("opt/ibm/pef/esm-blob", file, blob.size());
    text += text_of(blob);
    text.resize(up(text.size(), 4));
    text += header_of(trailer, 0, 0);
    text.resize(up(text.size(), block));
    const byte_view all = bytes_of(text);
    return {all.begin(), all.end()};
}

}  // namespace pefsim::esm
