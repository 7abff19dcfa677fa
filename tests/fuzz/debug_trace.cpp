// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstddef>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <stdexcept>

#include "power/debug/trace_reader.h"
#include "power/debug/trace_render.h"
#include "tests/fuzz/debug_case.h"

namespace pefsim::fuzz {
namespace {

using namespace power::debug;  // NOLINT(google-build-using-namespace): what is fuzzed

constexpr std::size_t longest_line = 200;  // of a rendered trace

trace_record record_of(const std::string& line) {
    trace_record result;
    if (std::sscanf(line.c_str(), "%lx %x %x", &result.value, &result.word, &result.place) != 3) {
        throw std::invalid_argument(fmt::format("corpus: '{}' is no record", line));
    }
    return result;
}

trace_record any_record(random_bits& random) {
    const auto word = static_cast<std::uint32_t>(random());
    if (below(random, 3) == 0) {
        return {odd_number(random),
                below(random, 2) == 0 ? word : static_cast<std::uint32_t>(odd_number(random)),
                static_cast<std::uint32_t>(below(random, 10))};
    }
    return {odd_number(random), word, static_cast<std::uint32_t>(odd_number(random))};
}

/// Stretches of the corpus between records of chance; here and there a field of a record is another one.
std::vector<trace_record> make_records(random_bits& random, const std::vector<std::string>& corpus) {
    std::vector<trace_record> records;
    for (std::uint64_t pieces = 1 + below(random, 12); pieces-- > 0;) {
        const std::size_t from = below(random, corpus.size());
        const std::size_t to = from + below(random, corpus.size() - from + 1);
        for (std::size_t i = from; i < to; ++i) {
            records.push_back(record_of(corpus[i]));
        }
        for (std::uint64_t more = below(random, 6); more-- > 0;) {
            records.push_back(any_record(random));
        }
    }
    for (trace_record& each : records) {
        switch (below(random, 24)) {
        case 0:
            each.value = odd_number(random);
            break;
        case 1:
            each.word ^= 1U << below(random, 32);
            break;
        case 2:
            each.place ^= 1U << below(random, 32);
            break;
        default:
            break;
        }
    }
    return records;
}

std::string rendered(trace_reader& trace, const render_window& what = {}) {
    std::ostringstream out;
    render(out, trace, no_symbols(), what);
    return out.str();
}

render_window any_window(random_bits& random) {
    render_window what;
    what.window.from = odd_number(random);
    what.window.to = odd_number(random);
    what.window.where = {odd_number(random), odd_number(random)};
    what.from_picoseconds = odd_number(random);
    what.to_picoseconds = odd_number(random);
    what.most_lines = odd_number(random);
    return what;
}

/// The file of this process, which is overwritten by each case.
class scratch_file {
public:
    explicit scratch_file(const std::string& bytes) : path_(path()) {
        std::ofstream(path_, std::ios::binary | std::ios::trunc) << bytes;
    }
    ~scratch_file() {
        std::error_code ignored;
        std::filesystem::remove(path_, ignored);
    }
    scratch_file(const scratch_file&) = delete;
    scratch_file& operator=(const scratch_file&) = delete;
    [[nodiscard]] const std::string& name() const { return path_; }

private:
    static std::string path() {
        return (std::filesystem::temp_directory_path() / fmt::format("pefsim_fuzz_{}.trace", ::getpid()))
            .string();
    }
    std::string path_;
};

/// The work that a trace causes is bounded by its records: a step for each at most, and so many characters for a step.
std::optional<std::string> judge(std::size_t records, const std::string& text) {
    const auto lines = static_cast<std::size_t>(std::ranges::count(text, '\n'));
    if (lines > 2 * records) {
        return fmt::format("{} lines of {} records", lines, records);
    }
    std::istringstream in(text);
    for (std::string line; std::getline(in, line);) {
        if (line.size() > longest_line) {
            return fmt::format("a line of {} characters: {}", line.size(), line.substr(0, longest_line));
        }
    }
    return {};
}

}  // namespace

std::optional<std::string> play_trace(random_bits& random, const std::vector<std::string>& corpus,
                                      reached& so_far) {
    const std::vector<trace_record> records = make_records(random, corpus);
    trace_reader in_memory(records);
    const std::string text = rendered(in_memory);
    if (auto wrong = judge(records.size(), text)) {
        return wrong;
    }
    so_far.steps += static_cast<std::uint64_t>(std::ranges::count(text, '\n'));
    trace_reader in_part(records);
    if (auto wrong = judge(records.size(), rendered(in_part, any_window(random)))) {
        return wrong;
    }

    trace_header header{.core = static_cast<std::uint32_t>(random())};
    const auto bytes_of = [](const auto* first, std::size_t count) {
        return std::string(reinterpret_cast<const char*>(first), count * sizeof *first);
    };
    std::string bytes = bytes_of(&header, 1) + bytes_of(records.data(), records.size());
    const bool whole = below(random, 2) == 0;
    if (!whole) {
        for (std::uint64_t flips = below(random, 8); flips-- > 0;) {
            bytes[below(random, bytes.size())] ^= static_cast<char>(1U << below(random, 8));
        }
        bytes.resize(below(random, bytes.size() + 1));
    }
    // The number of the core is the header's only field that may be anything.
    const std::size_t fixed = offsetof(trace_header, core);
    const bool readable = bytes.size() >= sizeof header &&
                          bytes.compare(0, fixed, bytes_of(&header, 1), 0, fixed) == 0;
    const scratch_file file(bytes);
    try {
        trace_reader from_file(file.name());
        const std::string other = rendered(from_file);
        if (!readable) {
            return "a file without a header was read";
        }
        if (whole && (other != text || from_file.core() != header.core)) {
            return "the file tells something else than the records in memory";
        }
        return judge(records.size(), other);
    } catch (const std::invalid_argument& refusal) {
        const std::string_view why = refusal.what();
        return !readable && why.starts_with(file.name()) && why.find('\n') == std::string_view::npos
                   ? std::nullopt
                   : std::optional(fmt::format("refused: {}", why));
    }
}

}  // namespace pefsim::fuzz
