// SPDX-License-Identifier: Apache-2.0
//
// What a program reaches of the host's: descriptors and paths, through the table of system calls.
#include <fcntl.h>
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "linux_user/calls.h"
#include "linux_user/process.h"
#include "linux_user/system_calls.h"
#include "tests/linux_user/programs/tiny_program.h"

namespace pefsim::linux_user {
namespace {

constexpr std::uint64_t path_place = testing::tiny_data;
constexpr std::uint64_t buffer_place = testing::tiny_data + 0x4000;
constexpr std::string_view secret = "what pefsim alone knows";

/// A process in a directory of its own; pefsim has a file and a directory open.
class Gates : public ::testing::Test {
protected:
    Gates() {
        std::string name = (std::filesystem::temp_directory_path() / "gates.XXXXXX").string();
        scratch_ = ::mkdtemp(name.data());
        std::filesystem::create_directory(scratch_ / "pefsim");
        std::filesystem::create_directory(scratch_ / "program");
        std::ofstream(scratch_ / "pefsim" / "file") << secret;
        ::chdir((scratch_ / "program").c_str());
        file_ = out_of_the_way(::open((scratch_ / "pefsim" / "file").c_str(), O_RDWR | O_CLOEXEC));
        directory_ = out_of_the_way(
            ::open((scratch_ / "pefsim").c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
        ::lseek(file_, 3, SEEK_SET);
        process_ = std::make_unique<process>(config_, image_);
    }
    ~Gates() override {
        process_.reset();
        ::close(file_);
        ::close(directory_);
        ::chdir("/");
        std::filesystem::remove_all(scratch_);
    }

    static int out_of_the_way(int file) {
        const int kept = ::fcntl(file, F_DUPFD_CLOEXEC, 600);
        ::close(file);
        return kept;
    }

    std::int64_t call(std::string_view name, const system_call_arguments& arguments) {
        const auto* const row = &*std::ranges::find(system_call_table(), name, &system_call_row::name);
        return call_system(*process_, row->number, arguments);
    }
    std::uint64_t put_path(const std::string& path) {
        EXPECT_TRUE(process_->memory.write_bytes(path_place,
                                                 std::as_bytes(std::span(path.c_str(), path.size() + 1))));
        return path_place;
    }
    std::int64_t open(const std::string& path, int flags = O_RDONLY, int directory = AT_FDCWD) {
        return call("openat", {static_cast<std::uint64_t>(directory), put_path(path),
                               static_cast<std::uint64_t>(flags), 0600});
    }
    static std::string content(std::int64_t file) {
        std::string text(65536, '\0');
        const ssize_t length = ::pread(static_cast<int>(file), text.data(), text.size(), 0);
        text.resize(length < 0 ? 0 : static_cast<std::size_t>(length));
        return text;
    }
    static std::string host_name(std::int64_t file) {
        std::error_code error;
        return std::filesystem::read_symlink(fmt::format("/proc/self/fd/{}", file), error).string();
    }

    std::filesystem::path scratch_;
    process::config config_ = [] {
        process::config config;
        config.program = "tiny";
        config.arguments = {"tiny"};
        config.environment = {"WHOSE=the program's"};
        return config;
    }();
    power::elf_image image_{testing::tiny_program({0x44000002})};
    int file_ = -1;
    int directory_ = -1;
    std::unique_ptr<process> process_;
};

/// Section 2 of the manual: of each call that has them, which arguments are descriptors (d), descriptors or AT_FDCWD
/// (a), numbers that may be one (n), addresses of descriptors (v) and paths (p).
const std::map<std::string_view, std::string_view> manual = {
    {"read", "d"},        {"write", "d"},         {"open", "p"},         {"close", "d"},
    {"creat", "p"},       {"link", "pp"},         {"unlink", "p"},       {"chdir", "p"},
    {"mknod", "p"},       {"chmod", "p"},         {"lchown", "p"},       {"lseek", "d"},
    {"utime", "p"},       {"access", "p"},        {"rename", "pp"},      {"mkdir", "p"},
    {"rmdir", "p"},       {"dup", "d"},           {"ioctl", "d"},        {"fcntl", "d"},
    {"dup2", "dd"},       {"select", ".vvv"},     {"symlink", ".p"},     {"readlink", "p"},
    {"mmap", "....n"},    {"truncate", "p"},      {"ftruncate", "d"},    {"fchmod", "d"},
    {"fchown", "d"},      {"statfs", "p"},        {"fstatfs", "d"},      {"stat", "p"},
    {"lstat", "p"},       {"fstat", "d"},         {"fsync", "d"},        {"fchdir", "d"},
    {"_llseek", "d"},     {"_newselect", ".vvv"}, {"flock", "d"},        {"readv", "d"},
    {"writev", "d"},      {"fdatasync", "d"},     {"poll", "v"},         {"pread64", "d"},
    {"pwrite64", "d"},    {"chown", "p"},         {"sendfile", "dd"},    {"readahead", "d"},
    {"getdents64", "d"},  {"fadvise64", "d"},     {"utimes", "p"},       {"statfs64", "p"},
    {"fstatfs64", "d"},   {"pselect6", ".vvv"},   {"ppoll", "v"},        {"openat", "ap"},
    {"mkdirat", "ap"},    {"mknodat", "ap"},      {"fchownat", "ap"},    {"futimesat", "ap"},
    {"newfstatat", "ap"}, {"unlinkat", "ap"},     {"renameat", "apap"},  {"linkat", "apap"},
    {"symlinkat", ".ap"}, {"readlinkat", "ap"},   {"fchmodat", "ap"},    {"faccessat", "ap"},
    {"utimensat", "ap"},  {"fallocate", "d"},     {"dup3", "dd"},        {"preadv", "d"},
    {"pwritev", "d"},     {"syncfs", "d"},        {"renameat2", "apap"}, {"copy_file_range", "d.d"},
    {"statx", "ap"},      {"close_range", "nn"},  {"faccessat2", "ap"},
};

char letter_of(argument_kind kind) {
    constexpr std::string_view letters = ".danvp";  // in the order of argument_kind
    return letters[static_cast<std::size_t>(kind)];
}

TEST_F(Gates, TheTableSaysWhatEachArgumentIs) {
    for (const system_call_row& row : system_call_table()) {
        std::string kinds;
        std::ranges::transform(row.kinds, std::back_inserter(kinds), letter_of);
        kinds.erase(kinds.find_last_not_of('.') + 1);
        const auto expected = manual.find(row.name);
        // Calls on extended attributes never look at a file.
        if (row.function != nullptr) {
            EXPECT_EQ(kinds, expected == manual.end() ? "" : expected->second) << row.name;
        } else {
            EXPECT_EQ(expected, manual.end()) << row.name;
            EXPECT_EQ(call_system(*process_, row.number, {}), -ENOSYS) << row.name;
        }
    }
}

/// Everything about an open file that a call could change.
auto state_of(int file) {
    struct ::stat about {};
    EXPECT_EQ(::fstat(file, &about), 0);
    return std::array<std::int64_t, 10>{about.st_mode,
                                        about.st_uid,
                                        about.st_size,
                                        static_cast<std::int64_t>(about.st_nlink),
                                        about.st_mtim.tv_sec * 1'000'000'000 + about.st_mtim.tv_nsec,
                                        about.st_ctim.tv_sec * 1'000'000'000 + about.st_ctim.tv_nsec,
                                        about.st_blocks,
                                        ::lseek(file, 0, SEEK_CUR),
                                        ::fcntl(file, F_GETFL),
                                        ::fcntl(file, F_GETFD)};
}

TEST_F(Gates, ReservedDescriptorsAreOutOfReachOfEveryCall) {
    const auto before = state_of(file_);
    const auto before_directory = state_of(directory_);
    const int own = static_cast<int>(open("own", O_RDWR | O_CREAT));
    std::size_t tried = 0;
    for (const system_call_row& row : system_call_table()) {
        for (std::size_t place = 0; row.function != nullptr && place < row.arguments; ++place) {
            const argument_kind kind = row.kinds[place];
            if (kind == argument_kind::value || kind == argument_kind::path) {
                continue;
            }
            ++tried;
            const int reserved = kind == argument_kind::directory || row.name == "fchdir" ||
                                         row.name == "getdents64"
                                     ? directory_
                                     : file_;
            put_path("file");
            // What is no descriptor is a length, a command or flags; a pointer; nothing.
            for (const std::uint64_t other : {std::uint64_t{1}, buffer_place, std::uint64_t{0}}) {
                const std::string zeros(4096, '\0');
                ASSERT_TRUE(process_->memory.write_bytes(buffer_place, std::as_bytes(std::span(zeros))));
                system_call_arguments arguments{};
                for (std::size_t i = 0; i < row.arguments; ++i) {
                    arguments[i] = row.kinds[i] == argument_kind::path ? path_place
                                   : row.kinds[i] == argument_kind::descriptor
                                       ? static_cast<std::uint64_t>(own)
                                       : other;
                }
                arguments[place] = static_cast<std::uint64_t>(reserved);
                if (row.name == "close_range") {
                    arguments = {static_cast<std::uint64_t>(own) + 1, 0xffff'ffff, 0};
                } else if (row.name == "mmap") {
                    arguments = {0, 65536, 3, 1, static_cast<std::uint64_t>(reserved), 0};
                } else if (kind == argument_kind::descriptors && row.name.ends_with("poll")) {
                    const ::pollfd asked{reserved, POLLIN, 0};
                    ASSERT_TRUE(process_->memory.put(buffer_place, asked));
                    arguments = {buffer_place, 1, row.name == "poll" ? 1U : 0, 0, 8};
                } else if (kind == argument_kind::descriptors) {
                    ASSERT_TRUE(
                        process_->memory.put(buffer_place + static_cast<std::uint64_t>(reserved) / 64 * 8,
                                             std::uint64_t{1} << reserved % 64));
                    arguments = {1024, 0, 0, 0, 0, 0};
                    arguments[place] = buffer_place;
                }
                const std::int64_t result = row.function(*process_, arguments);
                if (row.name.ends_with("poll")) {
                    ::pollfd told{};
                    ASSERT_TRUE(process_->memory.get(buffer_place, told));
                    EXPECT_EQ(told.fd, reserved);
                    EXPECT_EQ(told.revents, POLLNVAL);
                } else if (row.name != "close_range") {
                    EXPECT_LT(result, 0) << row.name << " argument " << place;
                }
                EXPECT_FALSE(process_->ended());
                EXPECT_EQ(state_of(file_), before) << row.name << " argument " << place;
                EXPECT_EQ(state_of(directory_), before_directory) << row.name << " argument " << place;
            }
        }
    }
    EXPECT_GT(tried, 60U);
    EXPECT_EQ(content(file_), secret);
    const int other = ::open((scratch_ / "pefsim" / "file").c_str(), O_RDWR | O_CLOEXEC);
    EXPECT_EQ(::flock(other, LOCK_EX | LOCK_NB), 0) << "it is locked";
    ::close(other);
    EXPECT_EQ(process_->clock.elapsed(), 0);
}

TEST_F(Gates, ADuplicateNeverLandsOnAReservedDescriptor) {
    const auto own = static_cast<std::uint64_t>(open("own", O_RDWR | O_CREAT));
    for (int i = 0; i < 4; ++i) {
        const std::int64_t copy = call("fcntl", {own, F_DUPFD, static_cast<std::uint64_t>(file_)});
        EXPECT_GE(copy, 0);
        EXPECT_NE(copy, file_);
        EXPECT_NE(copy, directory_);
    }
}

TEST_F(Gates, TheLimitOfOpenFilesIsTheProgramsAlone) {
    const std::array<std::uint64_t, 2> few{8, 8};
    ASSERT_TRUE(process_->memory.put(buffer_place, few));
    EXPECT_EQ(call("setrlimit", {7, buffer_place}), 0);
    std::int64_t last = 0;
    while (last >= 0) {
        last = open("/");
        ASSERT_LT(last, 8);
    }
    EXPECT_EQ(last, -EMFILE);
    EXPECT_EQ(call("mkdir", {put_path("deep"), 0700}), 0) << "pefsim has descriptors left";
    EXPECT_EQ(call("dup2", {0, 8}), -EBADF);
    EXPECT_EQ(call("dup", {0}), -EMFILE);
}

// --- paths

/// pefsim's own, and other processes'.
TEST_F(Gates, NoSpellingOfProcReachesPefsim) {
    const std::string number = std::to_string(::getpid());
    const std::string parent = std::to_string(::getppid());
    const std::string here = (scratch_ / "program").string();
    for (const auto& [name, target] : std::map<std::string, std::string>{{"p", "/proc"},
                                                                         {"s", "/proc/self"},
                                                                         {"m", "/proc/self/mem"},
                                                                         {"t", "p/thread-self"},
                                                                         {"n", "/proc/" + number},
                                                                         {"loop", "loop"},
                                                                         {"up", ".."},
                                                                         {"r", "/proc/self/root/proc"}}) {
        ::symlink(target.c_str(), name.c_str());
    }
    const std::vector<std::string> ways{"/proc/self",
                                        "/proc//self",
                                        "//proc/./self/",
                                        "/proc/" + number,
                                        "/proc/0" + number,
                                        "/proc/" + parent,
                                        "/proc/1",
                                        "/proc/thread-self",
                                        "/proc/1000",
                                        "/proc/1000/task/1000",
                                        "/proc/self/task/" + number,
                                        "/proc/self/../self",
                                        "/proc/sys/../self",
                                        "/proc/tty/../../proc/self",
                                        "/proc/self/root/proc/self",
                                        "/proc/self/root/proc/self/root/proc/" + number,
                                        "/proc/self/cwd/s",
                                        "/dev/fd/../",
                                        "/dev/fd/..",
                                        "/dev/../proc/self",
                                        "/../../proc/self",
                                        "p/self",
                                        "p/" + number,
                                        "s",
                                        "s/.",
                                        "t",
                                        "n",
                                        "r/self",
                                        "up/program/s",
                                        "up/../../../../../proc/self",
                                        here + "/s",
                                        "/proc/mounts/../self",
                                        "/proc/net/../../self",
                                        "/proc/net/..",
                                        "/proc/self/net/..",
                                        "/proc/self/fd/..",
                                        "/proc/" + number + "/net/.."};
    for (const std::string& way : ways) {
        for (const char* const file : {"mem",           "environ",
                                       "maps",          "smaps",
                                       "auxv",          "stat",
                                       "status",        "syscall",
                                       "pagemap",       "task",
                                       "map_files",     "exe",
                                       "cmdline",       "numa_maps",
                                       "stack",         "limits",
                                       "fdinfo",        "ns/pid",
                                       "attr/current",  "task/1000/mem",
                                       "clear_refs",    "coredump_filter",
                                       "oom_score_adj", "io",
                                       "timers"}) {
            for (const int flags : {O_RDONLY, O_RDWR, O_PATH}) {
                const std::string path = fmt::format("{}/{}", way, file);
                const std::int64_t opened = open(path, flags);
                if (opened < 0) {
                    continue;
                }
                const std::string reached = host_name(opened);
                EXPECT_FALSE(reached.starts_with("/proc/")) << path << " is " << reached;
                if (std::string_view(file) == "maps" && flags == O_RDONLY) {
                    EXPECT_EQ(content(opened), process_->memory.describe()) << path;
                } else if (std::string_view(file) == "environ" && flags == O_RDONLY) {
                    EXPECT_EQ(content(opened), std::string("WHOSE=the program's\0", 20)) << path;
                }
                ::close(static_cast<int>(opened));
            }
        }
    }
    EXPECT_EQ(open("m", O_RDWR), -ENOENT);
    EXPECT_EQ(open("loop"), -ELOOP);
    EXPECT_EQ(open("/proc/kcore"), -ENOENT);
    EXPECT_EQ(content(open("/proc//self/maps")), process_->memory.describe());
    EXPECT_EQ(content(open("s/maps")), process_->memory.describe());
    EXPECT_EQ(content(open("t/comm")), "\n");
}

TEST_F(Gates, DirectoriesOfProcAreNoWayIn) {
    const std::int64_t root = open("/", O_PATH);
    EXPECT_EQ(open("proc/self/mem", O_RDWR, static_cast<int>(root)), -ENOENT);
    const std::int64_t proc = open("/proc", O_RDONLY);
    EXPECT_EQ(open("self/mem", O_RDWR, static_cast<int>(proc)), -ENOENT);
    EXPECT_EQ(open(std::to_string(::getpid()) + "/maps", O_RDONLY, static_cast<int>(proc)), -ENOENT);
    const std::int64_t self = open("/proc/self", O_RDONLY);
    ASSERT_GE(self, 0);
    EXPECT_EQ(open("mem", O_RDWR, static_cast<int>(self)), -ENOENT);
    EXPECT_EQ(content(open("maps", O_RDONLY, static_cast<int>(self))), process_->memory.describe());
    EXPECT_EQ(open(fmt::format("/proc/self/fd/{}/mem", self), O_RDWR), -ENOENT);
    EXPECT_EQ(open(fmt::format("/dev/fd/{}/fd/../mem", self), O_RDWR), -ENOENT);
    // What looks only is not opened by its number in another way.
    const std::int64_t look = open("/proc/self/environ", O_PATH);
    if (look >= 0) {
        EXPECT_EQ(content(open(fmt::format("/proc/self/fd/{}", look))),
                  std::string("WHOSE=the program's\0", 20));
    }
    EXPECT_EQ(call("fchdir", {static_cast<std::uint64_t>(self)}), 0);
    EXPECT_EQ(open("mem", O_RDWR), -ENOENT);
    EXPECT_EQ(open("./task/../mem", O_RDWR), -ENOENT);
    EXPECT_EQ(call("chdir", {put_path("/proc/self/fd")}), 0);
    EXPECT_EQ(open("../mem", O_RDWR), -ENOENT);
    EXPECT_EQ(open("../../self/mem", O_RDWR), -ENOENT);
    EXPECT_EQ(call("chdir", {put_path("/proc")}), 0);
    EXPECT_EQ(open("self/mem", O_RDWR), -ENOENT);
    EXPECT_GE(open("cpuinfo"), 0);
}

TEST_F(Gates, ReservedDescriptorsHaveNoName) {
    for (const std::string way : {"/proc/self/fd/", "/dev/fd/", "/proc/thread-self/fd/", "/proc/1000/fd/"}) {
        const std::string path = way + std::to_string(file_);
        EXPECT_EQ(open(path), -ENOENT);
        EXPECT_EQ(open(way + std::to_string(directory_) + "/file"), -ENOENT);
        EXPECT_EQ(call("stat", {put_path(path), buffer_place}), -ENOENT);
        EXPECT_EQ(call("readlink", {put_path(path), buffer_place, 100}), -ENOENT);
        EXPECT_EQ(call("truncate", {put_path(path), 0}), -ENOENT);
        EXPECT_EQ(call("chmod", {put_path(path), 0}), -ENOENT);
        EXPECT_EQ(call("chdir", {put_path(way + std::to_string(directory_))}), -ENOENT);
    }
    const std::int64_t list = open("/proc/self/fd", O_RDONLY);
    std::string names;
    for (std::int64_t size = 1; size > 0;) {
        size = call("getdents64", {static_cast<std::uint64_t>(list), buffer_place, 512});
        std::string part(static_cast<std::size_t>(std::max<std::int64_t>(0, size)), '\0');
        ASSERT_TRUE(process_->memory.read_bytes(buffer_place, std::as_writable_bytes(std::span(part))));
        names += part;
    }
    EXPECT_EQ(names.find(std::to_string(file_)), std::string::npos);
    EXPECT_EQ(names.find(std::to_string(directory_)), std::string::npos);
    EXPECT_NE(names.find(std::to_string(list)), std::string::npos);
}

TEST_F(Gates, TheProgramsOwnDescriptorsHaveNames) {
    std::ofstream("text") << "its own";
    const std::int64_t file = open("text");
    EXPECT_EQ(content(open(fmt::format("/dev/fd/{}", file))), "its own");
    EXPECT_EQ(content(open(fmt::format("/proc/self/fd/{}", file))), "its own");
    EXPECT_EQ(content(open("/proc/self/cwd/text")), "its own");
    EXPECT_EQ(content(open("/proc/self/root" + (scratch_ / "program" / "text").string())), "its own");
    const std::int64_t directory = open(".", O_RDONLY);
    EXPECT_EQ(content(open(fmt::format("/dev/fd/{}/text", directory))), "its own");
    EXPECT_EQ(call("truncate", {put_path(fmt::format("/proc/self/fd/{}", file)), 3}), 0);
    EXPECT_EQ(content(file), "its");
    EXPECT_EQ(call("readlink", {put_path("/proc/self"), buffer_place, 100}), 4);
}

/// Random ways through the file system, as far as opening for reading: whatever is reached in procfs is no process.
TEST_F(Gates, RandomWaysReachNoProcess) {
    ::symlink("/proc", "p");
    ::symlink("/proc/self", "s");
    ::symlink("../program/p/self/root", "r");
    const std::int64_t self = open("/proc/self", O_RDONLY);
    const std::int64_t fd = open("/proc/self/fd", O_PATH);
    const std::vector<std::string> pieces{"/",
                                          "proc",
                                          "self",
                                          "thread-self",
                                          "1000",
                                          std::to_string(::getpid()),
                                          std::to_string(::getppid()),
                                          "1",
                                          "fd",
                                          "root",
                                          "cwd",
                                          "exe",
                                          "..",
                                          "..",
                                          ".",
                                          "",
                                          "p",
                                          "s",
                                          "r",
                                          "mem",
                                          "maps",
                                          "environ",
                                          "net",
                                          "task",
                                          "dev",
                                          "sys",
                                          "mounts",
                                          std::to_string(self),
                                          std::to_string(fd),
                                          std::to_string(file_),
                                          std::to_string(directory_)};
    std::mt19937_64 random(1);
    std::size_t reached_proc = 0;
    for (int i = 0; i < 20000; ++i) {
        std::string path = random() % 3 == 0 ? "/proc/" : "";
        for (std::uint64_t n = 1 + random() % 7; n > 0; --n) {
            path += pieces[random() % pieces.size()] + "/";
        }
        path.resize(path.size() - random() % 2);
        const std::array<int, 3> from{AT_FDCWD, static_cast<int>(self), static_cast<int>(fd)};
        const std::int64_t opened = path.empty() ? -1
                                                 : open(path, random() % 2 == 0 ? O_RDONLY : O_PATH,
                                                        from[random() % from.size()]);
        if (opened < 0) {
            continue;
        }
        struct ::stat about {};
        ASSERT_EQ(::fstat(static_cast<int>(opened), &about), 0);
        const std::string reached = host_name(opened);
        const bool is_own = reached.starts_with(fmt::format("/proc/{}/", ::getpid()));
        reached_proc += reached.starts_with("/proc") ? 1 : 0;
        const bool harmless = S_ISDIR(about.st_mode) || reached.ends_with("/mounts") ||
                              S_ISLNK(about.st_mode) || reached.find("/net/") != std::string::npos;
        EXPECT_TRUE(!is_own || harmless) << path << " reaches " << reached;
        EXPECT_NE(reached, (scratch_ / "pefsim" / "file").string()) << path;
        EXPECT_NE(reached, (scratch_ / "pefsim").string()) << path;
        ::close(static_cast<int>(opened));
    }
    EXPECT_GT(reached_proc, 100U);
}

TEST_F(Gates, NoOtherProcessIsThere) {
    for (const std::int64_t other : {std::int64_t{::getpid()}, std::int64_t{::getppid()}, std::int64_t{1}}) {
        EXPECT_EQ(call("kill", {static_cast<std::uint64_t>(other), 0}), -ESRCH);
        EXPECT_EQ(call("tgkill", {static_cast<std::uint64_t>(other), static_cast<std::uint64_t>(other), 9}),
                  -ESRCH);
    }
    for (const char* const name :
         {"ptrace", "process_vm_readv", "process_vm_writev", "pidfd_open", "pidfd_getfd", "kcmp", "openat2",
          "open_by_handle_at", "splice", "tee", "vmsplice", "epoll_create1", "io_uring_setup", "memfd_create",
          "socket", "sendmsg"}) {
        EXPECT_EQ(call(name, {}), -ENOSYS) << name;
    }
}

}  // namespace
}  // namespace pefsim::linux_user
