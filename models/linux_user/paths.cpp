// SPDX-License-Identifier: Apache-2.0
#include "linux_user/paths.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <linux/magic.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <utility>

#include "linux_user/calls.h"
#include "linux_user/process.h"
#include "linux_user/synthetic_files.h"

namespace pefsim::linux_user {
namespace {

constexpr unsigned most_links = 40;       // MAXSYMLINKS
constexpr std::size_t deepest_proc = 64;  // directories of procfs in one another
constexpr int directory_flags = O_PATH | O_DIRECTORY | O_CLOEXEC;

/// The text of the symbolic link `name`; errno says why there is none.
std::optional<std::string> read_link(int directory, const std::string& name) {
    std::string text(PATH_MAX, '\0');
    const ssize_t length = ::readlinkat(directory, name.c_str(), text.data(), text.size());
    if (length < 0) {
        return std::nullopt;
    }
    text.resize(static_cast<std::size_t>(length));
    return text;
}

/// Only the root of procfs has the link to the process that looks at it: its number, which depends on who looks.
std::optional<std::string> own_number(int proc_root) { return read_link(proc_root, "self"); }

std::string text_of(int descriptor) {
    return read_link(AT_FDCWD, fmt::format("/proc/self/fd/{}", descriptor)).value_or(std::string());
}

}  // namespace

/// A directory on the way.
struct paths::place {
    int directory = -1;
    owned_descriptor owned;  // if it is not the program's
    bool in_proc = false;
    bool lost = false;               // in procfs, nobody knows where: a part of it that is mounted elsewhere
    std::vector<std::string> below;  // in procfs: the names from its root on; the own process is number 1000

    [[nodiscard]] proc_entry entry(const process& of, std::string_view name) const {
        return lost ? proc_entry() : proc_entry_at(of, below, name);
    }
};

void paths::found::make_way() {
    if (owned.get() >= 0) {
        constexpr int out_of_the_way = 500;
        owned = owned_descriptor(::fcntl(owned.get(), F_DUPFD_CLOEXEC, out_of_the_way));
        directory = owned.get();
    }
}

paths::paths(process& of)
    : process_(of),
      root_(of.descriptors.keep(::open("/", directory_flags))),
      root_in_proc_(is_in_proc(root_)) {}

bool paths::is_in_proc(int file) {
    struct ::statfs about {};
    const int done = file == AT_FDCWD ? ::statfs(".", &about) : ::fstatfs(file, &about);
    return done == 0 && about.f_type == PROC_SUPER_MAGIC;
}

/// The names from procfs's root down to a directory in it. False: it is not below a root
bool paths::proc_position(int directory, std::vector<std::string>& names) const {
    owned_descriptor at(::openat(directory, ".", directory_flags));
    std::string text = text_of(at.get());
    while (at.get() >= 0 && is_in_proc(at.get()) && names.size() < deepest_proc) {
        if (const auto own = own_number(at.get())) {
            std::ranges::reverse(names);
            if (!names.empty() && names[0] == *own) {
                names[0] = std::to_string(calls::process_id);
            }
            return true;
        }
        const std::size_t slash = text.rfind('/');
        if (slash == std::string::npos) {
            return false;
        }
        names.push_back(text.substr(slash + 1));
        text.resize(slash);
        at = owned_descriptor(::openat(at.get(), "..", directory_flags));
    }
    return false;
}

paths::place paths::place_of(int directory) const {
    place at;
    at.directory = directory;
    at.in_proc = is_in_proc(directory);
    at.lost = at.in_proc && !proc_position(directory, at.below);
    return at;
}

/// One path on its way.
struct paths::walk {
    const paths& gate;
    last how;
    place at;
    std::string rest;  // of the path
    unsigned links = 0;

    [[nodiscard]] process& program() const { return gate.process_; }
    [[nodiscard]] bool is_last() const { return rest.find_first_not_of('/') == std::string::npos; }

    void go_to_root() {
        at = place();
        at.directory = gate.root_;
        at.in_proc = gate.root_in_proc_;  // nothing is to be had there
        at.lost = gate.root_in_proc_;
    }

    int go_on_with(const std::string& text) {
        if (++links > most_links) {
            return -ELOOP;
        }
        if (text.empty()) {
            return -ENOENT;
        }
        if (text.size() + rest.size() >= PATH_MAX) {
            return -ENAMETOOLONG;
        }
        if (text.starts_with('/')) {
            go_to_root();
        }
        rest = text + rest;
        return 0;
    }

    /// Into a directory that has been opened. `name` is its name in procfs.
    int enter(int opened, std::string name) {
        if (opened < 0) {
            return -errno;
        }
        place next;
        next.owned = owned_descriptor(opened);
        next.directory = opened;
        struct ::stat here {};
        struct ::stat there {};
        const bool same = ::fstatat(at.directory, "", &here, AT_EMPTY_PATH) == 0 &&
                          ::fstat(opened, &there) == 0 && here.st_dev == there.st_dev;
        if (same) {
            next.in_proc = at.in_proc;
            next.lost = at.lost;
            next.below = std::move(at.below);
            if (name == "..") {
                if (!next.below.empty()) {
                    next.below.pop_back();
                }
            } else {
                next.below.push_back(std::move(name));
            }
        } else {
            owned_descriptor kept = std::move(next.owned);
            next = gate.place_of(opened);
            next.owned = std::move(kept);
        }
        at = std::move(next);
        return 0;
    }

    int go_into(const std::string& name, const std::string& host_name, int flags) {
        return enter(::openat(at.directory, host_name.c_str(), directory_flags | flags), name);
    }

    /// All directories of the path at once, if no link of procfs is among them and it does not end in procfs; otherwise
    /// nothing happens.
    void hurry() {
        const std::size_t end = rest.find_last_not_of('/');
        const std::size_t slash = end == std::string::npos ? end : rest.rfind('/', end);
        if (slash == std::string::npos || at.in_proc) {
            return;
        }
        const std::size_t begin = rest.find_first_not_of('/');
        if (begin > slash) {
            return;
        }
        const std::string directories = rest.substr(begin, slash - begin);
        const ::open_how all{.flags = directory_flags, .mode = 0, .resolve = RESOLVE_NO_MAGICLINKS};
        owned_descriptor opened(
            static_cast<int>(::syscall(SYS_openat2, at.directory, directories.c_str(), &all, sizeof all)));
        if (opened.get() >= 0 && !is_in_proc(opened.get())) {
            at = place();
            at.directory = opened.get();
            at.owned = std::move(opened);
            rest.erase(0, slash);
        }
    }

    int arrive(std::string name, found& to) {
        to.in_proc = at.in_proc;
        to.directory = at.directory;
        to.owned = std::move(at.owned);
        to.name = std::move(name);
        return 0;
    }

    /// A name in procfs. \returns 0 or the error; nothing: the host's
    std::optional<int> step_in_proc(const std::string& name, found& to, bool& arrived) {
        const proc_entry entry = at.entry(program(), name);
        const bool slash = rest.starts_with('/');
        const bool follows = !is_last() || how == last::follow || (how == last::look && slash);
        switch (entry.what) {
        case proc_entry::kind::missing:
            return -ENOENT;
        case proc_entry::kind::itself:
            return go_into(name, "self", 0);
        case proc_entry::kind::link:
            if (follows) {
                return go_on_with(entry.text);
            }
            break;
        case proc_entry::kind::leads:
            if (follows && slash) {
                return follow_lead(name);
            }
            if (follows) {
                arrived = true;
                return arrive_by(name, to);
            }
            break;
        case proc_entry::kind::synthetic:
            to.synthetic = entry.text;
            break;
        case proc_entry::kind::host:
            return std::nullopt;
        }
        if (slash) {
            return -ENOTDIR;
        }
        arrived = true;
        return arrive(entry.what == proc_entry::kind::link && at.below.empty() ? "self" : name, to);
    }

    /// Into the directory that a link of procfs leads to.
    int follow_lead(const std::string& name) {
        if (++links > most_links) {
            return -ELOOP;
        }
        owned_descriptor opened(::openat(at.directory, name.c_str(), directory_flags));
        if (opened.get() < 0) {
            return -errno;
        }
        at = gate.place_of(opened.get());
        at.owned = std::move(opened);
        return 0;
    }

    /// To what a link of procfs leads to: not to a file of procfs, which may be pefsim's own.
    int arrive_by(const std::string& name, found& to) {
        const owned_descriptor opened(::openat(at.directory, name.c_str(), O_PATH | O_CLOEXEC));
        struct ::stat about {};
        if (opened.get() < 0 || ::fstat(opened.get(), &about) != 0) {
            return -errno;
        }
        if (is_in_proc(opened.get()) && !S_ISDIR(about.st_mode)) {
            return -EACCES;
        }
        return arrive(name, to);
    }

    /// One name further. `arrived`: that was the last
    int step(found& to, bool& arrived) {
        rest.erase(0, rest.find_first_not_of('/'));
        const std::string name = rest.substr(0, rest.find('/'));
        rest.erase(0, name.size());
        arrived = is_last() && (name.empty() || name == "." || (name == ".." && how == last::change));
        if (arrived) {
            return arrive(name.empty() ? "." : name, to);
        }
        if (name == ".") {
            return 0;
        }
        if (name == "..") {
            return at.directory == gate.root_ ? 0 : go_into(name, name, 0);
        }
        if (at.in_proc) {
            if (const auto done = step_in_proc(name, to, arrived)) {
                return *done;
            }
        }
        const bool slash = rest.starts_with('/');
        if (is_last() && (how == last::change || (how == last::look && !slash))) {
            arrived = true;
            return arrive(name + (slash ? "/" : ""), to);
        }
        if (!is_last() || slash) {
            const int entered = go_into(name, name, O_NOFOLLOW);
            if (entered != -ENOTDIR && entered != -ELOOP) {
                return entered;
            }
        }
        if (const auto text = read_link(at.directory, name)) {
            return go_on_with(*text);
        }
        if (!is_last() || slash) {
            return -ENOTDIR;
        }
        arrived = true;
        return arrive(name, to);
    }
};

int paths::find(int directory, std::string path, last how, found& to) const {
    if (path.empty()) {
        return -ENOENT;
    }
    walk on{.gate = *this, .how = how, .at = {}, .rest = std::move(path)};
    if (on.rest.starts_with('/')) {
        on.go_to_root();
    } else {
        on.at = place_of(directory);
    }
    on.hurry();
    bool arrived = false;
    int error = 0;
    while (!arrived && error == 0) {
        error = on.step(to, arrived);
    }
    return error;
}

std::optional<std::string> paths::link_text(int directory, std::string_view name) const {
    const proc_entry entry = place_of(directory).entry(process_, name);
    return entry.what == proc_entry::kind::link ? std::optional(entry.text) : std::nullopt;
}

std::function<bool(std::string_view)> paths::shown_in(int directory) const {
    place at = place_of(directory);
    return [this, lost = at.lost, below = std::move(at.below)](std::string_view name) {
        return name == "." || name == ".." ||
               (!lost && proc_entry_at(process_, below, name).what != proc_entry::kind::missing);
    };
}

}  // namespace pefsim::linux_user
