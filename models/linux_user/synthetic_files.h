// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace pefsim::linux_user {

class process;

/// A name in procfs as the program finds it.
struct proc_entry {
    enum class kind : std::uint8_t {
        missing,    ///< ENOENT
        host,       ///< the host's own
        itself,     ///< the directory of the program's process: the host's "self"
        link,       ///< a symbolic link with `text`
        leads,      ///< one of procfs's links that lead to an open file, whatever its text
        synthetic,  ///< a file with `text`
    };
    kind what = kind::missing;
    std::string text;
};

/// What `name` is in the directory of procfs whose names from procfs's root on are `below`. The program's own process
/// is number 1000 there, and the only one.
proc_entry proc_entry_at(const process& of, std::span<const std::string> below, std::string_view name);

/// What a program reads of its processor outside procfs; nothing for other paths, which are the host's.
std::optional<std::string> synthetic_file(const std::string& path);

}  // namespace pefsim::linux_user
