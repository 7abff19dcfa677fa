// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "linux_user/descriptors.h"

namespace pefsim::linux_user {

class process;

/// The gate between a program's paths and the host's files. A path is walked here, name by name and link by link, as
/// path_resolution(7) says; what the host is asked for in the end is one name in one directory, none of which leads
/// on to somewhere else. However a path is spelled, it is thus known when it comes into procfs, and synthetic_files.h
/// says what a program finds there: never what pefsim's own process has, nor any other process.
class paths {
public:
    /// What becomes of a symbolic link at the end of a path.
    enum class last : std::uint8_t {
        follow,
        look,    ///< it is meant itself, but with a slash behind it is followed: lstat(2)
        change,  ///< it is meant itself: the calls that make, remove and rename entries
    };
    /// Where a path leads.
    struct found {
        int directory = -1;
        std::string name;                      ///< in `directory`
        std::optional<std::string> synthetic;  ///< the content of the file that the program finds instead
        bool in_proc = false;

        /// Puts the descriptor that `directory` may be out of the way: the next one opened is the lowest that is free.
        void make_way();
        owned_descriptor owned;  ///< keeps `directory`
    };

    explicit paths(process& of);

    /// \returns 0, or an error number, negative: what the host would say to such a path
    int find(int directory, std::string path, last how, found& to) const;
    /// What readlink(2) says of what find() has found, if it differs from what the host would say.
    [[nodiscard]] std::optional<std::string> link_text(int directory, std::string_view name) const;
    /// Tells which names a program is to see that lists `directory`, one of procfs.
    [[nodiscard]] std::function<bool(std::string_view)> shown_in(int directory) const;
    /// Whether `file` is in procfs.
    [[nodiscard]] static bool is_in_proc(int file);

private:
    struct place;
    struct walk;
    [[nodiscard]] place place_of(int directory) const;
    [[nodiscard]] bool proc_position(int directory, std::vector<std::string>& names) const;

    process& process_;
    int root_ = -1;  // "/", reserved
    bool root_in_proc_ = false;
};

}  // namespace pefsim::linux_user
