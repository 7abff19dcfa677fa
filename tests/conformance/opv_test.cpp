// SPDX-License-Identifier: Apache-2.0
#include "tests/conformance/opv_test.h"

#include <fmt/format.h>

#include <charconv>
#include <optional>
#include <stdexcept>
#include <string_view>

namespace pefsim::opv {
namespace {

std::vector<std::string_view> words_of(std::string_view line) {
    std::vector<std::string_view> words;
    constexpr std::string_view blanks = " \t\r";
    for (std::size_t at = line.find_first_not_of(blanks); at != std::string_view::npos;) {
        const std::size_t end = std::min(line.find_first_of(blanks, at), line.size());
        words.push_back(line.substr(at, end - at));
        at = line.find_first_not_of(blanks, end);
    }
    return words;
}

std::optional<std::uint64_t> hexadecimal(std::string_view digits) {
    std::uint64_t value = 0;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value, 16);
    const bool all = error == std::errc{} && end == digits.data() + digits.size();
    return all && !digits.empty() ? std::optional(value) : std::nullopt;
}

/// The number behind `key` in a comment, such as EA=000000000002F100.
std::optional<std::uint64_t> named(std::string_view comment, std::string_view key) {
    for (std::size_t at = comment.find(key); at != std::string_view::npos; at = comment.find(key, at + 1)) {
        if (at == 0 || comment[at - 1] == ' ') {
            const std::string_view rest = comment.substr(at + key.size());
            return hexadecimal(rest.substr(0, rest.find_first_of(" \t\r,")));
        }
    }
    return std::nullopt;
}

class reader {
public:
    explicit reader(std::istream& text) : text_(text) {}

    std::vector<test> read() {
        for (std::string line; std::getline(text_, line);) {
            ++line_;
            take(line);
        }
        if (inside_) {
            fail("a test without END_OF_TEST");
        }
        return std::move(tests_);
    }

private:
    enum class section : std::uint8_t { other, initial, reads, writes, results };

    [[noreturn]] void fail(std::string_view what) const {
        throw std::runtime_error(fmt::format("line {}: {}", line_, what));
    }
    std::uint64_t number(std::string_view digits) const {
        const std::optional<std::uint64_t> value = hexadecimal(digits);
        if (!value) {
            fail(fmt::format("not a hexadecimal number: {}", digits));
        }
        return *value;
    }
    std::vector<std::uint8_t> bytes(std::string_view digits) const {
        if (digits.size() % 2 != 0) {
            fail(fmt::format("not a number of bytes: {}", digits));
        }
        std::vector<std::uint8_t> all;
        for (std::size_t i = 0; i < digits.size(); i += 2) {
            all.push_back(static_cast<std::uint8_t>(number(digits.substr(i, 2))));
        }
        return all;
    }

    void take(std::string_view line) {
        const std::vector<std::string_view> words = words_of(line);
        if (words.empty()) {
            return;
        }
        const std::string_view kind = words[0];
        if (kind == "TEST") {
            if (words.size() < 2 || inside_) {
                fail("TEST without a name, or inside a test");
            }
            tests_.push_back({.name = std::string(words[1])});
            inside_ = true;
            section_ = section::initial;
        } else if (!inside_) {
            if (!kind.starts_with('*')) {
                fail("not an OPV test file");
            }
        } else if (kind == "END_OF_TEST") {
            inside_ = false;
        } else if (kind == "INITIALIZATIONS:") {
            section_ = section::initial;
        } else if (kind == "RESULTS:") {
            section_ = section::results;
        } else if (kind == "TRACE" && words.size() > 1) {
            section_ = words[1] == "WRITES" ? section::writes : section::reads;
        } else if (kind == "R") {
            take_register(words);
        } else if (kind == "D") {
            take_storage(line, words);
        } else if (kind == "I") {
            take_instruction(line, words);
        } else if (kind == "*") {
            place(named(line, "EA="), named(line, "RA="));
        }
    }

    void take_register(const std::vector<std::string_view>& words) {
        if (words.size() < 3) {
            fail("a register without a value");
        }
        register_value value{.name = std::string(words[1]), .line = line_};
        for (std::string_view digits = words[2]; !digits.empty();) {
            const std::size_t first = (digits.size() - 1) % 16 + 1;
            value.words.push_back(number(digits.substr(0, first)));
            digits.remove_prefix(first);
        }
        test& current = tests_.back();
        if (section_ == section::initial) {
            current.registers.push_back(std::move(value));
        } else if (section_ == section::results) {
            current.final_registers.push_back(std::move(value));
        } else if (section_ == section::writes && !current.steps.empty()) {
            current.steps.back().writes.push_back(std::move(value));
        }
    }

    void take_storage(std::string_view line, const std::vector<std::string_view>& words) {
        if (words.size() < 3) {
            fail("storage without a content");
        }
        storage_value value{.real = number(words[1]), .bytes = bytes(words[2]), .line = line_};
        place(named(line, "EA="), value.real);
        test& current = tests_.back();
        if (section_ == section::initial) {
            current.storage.push_back(std::move(value));
        } else if (section_ == section::results) {
            current.final_storage.push_back(std::move(value));
        } else if (section_ == section::writes && !current.steps.empty()) {
            current.steps.back().stores.push_back(std::move(value));
        }
    }

    void take_instruction(std::string_view line, const std::vector<std::string_view>& words) {
        if (words.size() < 3) {
            fail("an instruction without a word");
        }
        step next{.real = number(words[1]), .bytes = bytes(words[2]), .line = line_};
        next.ea = named(line, "EA=").value_or(next.real);
        place(next.ea, next.real);
        for (std::size_t i = 3; i < words.size(); ++i) {
            if (words[i].starts_with("INum:")) {
                break;
            }
            if (words[i] != "*" && words[i].find('=') == std::string_view::npos) {
                next.text += (next.text.empty() ? "" : " ") + std::string(words[i]);
            }
        }
        next.last = next.text == "notrace";
        tests_.back().steps.push_back(std::move(next));
        section_ = section::reads;
    }

    void place(std::optional<std::uint64_t> ea, std::optional<std::uint64_t> real) {
        if (ea && real && *ea % 4096 == *real % 4096) {
            tests_.back().placements.push_back({*ea & ~std::uint64_t{4095}, *real & ~std::uint64_t{4095}});
        }
    }

    std::istream& text_;
    std::vector<test> tests_;
    std::size_t line_ = 0;
    bool inside_ = false;
    section section_ = section::other;
};

}  // namespace

std::vector<test> read_tests(std::istream& text) { return reader(text).read(); }

}  // namespace pefsim::opv
