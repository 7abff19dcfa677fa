// SPDX-License-Identifier: Apache-2.0
//
// A file is there when it is whole, and else what stood there before.
#include "output/whole_file.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <optional>

#include "tests/output/scratch.h"

namespace pefsim::output {
namespace {

namespace fs = std::filesystem;
using access = whole_file::access;
using ::testing::HasSubstr;

class whole_file_test : public scratch_test {
protected:
    static std::string refusal(const fs::path& place, access how = access::sequential) {
        try {
            const whole_file file("report", place, how);
        } catch (const std::invalid_argument& error) {
            return error.what();
        }
        return "";
    }
};

TEST_F(whole_file_test, takes_its_place_when_it_is_committed) {
    for (const access how : {access::sequential, access::late}) {
        const fs::path place = put("r.json", "old");
        whole_file file("report", place, how);
        file.write("new");
        EXPECT_EQ(content(place), "old");
        file.commit();
        EXPECT_EQ(content(place), "new");
    }
    EXPECT_EQ(files(), (std::set<std::string>{"r.json"}));
}

TEST_F(whole_file_test, leaves_nothing_without_commit) {
    {
        whole_file file("report", at("r.json"));
        file.write("new");
        whole_file replaces("report", put("old.json", "old"));
        replaces.write("new");
    }
    EXPECT_EQ(files(), (std::set<std::string>{"old.json"}));
    EXPECT_EQ(content(at("old.json")), "old");
}

TEST_F(whole_file_test, unfinished_file_says_so_in_its_name) {
    const whole_file file("copy", at("copy.img"), access::by_name);
    EXPECT_THAT(file.scratch().filename().string(), HasSubstr("copy.img.unfinished-"));
    EXPECT_FALSE(fs::exists(at("copy.img")));
}

TEST_F(whole_file_test, wherever_the_space_runs_out_the_old_file_stays) {
    const std::string whole(5 * 4096 + 100, 'w');
    const auto old_action = std::signal(SIGXFSZ, SIG_IGN);
    rlimit before{};
    getrlimit(RLIMIT_FSIZE, &before);
    for (const access how : {access::sequential, access::late}) {
        for (std::uint64_t space = 0; space < whole.size() + 4096; space += 4096) {
            const fs::path place = put("r.json", "old");
            whole_file file("report", place, how);
            const rlimit limit{space, before.rlim_max};
            setrlimit(RLIMIT_FSIZE, &limit);
            const bool written = file.write(whole);
            std::string line;
            try {
                file.commit();
            } catch (const write_error& error) {
                line = error.what();
                EXPECT_EQ(error.file(), place);
            }
            setrlimit(RLIMIT_FSIZE, &before);
            const bool enough = space >= whole.size();
            EXPECT_EQ(written, enough);
            EXPECT_EQ(content(place), enough ? whole : "old");
            EXPECT_EQ(line, enough ? ""
                                   : "report '" + place.string() +
                                         "': could not be written in full: File too large");
        }
    }
    std::signal(SIGXFSZ, old_action);
    EXPECT_EQ(files(), (std::set<std::string>{"r.json"}));
}

TEST_F(whole_file_test, failure_of_another_writer_is_told_at_the_end) {
    whole_file file("plot", at("p.png"), access::by_name);
    file.fail(ENOSPC);
    try {
        file.commit();
        FAIL();
    } catch (const write_error& error) {
        EXPECT_THAT(error.what(), HasSubstr("No space left on device"));
    }
    EXPECT_TRUE(files().empty());
}

TEST_F(whole_file_test, file_behind_a_link_is_replaced_and_keeps_its_mode) {
    fs::create_directory(at("elsewhere"));
    const fs::path target = put("elsewhere/r.json", "old");
    fs::permissions(target, fs::perms(0640));
    fs::create_symlink("elsewhere/r.json", at("link.json"));
    whole_file file("report", at("link.json"));
    file.write("new");
    file.commit();
    EXPECT_TRUE(fs::is_symlink(at("link.json")));
    EXPECT_EQ(content(target), "new");
    EXPECT_EQ(fs::status(target).permissions(), fs::perms(0640));
}

TEST_F(whole_file_test, link_to_nothing_gets_its_file) {
    fs::create_symlink("there.json", at("link.json"));
    whole_file file("report", at("link.json"));
    file.write("new");
    file.commit();
    EXPECT_EQ(content(at("there.json")), "new");
    EXPECT_TRUE(fs::is_symlink(at("link.json")));
}

TEST_F(whole_file_test, place_is_where_it_was_when_the_directory_changes) {
    const fs::path before = fs::current_path();
    fs::current_path(at("."));
    std::optional<whole_file> file;
    file.emplace("report", "r.json", access::late);
    fs::current_path(before);
    file->write("new");
    file->commit();
    EXPECT_EQ(content(at("r.json")), "new");
}

TEST_F(whole_file_test, what_cannot_be_written_is_refused_at_once) {
    fs::create_directory(at("directory"));
    EXPECT_THAT(refusal(at("directory")), HasSubstr("Is a directory"));
    EXPECT_THAT(refusal(at("missing/r.json")), HasSubstr("No such file or directory"));
    EXPECT_THAT(refusal(at(std::string(300, 'n'))), HasSubstr("File name too long"));
    EXPECT_THAT(refusal("/dev/null", access::by_name), HasSubstr("not a regular file"));
    EXPECT_EQ(refusal(at(std::string(255, 'n'))), "");
    if (::geteuid() != 0) {
        const fs::path closed = put("closed.json", "old");
        fs::permissions(closed, fs::perms(0444));
        EXPECT_THAT(refusal(closed), HasSubstr("Permission denied"));
    }
}

TEST_F(whole_file_test, fifo_is_never_waited_for) {
    ASSERT_EQ(::mkfifo(at("fifo").c_str(), 0600), 0);
    EXPECT_THAT(refusal(at("fifo")), HasSubstr("nobody reads this FIFO"));
    const int reader = ::open(at("fifo").c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    whole_file file("report", at("fifo"));
    EXPECT_TRUE(file.write("through it"));
    file.commit();
    std::array<char, 32> got{};
    EXPECT_EQ(::read(reader, got.data(), got.size()), 10);
    ::close(reader);
    EXPECT_TRUE(fs::is_fifo(at("fifo")));
}

TEST_F(whole_file_test, devices_are_written_to_as_they_are) {
    whole_file nowhere("report", "/dev/null");
    EXPECT_TRUE(nowhere.write("gone"));
    nowhere.commit();
    EXPECT_TRUE(fs::is_character_file("/dev/null"));
    whole_file full("report", "/dev/full");
    EXPECT_FALSE(full.write("no room"));
    EXPECT_THROW(full.commit(), write_error);
}

}  // namespace
}  // namespace pefsim::output
