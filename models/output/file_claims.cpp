// SPDX-License-Identifier: Apache-2.0
#include "output/file_claims.h"

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <compare>
#include <map>
#include <optional>
#include <stdexcept>
#include <system_error>
#include <utility>

namespace pefsim::output {
namespace {

namespace fs = std::filesystem;

/// What tells one file from another: device and inode, or the resolved path of what does not exist.
struct identity {
    dev_t device = 0;
    ino_t inode = 0;
    fs::path path;

    auto operator<=>(const identity&) const = default;
};

bool holds_data(mode_t mode) { return S_ISREG(mode) || S_ISBLK(mode) || S_ISFIFO(mode); }

identity path_identity(const fs::path& file) {
    std::error_code error;
    const fs::path target = fs::absolute(behind_links(file), error);
    const fs::path resolved = fs::weakly_canonical(target, error);
    return {.path = error ? target.lexically_normal() : resolved};
}

/// nullopt: a character device or a directory, where nothing can be lost.
std::optional<identity> identity_of(const fs::path& file, int descriptor) {
    struct stat status {};
    if (descriptor >= 0) {
        return ::fstat(descriptor, &status) == 0 && S_ISREG(status.st_mode)
                   ? std::optional(identity{.device = status.st_dev, .inode = status.st_ino, .path = {}})
                   : std::nullopt;
    }
    if (::stat(file.c_str(), &status) != 0) {
        return path_identity(file);
    }
    return holds_data(status.st_mode)
               ? std::optional(identity{.device = status.st_dev, .inode = status.st_ino, .path = {}})
               : std::nullopt;
}

}  // namespace

fs::path behind_links(fs::path path) {
    constexpr int longest_chain = 40;  // as the kernel has it
    for (int links = 0; links < longest_chain; ++links) {
        std::error_code error;
        const fs::path target = fs::read_symlink(path, error);
        if (error) {
            break;
        }
        path = path.parent_path() / target;  // `target` alone when it is absolute
    }
    return path;
}

void file_claims::add(std::string role, file_use use, fs::path file) {
    if (!file.empty()) {
        claims_.push_back({std::move(role), use, std::move(file)});
    }
}

void file_claims::add_standard_files() {
    claims_.push_back({"standard input", file_use::input, {}, STDIN_FILENO});
    claims_.push_back({"standard output", file_use::output, {}, STDOUT_FILENO});
}

void file_claims::check() const {
    std::map<identity, const claim*> inputs;
    std::map<identity, const claim*> outputs;
    const auto clash = [](const claim& one, const claim& other) {
        const std::string as = other.descriptor >= 0 ? std::string()
                                                     : fmt::format(" '{}'", other.file.string());
        throw std::invalid_argument(one.descriptor >= 0
                                        ? fmt::format("{}: the same file as {}{}", one.role, other.role, as)
                                        : fmt::format("{}: '{}' is the same file as {}{}", one.role,
                                                      one.file.string(), other.role, as));
    };
    for (const claim& each : claims_) {
        if (each.use == file_use::input) {
            if (auto id = identity_of(each.file, each.descriptor)) {
                inputs.try_emplace(std::move(*id), &each);
            }
        }
    }
    for (const claim& each : claims_) {
        if (each.use == file_use::input) {
            continue;
        }
        const std::optional<identity> id = identity_of(each.file, each.descriptor);
        if (!id) {
            continue;
        }
        if (const auto input = inputs.find(*id); input != inputs.end()) {
            clash(each, *input->second);
        }
        // What goes to standard output by another name joins what stands there.
        if (each.descriptor < 0 && !outputs.try_emplace(*id, &each).second) {
            clash(each, *outputs.at(*id));
        }
    }
}

}  // namespace pefsim::output
