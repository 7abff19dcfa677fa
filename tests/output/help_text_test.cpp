// SPDX-License-Identifier: Apache-2.0
#include "output/help_text.h"

#include <gtest/gtest.h>

#include <sstream>

namespace pefsim::output {
namespace {

TEST(wrapped, breaks_at_blanks_and_keeps_every_word) {
    EXPECT_EQ(wrapped("", 80), "");
    EXPECT_EQ(wrapped("one two three", 7), "one two\nthree");
    EXPECT_EQ(wrapped("one two three", 7, 2), "one two\n  three");
    EXPECT_EQ(wrapped("one two three", 12, 4, 6), "one\n    two\n    three")
        << "the first line begins in column 6";
    EXPECT_EQ(wrapped("a_word_that_is_too_long b", 10), "a_word_that_is_too_long\nb");
}

TEST(wrapped, breaks_a_choice_of_words_where_it_must) {
    const std::string choice = "(before_series|rfc_v2|series|merged)";
    EXPECT_EQ(wrapped("how " + choice, 80), "how " + choice);
    EXPECT_EQ(wrapped("how " + choice, 20), "how (before_series|\nrfc_v2|series|\nmerged)");
    std::string joined = wrapped(choice, 24, 4, 4);
    std::erase_if(joined, [](char c) { return c == '\n' || c == ' '; });
    EXPECT_EQ(joined, choice);
}

TEST(option_row, has_its_description_in_a_column) {
    EXPECT_EQ(option_row("--quiet ", "say nothing", 100), "  --quiet                         say nothing\n");
    EXPECT_EQ(option_row("--quiet", "say nothing", 40), "  --quiet                         say\n"
                                                        "                                  nothing\n");
    const std::string longest = "--" + std::string(40, 'x');
    EXPECT_EQ(option_row(longest, "what it is", 100), "  " + longest + " what it is\n");
    std::istringstream lines(option_row(longest, "what it is, in a sentence that is long", 60));
    for (std::string line; std::getline(lines, line);) {
        EXPECT_LE(line.size(), 60U) << line;
    }
}

}  // namespace
}  // namespace pefsim::output
