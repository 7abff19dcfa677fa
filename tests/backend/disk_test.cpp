// SPDX-License-Identifier: Apache-2.0
//
// Disk images and disks in memory: what they hold, and one clear line for everything that is no disk image.
#include "backend/disk_image.h"
#include "backend/memory_disk.h"

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>
#include <stdexcept>
#include <string>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>
#include <vector>

namespace pefsim::backend {

namespace {

namespace fs = std::filesystem;

/// A directory of its own for each test.
class scratch_directory {
public:
    scratch_directory() {
        std::string name = (fs::temp_directory_path() / "pefsim-backend-XXXXXX").string();
        if (mkdtemp(name.data()) == nullptr) {
            throw std::runtime_error("no temporary directory");
        }
        path_ = name;
    }
    ~scratch_directory() {
        std::error_code ignored;
        fs::remove_all(path_, ignored);
    }
    scratch_directory(const scratch_directory&) = delete;
    scratch_directory& operator=(const scratch_directory&) = delete;

    [[nodiscard]] fs::path file(std::string_view name, std::size_t size, char fill = 'x') const {
        std::ofstream(path_ / name, std::ios::binary) << std::string(size, fill);
        return path_ / name;
    }
    [[nodiscard]] const fs::path& path() const { return path_; }

private:
    fs::path path_;
};

std::string content(const fs::path& file) {
    std::ifstream stream(file, std::ios::binary);
    return {std::istreambuf_iterator<char>(stream), {}};
}

std::vector<std::byte> read(block_backend_if& disk, std::uint64_t offset, std::size_t size) {
    std::vector<std::byte> bytes(size, std::byte{0xee});
    EXPECT_TRUE(disk.read(offset, bytes));
    return bytes;
}

std::vector<std::byte> filled(std::size_t size, char with) {
    return std::vector<std::byte>(size, static_cast<std::byte>(with));
}

TEST(disk_image, read_write_changes_the_file) {
    const scratch_directory scratch;
    const auto file = scratch.file("a.img", 4096, 'a');
    {
        disk_image disk(file, image_mode::read_write);
        EXPECT_EQ(disk.size(), 4096U);
        EXPECT_FALSE(disk.read_only());
        EXPECT_EQ(disk.id(), "a.img");
        EXPECT_EQ(read(disk, 0, 512), filled(512, 'a'));
        EXPECT_TRUE(disk.write(1024, filled(512, 'b')));
        EXPECT_EQ(read(disk, 1024, 512), filled(512, 'b'));
        EXPECT_TRUE(disk.flush());
    }
    const std::string expected = std::string(1024, 'a') + std::string(512, 'b') + std::string(2560, 'a');
    EXPECT_EQ(content(file), expected);
}

TEST(disk_image, read_only_refuses_writes) {
    const scratch_directory scratch;
    const auto file = scratch.file("a.img", 1024, 'a');
    disk_image disk(file, image_mode::read_only);
    EXPECT_TRUE(disk.read_only());
    EXPECT_FALSE(disk.write(0, filled(512, 'b')));
    EXPECT_TRUE(disk.flush());
    EXPECT_EQ(content(file), std::string(1024, 'a'));
}

TEST(disk_image, snapshot_never_writes_the_file) {
    const scratch_directory scratch;
    const std::size_t size = 3 * cluster_overlay::cluster_size + 1024;
    const auto file = scratch.file("a.img", size, 'a');
    fs::permissions(file, fs::perms::owner_read);
    disk_image disk(file, image_mode::snapshot);
    EXPECT_FALSE(disk.read_only());
    // Across a cluster boundary, and in the last, short cluster.
    EXPECT_TRUE(disk.write(cluster_overlay::cluster_size - 512, filled(1024, 'b')));
    EXPECT_TRUE(disk.write(size - 512, filled(512, 'c')));
    EXPECT_EQ(read(disk, cluster_overlay::cluster_size - 1024, 512), filled(512, 'a'));
    EXPECT_EQ(read(disk, cluster_overlay::cluster_size - 512, 1024), filled(1024, 'b'));
    EXPECT_EQ(read(disk, cluster_overlay::cluster_size + 512, 512), filled(512, 'a'));
    EXPECT_EQ(read(disk, size - 1024, 512), filled(512, 'a'));
    EXPECT_EQ(read(disk, size - 512, 512), filled(512, 'c'));
    EXPECT_EQ(content(file), std::string(size, 'a'));
}

TEST(disk_image, a_file_that_shrinks_fails_at_run_time) {
    const scratch_directory scratch;
    const auto file = scratch.file("a.img", 8192);
    disk_image disk(file, image_mode::read_write);
    fs::resize_file(file, 4096 + 100);
    std::vector<std::byte> bytes(512);
    EXPECT_TRUE(disk.read(0, bytes));
    EXPECT_FALSE(disk.read(4096, bytes));
    EXPECT_FALSE(disk.read(7680, bytes));
}

struct unusable {
    const char* name;
    const char* why;  ///< part of the message
    fs::path (*make)(const scratch_directory&);
    image_mode mode = image_mode::read_only;
};

const unusable unusable_images[] = {
    {"missing", "No such file", [](const auto& s) { return s.path() / "missing.img"; }},
    {"in_a_missing_directory", "No such file", [](const auto& s) { return s.path() / "no" / "a.img"; }},
    {"directory", "not a regular file", [](const auto& s) { return s.path(); }},
    {"directory_to_write", "not a regular file", [](const auto& s) { return s.path(); },
     image_mode::read_write},
    {"fifo", "not a regular file",
     [](const auto& s) {
         EXPECT_EQ(mkfifo((s.path() / "fifo").c_str(), 0600), 0);
         return s.path() / "fifo";
     }},
    {"device", "not a regular file", [](const auto& /*s*/) { return fs::path("/dev/null"); }},
    {"empty", "empty", [](const auto& s) { return s.file("empty.img", 0); }},
    {"one_byte_short", "truncated", [](const auto& s) { return s.file("short.img", 4095); }},
    {"one_byte_long", "truncated", [](const auto& s) { return s.file("long.img", 4097); },
     image_mode::snapshot},
    {"half_a_sector", "truncated", [](const auto& s) { return s.file("half.img", 256); },
     image_mode::read_write},
};

class unusable_image : public ::testing::TestWithParam<unusable> {};

TEST_P(unusable_image, is_refused_with_one_line_that_names_it) {
    const scratch_directory scratch;
    const fs::path file = GetParam().make(scratch);
    try {
        const disk_image disk(file, GetParam().mode);
        FAIL() << "opened";
    } catch (const std::invalid_argument& error) {
        const std::string line = error.what();
        EXPECT_NE(line.find(file.string()), std::string::npos) << line;
        EXPECT_NE(line.find(GetParam().why), std::string::npos) << line;
        EXPECT_EQ(line.find('\n'), std::string::npos) << line;
    }
}

INSTANTIATE_TEST_SUITE_P(every, unusable_image, ::testing::ValuesIn(unusable_images),
                         [](const auto& row) { return std::string(row.param.name); });

TEST(disk_image, an_unreadable_file_is_refused) {
    if (geteuid() == 0) {
        GTEST_SKIP() << "root may read every file";
    }
    const scratch_directory scratch;
    const auto file = scratch.file("a.img", 512);
    fs::permissions(file, fs::perms::none);
    EXPECT_THROW(disk_image(file, image_mode::read_only), std::invalid_argument);
}

TEST(memory_disk, pseudo_random_content_depends_on_seed_and_offset_only) {
    memory_disk one({.size = 1 << 20, .seed = 7});
    memory_disk two({.size = 1 << 20, .seed = 7});
    memory_disk other({.size = 1 << 20, .seed = 8});
    EXPECT_EQ(read(one, 4096, 4096), read(two, 4096, 4096));
    EXPECT_NE(read(one, 4096, 4096), read(other, 4096, 4096));
    EXPECT_NE(read(one, 4096, 4096), read(one, 8192, 4096));
    // The same bytes however they are read.
    const auto whole = read(one, 0, 64);
    for (std::size_t offset = 0; offset < 32; ++offset) {
        for (std::size_t size = 0; size < 32; ++size) {
            std::vector<std::byte> part(size);
            memory_disk::generate(7, offset, part);
            ASSERT_TRUE(
                std::equal(part.begin(), part.end(), whole.begin() + static_cast<std::ptrdiff_t>(offset)));
        }
    }
}

TEST(memory_disk, writes_stay_where_they_are_put) {
    memory_disk disk({.size = 1 << 20, .initial = memory_disk::content::zero});
    EXPECT_TRUE(disk.write(65536 - 512, filled(1024, 'b')));
    EXPECT_EQ(read(disk, 65536 - 1024, 512), filled(512, 0));
    EXPECT_EQ(read(disk, 65536 - 512, 1024), filled(1024, 'b'));
    EXPECT_EQ(read(disk, 65536 + 512, 512), filled(512, 0));
}

TEST(disk_image, knows_where_a_sparse_file_has_data) {
    const scratch_directory scratch;
    constexpr std::uint64_t size = std::uint64_t{4} << 40;
    const fs::path file = scratch.file("sparse.img", 512);
    fs::resize_file(file, size);
    disk_image disk(file, image_mode::read_write);
    EXPECT_EQ(disk.next_data(0), 0U);
    const std::uint64_t behind = disk.next_data(std::uint64_t{1} << 20);
    EXPECT_TRUE(behind == size || behind == std::uint64_t{1}
                                                << 20);  // the latter: a file system without holes
    const auto data = filled(4096, 'd');
    ASSERT_TRUE(disk.write(size / 2, data));
    EXPECT_LE(disk.next_data(std::uint64_t{1} << 20), size / 2);
}

TEST(disk_image, keeps_why_a_write_failed) {
    const scratch_directory scratch;
    disk_image disk(scratch.file("full.img", 64 * 1024), image_mode::read_write);
    EXPECT_EQ(disk.write_error(), 0);
    rlimit before{};
    getrlimit(RLIMIT_FSIZE, &before);
    const rlimit limit{8192, before.rlim_max};
    const auto old = std::signal(SIGXFSZ, SIG_IGN);
    setrlimit(RLIMIT_FSIZE, &limit);
    EXPECT_FALSE(disk.write(16'384, filled(512, 'f')));
    setrlimit(RLIMIT_FSIZE, &before);
    std::signal(SIGXFSZ, old);
    EXPECT_EQ(disk.write_error(), EFBIG);
}

TEST(disk_image, gives_the_name_that_it_is_known_by) {
    const scratch_directory scratch;
    const disk_image disk(scratch.file("copy.img.unfinished-1", 512), image_mode::read_write,
                          "some/copy.img");
    EXPECT_EQ(disk.id(), "copy.img");
}

TEST(memory_disk, a_blank_one_knows_what_was_written) {
    constexpr std::uint64_t size = std::uint64_t{4} << 40;
    memory_disk disk({.size = size, .initial = memory_disk::content::zero});
    EXPECT_EQ(disk.next_data(0), size);
    ASSERT_TRUE(disk.write(size / 2 + 512, filled(512, 'x')));
    EXPECT_EQ(disk.next_data(0), size / 2);
    EXPECT_EQ(disk.next_data(size / 2 + 1024), size / 2 + 1024);
    EXPECT_EQ(disk.next_data(size / 2 + cluster_overlay::cluster_size), size);
    EXPECT_EQ(memory_disk({.size = 4096}).next_data(512), 512U);
}

TEST(memory_disk, a_read_only_one_refuses_writes) {
    memory_disk disk({.size = 4096, .read_only = true});
    EXPECT_FALSE(disk.write(0, filled(512, 'b')));
}

TEST(memory_disk, bad_sizes_and_names_are_refused) {
    EXPECT_THROW(memory_disk({.size = 0}), std::invalid_argument);
    EXPECT_THROW(memory_disk({.size = 1000}), std::invalid_argument);
    EXPECT_THROW(memory_disk({.id = "longer than twenty bytes"}), std::invalid_argument);
}

TEST(disk_image, zeros_and_discards_become_holes_where_the_host_has_them) {
    const scratch_directory scratch;
    constexpr std::size_t size = 1 << 20;
    struct row {
        const char* name;
        bool (*act)(disk_image&, std::uint64_t, std::uint64_t);
    };
    const row rows[] = {
        {"discard", [](disk_image& disk, std::uint64_t at, std::uint64_t n) { return disk.discard(at, n); }},
        {"unmap",
         [](disk_image& disk, std::uint64_t at, std::uint64_t n) { return disk.write_zeroes(at, n, true); }},
        {"zeros",
         [](disk_image& disk, std::uint64_t at, std::uint64_t n) { return disk.write_zeroes(at, n, false); }},
    };
    for (const row& each : rows) {
        const fs::path file = scratch.file(each.name, size);
        disk_image disk(file, image_mode::read_write);
        ASSERT_TRUE(each.act(disk, 512, size - 1024)) << each.name;
        EXPECT_EQ(read(disk, 0, 512), filled(512, 'x'));
        EXPECT_EQ(read(disk, 512, size - 1024), filled(size - 1024, 0)) << each.name;
        EXPECT_EQ(read(disk, size - 512, 512), filled(512, 'x'));
        EXPECT_EQ(fs::file_size(file), size);
        struct stat status {};
        ASSERT_EQ(::stat(file.c_str(), &status), 0);
        const auto stored = static_cast<std::size_t>(status.st_blocks) * 512;
        if (each.name == std::string_view("zeros")) {
            EXPECT_GE(stored, size);
        } else {
            EXPECT_LT(stored, size / 4) << each.name;
        }
        EXPECT_EQ(disk.write_error(), 0);
    }
}

TEST(disk_image, zeros_of_a_snapshot_hide_the_file_and_leave_it) {
    const scratch_directory scratch;
    const fs::path file = scratch.file("base.img", 256 << 10);
    disk_image disk(file, image_mode::snapshot);
    ASSERT_TRUE(disk.discard(512, 512));
    ASSERT_TRUE(disk.write_zeroes(64 << 10, 128 << 10, true));
    EXPECT_EQ(read(disk, 0, 512), filled(512, 'x'));
    EXPECT_EQ(read(disk, 512, 512), filled(512, 0));
    EXPECT_EQ(read(disk, 1024, 512), filled(512, 'x'));
    EXPECT_EQ(read(disk, 64 << 10, 128 << 10), filled(128 << 10, 0));
    EXPECT_EQ(content(file), std::string(256 << 10, 'x'));
}

TEST(disk_image, a_read_only_one_is_not_zeroed) {
    const scratch_directory scratch;
    const fs::path file = scratch.file("fixed.img", 4096);
    disk_image disk(file, image_mode::read_only);
    EXPECT_FALSE(disk.discard(0, 512));
    EXPECT_FALSE(disk.write_zeroes(0, 512, false));
    EXPECT_EQ(content(file), std::string(4096, 'x'));
}

// A disk is an array: whatever is written, zeroed and read in whatever order.
RC_GTEST_PROP(memory_disk_property, is_an_array, ()) {
    constexpr std::size_t size = 3 * cluster_overlay::cluster_size;
    memory_disk disk({.size = size, .seed = 3});
    std::vector<std::byte> model(size);
    memory_disk::generate(3, 0, model);
    enum class act : std::uint8_t { read, write, zero, discard };
    const auto accesses = *rc::gen::container<std::vector<std::tuple<act, unsigned, unsigned>>>(
        rc::gen::tuple(rc::gen::element(act::read, act::write, act::zero, act::discard),
                       rc::gen::inRange(0U, 384U), rc::gen::inRange(1U, 200U)));
    char fill = 0;
    for (const auto& [what, sector, sectors] : accesses) {
        const std::size_t offset = sector * 512U;
        const std::size_t bytes = std::min<std::size_t>(sectors * 512U, size - offset);
        if (what == act::zero || what == act::discard) {
            const bool done = what == act::zero ? disk.write_zeroes(offset, bytes, false)
                                                : disk.discard(offset, bytes);
            RC_ASSERT(done);
            std::fill_n(model.begin() + static_cast<std::ptrdiff_t>(offset), bytes, std::byte{0});
        } else if (what == act::write) {
            const auto data = filled(bytes, ++fill);
            RC_ASSERT(disk.write(offset, data));
            std::copy(data.begin(), data.end(), model.begin() + static_cast<std::ptrdiff_t>(offset));
        } else {
            const auto got = read(disk, offset, bytes);
            RC_ASSERT(
                std::equal(got.begin(), got.end(), model.begin() + static_cast<std::ptrdiff_t>(offset)));
        }
    }
}

}  // namespace

}  // namespace pefsim::backend
