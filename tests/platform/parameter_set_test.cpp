// SPDX-License-Identifier: Apache-2.0
#include "platform/parameter_set.h"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <stdexcept>

#include "platform/command_line.h"
#include "platform/config_text.h"
#include "platform/scenario.h"

namespace pefsim::platform {
namespace {

enum class colour : std::uint8_t { red, green };

/// Parameters of every kind, and what they set.
struct sample {
    sample() {
        parameters_.add("secure", secure_, "makes itself secure");
        parameters_.add("cpus", cpus_, "CPUs", "number of CPUs");
        parameters_.add("swiotlb.size", size_, quantity::bytes, "bytes", "size of the pool");
        parameters_.add("timing.hypercall", cost_, "ns", "cost of a hypercall");
        parameters_.add("disk", disk_, output::file_use::input, "image");
        parameters_.add("a_name_that_is_wider_than_its_column", copy_, output::file_use::output, "copy");
        parameters_.add("quantum", quantum_, "quantum");
        parameters_.add("sizes", sizes_, quantity::bytes, "request sizes");
        parameters_.add("load", loads_, "FILE@ADDRESS", "what is loaded");
        parameters_.add("pc", pc_, "address", "where it begins");
        parameters_.add("colour", colour_, {{"red", colour::red}, {"green", colour::green}}, "a choice");
    }

    std::string error_of(std::string_view name, std::string_view value) {
        try {
            parameters_.set(name, value);
        } catch (const std::invalid_argument& error) {
            return error.what();
        }
        return "";
    }

    run_options parse(std::vector<const char*> arguments) {
        return parse_command_line(arguments, parameters_);
    }
    std::string parse_error(std::vector<const char*> arguments) {
        try {
            parse(std::move(arguments));
        } catch (const std::invalid_argument& error) {
            return error.what();
        }
        return "";
    }

    std::vector<std::string> loads_;
    std::optional<std::uint64_t> pc_;
    bool secure_ = false;
    unsigned cpus_ = 1;
    std::uint64_t size_ = std::uint64_t{4} << 20;
    double cost_ = 400;
    std::filesystem::path disk_;
    std::filesystem::path copy_;
    sc_core::sc_time quantum_{10, sc_core::SC_US};
    std::vector<std::uint64_t> sizes_{512, 4096};
    colour colour_ = colour::red;
    parameter_set parameters_;
};

class parameter_set_test : public ::testing::Test, public sample {
protected:
    static std::string write(const std::string& text) {
        const auto file = std::filesystem::path(::testing::TempDir()) /
                          fmt::format("pefsim_parameters_{}.toml", ::getpid());
        std::ofstream(file) << text;
        return file.string();
    }
};

TEST_F(parameter_set_test, every_kind_of_value_is_set_and_shown) {
    const std::vector<std::pair<std::string, std::string>> values{
        {"secure", "yes"}, {"cpus", "4"},      {"swiotlb.size", "8MiB"}, {"timing.hypercall", "350.5"},
        {"disk", "A.img"}, {"quantum", "1us"}, {"sizes", "1KiB,2KiB"},   {"colour", "green"}};
    for (const auto& [name, value] : values) {
        parameters_.set(name, value);
    }
    EXPECT_EQ(parameters_.changed(), values);
    EXPECT_EQ(sizes_, (std::vector<std::uint64_t>{1024, 2048}));
    EXPECT_EQ(colour_, colour::green);
}

TEST_F(parameter_set_test, a_wrong_value_names_parameter_value_and_what_is_allowed) {
    EXPECT_EQ(error_of("secure", "maybe"), "secure: 'maybe' is neither yes nor no");
    EXPECT_EQ(error_of("cpus", "two"), "cpus: 'two' is not a whole number");
    EXPECT_EQ(error_of("cpus", "-1"), "cpus: '-1' is not a whole number");
    EXPECT_EQ(error_of("colour", "blue"), "colour: 'blue' is not one of red, green");
    EXPECT_EQ(error_of("sizes", ""), "sizes: the list is empty");
    EXPECT_NE(error_of("timing.hypercall", "-3"), "");
}

TEST_F(parameter_set_test, a_dash_and_an_underscore_are_the_same) {
    parameters_.set("a-name_that-is-wider-than-its_column", "x");
    EXPECT_EQ(copy_, "x");
    EXPECT_EQ(error_of("a-nam-that-is-wider-than-its-column", "x"),
              "unknown parameter 'a-nam-that-is-wider-than-its-column'; did you mean "
              "'a_name_that_is_wider_than_its_column'?");
    parameters_.load(write("a-name-that-is-wider-than-its-column = \"file_y\"\n"));
    EXPECT_EQ(copy_, "file_y");
    const run_options options = parse({"--a-name_that_is-wider-than-its-column=file_z",
                                       "--trace_window=1us:2us", "--no_trace", "--set",
                                       "a-name-that-is-wider-than-its-column=file_z"});
    EXPECT_EQ(copy_, "file_z");
    EXPECT_FALSE(options.trace);
    EXPECT_EQ(options.trace_to, sc_core::sc_time(2, sc_core::SC_US));
    EXPECT_EQ(parse_error({"--trace_windov", "x"}),
              "unknown option 'trace_windov'; did you mean 'trace-window'?");
}

TEST_F(parameter_set_test, an_unknown_name_gets_near_misses) {
    EXPECT_EQ(error_of("swiotlb.sise", "1"),
              "unknown parameter 'swiotlb.sise'; did you mean 'swiotlb.size'?");
    EXPECT_EQ(error_of("qauntum", "1"), "unknown parameter 'qauntum'; did you mean 'quantum'?");
    EXPECT_EQ(error_of("zzzzzz", "1"), "unknown parameter 'zzzzzz'; --help lists them all");
}

TEST_F(parameter_set_test, a_megabyte_of_unknown_name_is_not_repeated) {
    const std::string name(std::size_t{1} << 20, 'q');
    EXPECT_EQ(error_of(name, "1"),
              "unknown parameter '" + name.substr(0, 80) + "...'; --help lists them all");
}

TEST_F(parameter_set_test, a_file_name_with_a_nul_is_refused) {
    EXPECT_EQ(error_of("disk", std::string_view("A.img\0B", 7)),
              "disk: 'A.img' and a NUL: no file has such a name");
    parameters_.set("disk", "\xff.img");  // not UTF-8, but a name
    EXPECT_EQ(disk_, "\xff.img");
}

TEST_F(parameter_set_test, files_that_parameters_name_are_told_from_one_another) {
    const std::string file = write("");
    const std::string other = file + ".other";
    std::filesystem::path report;
    parameters_.add("report", report, output::file_use::output, "what came of it");
    parameters_.add_files("load", output::file_use::input, [this] {
        return std::vector<std::filesystem::path>(loads_.begin(), loads_.end());
    });
    const auto clash = [this] {
        output::file_claims claims;
        parameters_.claim_files(claims);
        try {
            claims.check();
        } catch (const std::invalid_argument& error) {
            return std::string(error.what());
        }
        return std::string();
    };
    parameters_.set("disk", file);
    parameters_.set("report", other);
    EXPECT_EQ(clash(), "");
    parameters_.set("load", other);
    EXPECT_EQ(clash(), fmt::format("report: '{}' is the same file as load '{}'", other, other));
    loads_.clear();
    parameters_.set("report", file);
    EXPECT_EQ(clash(), fmt::format("report: '{}' is the same file as disk '{}'", file, file));
}

TEST_F(parameter_set_test, keys_of_a_thousand_parts_are_refused) {
    std::string key = "a";
    for (unsigned part = 0; part < 100'000; ++part) {
        key += ".a";
    }
    EXPECT_THROW(parameters_.load(write("cpus = 1\n" + key + " = 1\n")), std::invalid_argument);
}

TEST_F(parameter_set_test, a_configuration_file_is_never_waited_for) {
    const std::string fifo = write("") + ".fifo";
    ASSERT_EQ(::mkfifo(fifo.c_str(), 0600), 0);
    EXPECT_THROW(parameters_.load(fifo), std::invalid_argument);
    std::filesystem::remove(fifo);
    EXPECT_THROW(parameters_.load("/dev/zero"), std::invalid_argument);
    EXPECT_THROW(parameters_.load(std::filesystem::temp_directory_path()), std::invalid_argument);
}

TEST_F(parameter_set_test, a_file_sets_by_dotted_name) {
    parameters_.load(write("secure = true\ncpus = 2\nsizes = [512, \"8KiB\"]\n[swiotlb]\nsize = \"2MiB\"\n"
                           "[timing]\nhypercall = 1.5\n"));
    EXPECT_TRUE(secure_);
    EXPECT_EQ(cpus_, 2U);
    EXPECT_EQ(size_, std::uint64_t{2} << 20);
    EXPECT_EQ(cost_, 1.5);
    EXPECT_EQ(sizes_, (std::vector<std::uint64_t>{512, 8192}));
}

TEST_F(parameter_set_test, errors_in_a_file_name_the_line) {
    const auto error = [&](const std::string& text) {
        try {
            parameters_.load(write(text));
        } catch (const std::invalid_argument& problem) {
            return std::string(problem.what());
        }
        return std::string();
    };
    EXPECT_NE(
        error("secure = true\ncpuz = 2\n").find(".toml:2: unknown parameter 'cpuz'; did you mean 'cpus'?"),
        std::string::npos);
    EXPECT_NE(error("[swiotlb]\nsize = \"big\"\n").find(".toml:2: swiotlb.size: 'big' is not a size"),
              std::string::npos);
    EXPECT_NE(error("secure = = true\n").find(".toml:1: "), std::string::npos);
    EXPECT_THROW(parameters_.load("/does/not/exist.toml"), std::invalid_argument);
    EXPECT_THROW(parameters_.load("/"), std::invalid_argument);
}

TEST_F(parameter_set_test, the_command_line_comes_after_the_file) {
    const std::string file = write("cpus = 2\nsecure = true\n");
    parse({"--cpus", "3", "--config", file.c_str()});
    EXPECT_EQ(cpus_, 3U);
    EXPECT_TRUE(secure_);
}

TEST_F(parameter_set_test, options_of_every_scenario) {
    const run_options options = parse({"--seed", "7", "--trace=t.vcd", "--trace-window", "1us:2us",
                                       "--report", "r.json", "--quiet", "--set", "swiotlb.size=1MiB",
                                       "--disk", "a.img", "--list-signals", "--no-trace", "--help"});
    EXPECT_EQ(options.seed, 7U);
    EXPECT_EQ(options.trace_file, "t.vcd");
    EXPECT_EQ(options.trace_from, sc_core::sc_time(1, sc_core::SC_US));
    EXPECT_EQ(options.trace_to, sc_core::sc_time(2, sc_core::SC_US));
    EXPECT_EQ(options.report_file, "r.json");
    EXPECT_TRUE(options.quiet);
    EXPECT_TRUE(options.list_signals);
    EXPECT_FALSE(options.trace);
    EXPECT_TRUE(options.help);
    EXPECT_EQ(size_, std::uint64_t{1} << 20);
    EXPECT_EQ(disk_, "a.img");
}

TEST_F(parameter_set_test, a_wrong_command_line_is_one_clear_line) {
    EXPECT_EQ(parse_error({"--cpu", "3"}), "unknown option 'cpu'; did you mean 'cpus' or 'csv' or 'pc'?");
    EXPECT_EQ(parse_error({"--seed", "x"}), "--seed: 'x' is not a whole number");
    EXPECT_EQ(parse_error({"--set", "cpus"}), "--set: 'cpus' is not NAME=VALUE");
    EXPECT_EQ(parse_error({"--trace-window", "5us"}),
              "--trace-window: '5us' is not FROM:TO, workload, request:N or violation:N");
    EXPECT_EQ(parse_error({"--trace-window", "2us:1us"}), "--trace-window: '2us:1us' is empty");
    EXPECT_NE(parse_error({"stray"}), "");
    EXPECT_NE(parse_error({"--seed"}), "");
    for (const auto& arguments :
         std::vector<std::vector<const char*>>{{"stray"}, {"--seed"}, {"--quiet=yes"}, {""}}) {
        const std::string error = parse_error(arguments);
        EXPECT_FALSE(error.empty());
        EXPECT_EQ(error.find('\n'), std::string::npos);
    }
}

TEST_F(parameter_set_test, help_has_a_short_name) {
    EXPECT_TRUE(parse({"-h"}).help);
    EXPECT_TRUE(parse({"--quiet", "-h"}).help);
    EXPECT_EQ(parse({"--report", "-h"}).report_file, "-h");
    EXPECT_EQ(parse_error({"-q"}), "'-q' stands alone; every argument is --OPTION or --OPTION VALUE");
}

TEST_F(parameter_set_test, the_last_word_on_the_trace_counts) {
    EXPECT_FALSE(parse({"--trace", "t.vcd", "--no-trace"}).trace);
    EXPECT_TRUE(parse({"--no-trace", "--trace", "t.vcd"}).trace);
}

TEST_F(parameter_set_test, a_file_has_the_options_that_are_part_of_a_run) {
    const std::string file = write(
        "seed = 18\nno_trace = true\nreport = \"r.json\"\ntrace-window = \"1us:\"\n");
    const run_options options = parse({"--config", file.c_str(), "--seed", "19"});
    EXPECT_EQ(options.seed, 19U);
    EXPECT_FALSE(options.trace);
    EXPECT_EQ(options.report_file, "r.json");
    EXPECT_EQ(options.trace_window, "1us:");
    EXPECT_TRUE(parse({"--config", write("no-trace = false\n").c_str()}).trace);
    for (const std::string_view wrong : {"quiet = true", "help = true", "config = \"x\"",
                                         "no-trace = \"maybe\"", "seed = \"x\"", "set = \"cpus=3\""}) {
        const std::string name = write(std::string(wrong));
        EXPECT_NE(parse_error({"--config", name.c_str()}).find(".toml:1: "), std::string::npos) << wrong;
    }
}

TEST_F(parameter_set_test, a_dumped_configuration_gives_the_same_run) {
    std::string text;
    parameters_.add("text", text, "words");
    parameters_.add("disk.access", colour_, {{"red", colour::red}, {"green", colour::green}},
                    "below a parameter");
    const run_options options = parse({"--seed",
                                       "18446744073709551615",
                                       "--no-trace",
                                       "--trace-window",
                                       "1us:",
                                       "--secure",
                                       "yes",
                                       "--cpus",
                                       "4",
                                       "--swiotlb.size",
                                       "1GB",
                                       "--timing.hypercall",
                                       "0.1",
                                       "--disk",
                                       "a #1.img",
                                       "--quantum",
                                       "34.087595123ms",
                                       "--load",
                                       "a,b@1",
                                       "--load",
                                       "\"c\"@2",
                                       "--pc",
                                       "0x7b",
                                       "--text",
                                       "a \"text\", its \\ and\ttab, and \u00fc",
                                       "--colour",
                                       "green"});
    const std::string dumped = config_text("demo", options, parameters_);

    sample other;
    std::string other_text;
    other.parameters_.add("text", other_text, "words");
    other.parameters_.add("disk.access", other.colour_, {{"red", colour::red}, {"green", colour::green}}, "");
    const run_options again = other.parse({"--config", write(dumped).c_str()});
    EXPECT_EQ(again.seed, options.seed);
    EXPECT_FALSE(again.trace);
    EXPECT_EQ(again.trace_window, "1us:");
    EXPECT_EQ(other.loads_, loads_);
    EXPECT_EQ(other_text, text);
    EXPECT_EQ(other.quantum_, quantum_);
    for (const parameter& each : parameters_.all()) {
        EXPECT_EQ(other.parameters_.find(each.name)->value(), each.value()) << each.name;
    }
    EXPECT_EQ(config_text("demo", again, other.parameters_).substr(dumped.find('\n')),
              dumped.substr(dumped.find('\n')));
}

TEST_F(parameter_set_test, a_value_that_is_not_utf_8_cannot_be_dumped) {
    const run_options options = parse({"--disk", "\xff.img"});
    try {
        config_text("demo", options, parameters_);
        FAIL();
    } catch (const std::invalid_argument& error) {
        EXPECT_EQ(std::string_view(error.what()).find("disk: its value cannot stand in a TOML file"), 0U);
        EXPECT_EQ(std::string_view(error.what()).find('\n'), std::string_view::npos);
    }
}

struct demo : scenario {
    explicit demo(std::string_view description) : scenario("demo", description) {}
    void declare_all(parameter_set&) override {}
    void settle() override {}
    void run(session&) override {}
};

TEST_F(parameter_set_test, a_scenario_is_summed_up) {
    EXPECT_EQ(demo("Shows a thing. And more.").summary(), "Shows a thing");
    EXPECT_EQ(demo("Shows a thing.").summary(), "Shows a thing");
    const demo summarised("\na thing:\nshown.\n\nIt is shown\nat length.\n\nFor ever.");
    EXPECT_EQ(summarised.summary(), "a thing: shown");
    EXPECT_EQ(summarised.description(), "It is shown at length. For ever.");
    EXPECT_TRUE(
        help_text(summarised, parameters_)
            .starts_with(
                "demo: a thing: shown\n\nIt is shown at length. For ever.\n\nusage: demo [options]\n"));
    EXPECT_EQ(demo("").summary(), "");
}

TEST_F(parameter_set_test, help_names_every_parameter_with_unit_and_default) {
    const std::string help = help_text(demo("Shows a thing. And more."), parameters_);
    EXPECT_TRUE(help.starts_with("demo: Shows a thing. And more.\n\nusage: demo [options]\n"));
    for (const parameter& row : parameters_.all()) {
        EXPECT_NE(help.find("--" + row.name + " "), std::string::npos) << row.name;
        EXPECT_NE(help.find("(" + row.unit + ")"), std::string::npos) << row.name;
        EXPECT_NE(help.find("[" + row.fallback + "]"), std::string::npos) << row.name;
    }
    EXPECT_NE(help.find("--trace-window FROM:TO"), std::string::npos);
    // Who writes a file and who reads one is told apart.
    EXPECT_NE(help.find("image (file) []"), std::string::npos);
    EXPECT_NE(help.find("copy (output file) []"), std::string::npos);
}

TEST_F(parameter_set_test, what_may_be_repeated_adds_up) {
    parse({"--load", "a,b@1", "--load=c@2"});
    EXPECT_EQ(loads_, (std::vector<std::string>{"a,b@1", "c@2"}));
    parameters_.load(write("load = [\"d@3\", \"e@4\"]\nsizes = [\"4KiB\", 512]\n"));
    EXPECT_EQ(loads_, (std::vector<std::string>{"a,b@1", "c@2", "d@3", "e@4"}));
    EXPECT_EQ(sizes_, (std::vector<std::uint64_t>{4096, 512}));
}

TEST_F(parameter_set_test, addresses_are_decimal_or_hexadecimal) {
    EXPECT_FALSE(pc_);
    parameters_.set("pc", "0x1F");
    EXPECT_EQ(pc_, 31U);
    parameters_.set("pc", "4096");
    EXPECT_EQ(pc_, 4096U);
    EXPECT_EQ(parameters_.changed().back(), (std::pair<std::string, std::string>{"pc", "0x1000"}));
    for (const std::string_view wrong : {"", "0x", "1f", "-1", "0x10000000000000000", "1 "}) {
        EXPECT_NE(error_of("pc", wrong).find("pc: '"), std::string::npos) << wrong;
    }
}

}  // namespace
}  // namespace pefsim::platform
