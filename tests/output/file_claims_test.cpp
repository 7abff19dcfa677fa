// SPDX-License-Identifier: Apache-2.0
//
// No output of a run is one of its inputs, or another output, by whatever names.
#include "output/file_claims.h"

#include <gtest/gtest.h>

#include <stdexcept>
#include <string>
#include <vector>

#include "tests/output/scratch.h"

namespace pefsim::output {
namespace {

namespace fs = std::filesystem;

class file_claims_test : public scratch_test {
protected:
    struct named {
        std::string role;
        file_use use;
        fs::path file;
    };
    static std::string clash(const std::vector<named>& files) {
        file_claims claims;
        for (const named& each : files) {
            claims.add(each.role, each.use, each.file);
        }
        try {
            claims.check();
        } catch (const std::invalid_argument& error) {
            return error.what();
        }
        return "";
    }
};

TEST_F(file_claims_test, different_files_do_not_clash) {
    EXPECT_EQ(clash({{"disk", file_use::input, put("d.img", "d")},
                     {"report", file_use::output, at("r.json")},
                     {"trace", file_use::output, at("t.fst")},
                     {"nothing", file_use::output, ""}}),
              "");
    EXPECT_EQ(clash({{"disk", file_use::input, at("d.img")}, {"load", file_use::input, at("d.img")}}), "");
}

TEST_F(file_claims_test, every_name_of_a_file_is_that_file) {
    const fs::path disk = put("d.img", "d");
    fs::create_hard_link(disk, at("hard.img"));
    fs::create_symlink("d.img", at("soft.img"));
    fs::create_directory(at("directory"));
    fs::create_directory_symlink("directory", at("way"));
    for (const fs::path& name : {disk, at("hard.img"), at("soft.img"), at("directory/../d.img"),
                                 at("way/../d.img"), fs::relative(disk)}) {
        EXPECT_EQ(clash({{"disk", file_use::input, disk}, {"report", file_use::output, name}}),
                  "report: '" + name.string() + "' is the same file as disk '" + disk.string() + "'");
    }
}

TEST_F(file_claims_test, files_that_do_not_exist_yet_are_told_by_their_path) {
    fs::create_directory(at("directory"));
    fs::create_directory_symlink("directory", at("way"));
    fs::create_symlink("way/new", at("dangling"));
    for (const fs::path& name :
         {at("directory/new"), at("way/new"), at("dangling"), at("directory/../way/./new")}) {
        EXPECT_NE(
            clash({{"report", file_use::output, at("directory/new")}, {"dump", file_use::output, name}}), "");
    }
    EXPECT_EQ(
        clash({{"report", file_use::output, at("directory/new")}, {"dump", file_use::output, at("new")}}),
        "");
}

TEST_F(file_claims_test, all_pairs_are_looked_at) {
    const std::vector<named> roles{{"disk", file_use::input, at("a")},
                                   {"elf", file_use::input, at("b")},
                                   {"report", file_use::output, at("c")},
                                   {"trace", file_use::output, at("d")},
                                   {"copy", file_use::output, at("e")}};
    EXPECT_EQ(clash(roles), "");
    for (std::size_t one = 0; one < roles.size(); ++one) {
        for (std::size_t other = one + 1; other < roles.size(); ++other) {
            std::vector<named> same = roles;
            same[other].file = same[one].file;
            const bool inputs = roles[one].use == file_use::input && roles[other].use == file_use::input;
            EXPECT_EQ(clash(same).empty(), inputs) << roles[one].role << " and " << roles[other].role;
        }
    }
}

TEST_F(file_claims_test, devices_that_hold_nothing_may_be_named_twice) {
    EXPECT_EQ(clash({{"report", file_use::output, "/dev/null"}, {"dump", file_use::output, "/dev/null"}}),
              "");
}

}  // namespace
}  // namespace pefsim::output
