// SPDX-License-Identifier: Apache-2.0
#include "tests/fuzz/containment.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <grp.h>
#include <linux/capability.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace pefsim::fuzz {
namespace {

constexpr unsigned nobody = 65534;
constexpr int impossible = 77;

int wait_for(pid_t child) {
    int status = 0;
    while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
    }
    return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

bool step(bool done, const char* what) {
    if (!done) {
        fmt::print(stderr, "no containment: {}: {}\n", what, std::strerror(errno));
    }
    return done;
}

bool limit(decltype(RLIMIT_FSIZE) resource, rlim_t most) {
    const ::rlimit both{most, most};
    return ::setrlimit(resource, &both) == 0;
}

/// Root, or root of a user namespace, becomes nobody with no capabilities.
bool give_rights_up(bool is_root) {
    if (is_root && (::setgroups(0, nullptr) != 0 || ::setresgid(nobody, nobody, nobody) != 0 ||
                    ::setresuid(nobody, nobody, nobody) != 0)) {
        return false;
    }
    ::__user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
    const ::__user_cap_data_struct none[2]{};
    return ::syscall(SYS_capset, &header, none) == 0;
}

void write_file(const char* name, const std::string& text) {
    const int file = ::open(name, O_WRONLY | O_CLOEXEC);
    static_cast<void>(::write(file, text.data(), text.size()) == std::ssize(text));
    ::close(file);
}

/// In a user namespace this user is its root.
void map_user(uid_t user, gid_t group) {
    write_file("/proc/self/setgroups", "deny");
    write_file("/proc/self/uid_map", fmt::format("0 {} 1", user));
    write_file("/proc/self/gid_map", fmt::format("0 {} 1", group));
}

bool confine(const char* scratch, bool is_root) {
    const std::string proc = std::string(scratch) + "/proc";
    const std::string work = std::string(scratch) + "/work";
    const int null = ::open("/dev/null", O_RDWR);
    ::umask(0);
    return step(::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0, "private mounts") &&
           step(::mount("tmpfs", scratch, "tmpfs", MS_NOSUID | MS_NODEV, "size=32m,mode=0755") == 0,
                "tmpfs") &&
           step(::mkdir(proc.c_str(), 0755) == 0 && ::mkdir(work.c_str(), 0777) == 0, "directories") &&
           step(::mount("proc", proc.c_str(), "proc", 0, nullptr) == 0, "procfs") &&
           step(::chroot(scratch) == 0 && ::chdir("/work") == 0, "chroot") &&
           step(::dup2(null, 0) == 0 && ::dup2(null, 1) == 1 && ::close(null) == 0, "/dev/null") &&
           step(limit(RLIMIT_FSIZE, 1 << 20) && limit(RLIMIT_CORE, 0) && limit(RLIMIT_NOFILE, 1024),
                "limits") &&
           step(give_rights_up(is_root), "rights");
}

}  // namespace

contained run_contained(const std::function<int()>& work) {
    std::string name = "/tmp/pefsim-fuzz.XXXXXX";
    const char* const scratch = ::mkdtemp(name.data());
    if (scratch == nullptr) {
        return {.obstacle = fmt::format("no directory in /tmp: {}", std::strerror(errno))};
    }
    const uid_t user = ::geteuid();
    const gid_t group = ::getegid();
    const bool is_root = user == 0;
    std::fflush(nullptr);
    const pid_t outer = ::fork();
    if (outer == 0) {
        const int spaces = CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWIPC |
                           (is_root ? 0 : CLONE_NEWUSER);
        if (!step(::unshare(spaces) == 0, "namespaces")) {
            std::_Exit(impossible);
        }
        if (!is_root) {
            map_user(user, group);
        }
        const pid_t inner = ::fork();
        if (inner != 0) {
            std::_Exit(inner < 0 ? impossible : wait_for(inner));
        }
        const int status = confine(scratch, is_root) ? work() : impossible;
        std::fflush(nullptr);
        std::_Exit(status);
    }
    const int status = outer < 0 ? impossible : wait_for(outer);
    ::rmdir(scratch);
    return {.possible = status != impossible, .status = status, .obstacle = "no namespaces"};
}

}  // namespace pefsim::fuzz
