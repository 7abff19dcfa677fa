// SPDX-License-Identifier: Apache-2.0
#include "tests/trace/vcd_reader.h"

#include <algorithm>
#include <stdexcept>

namespace pefsim::trace {

namespace {

class reader {
public:
    explicit reader(std::string_view text) : rest_(text) {}

    vcd_content read() {
        for (std::string_view word = next(); !word.empty(); word = next()) {
            if (word[0] == '$') {
                keyword(word);
            } else if (word[0] == '#') {
                time(word.substr(1));
            } else {
                value(word);
            }
        }
        result_.end = now_;
        return std::move(result_);
    }

private:
    [[noreturn]] static void fail(const std::string& what) { throw std::runtime_error("VCD: " + what); }

    std::string_view next() {
        constexpr std::string_view space = " \t\r\n";
        rest_.remove_prefix(std::min(rest_.find_first_not_of(space), rest_.size()));
        const std::string_view word = rest_.substr(0, rest_.find_first_of(space));
        rest_.remove_prefix(word.size());
        return word;
    }

    std::string to_end() {
        std::string words;
        for (std::string_view word = next(); word != "$end"; word = next()) {
            if (word.empty()) {
                fail("$end is missing");
            }
            words += word;
        }
        return words;
    }

    void keyword(std::string_view word) {
        if (word == "$timescale") {
            result_.timescale = to_end();
        } else if (word == "$scope") {
            next();
            scopes_.emplace_back(next());
            to_end();
        } else if (word == "$upscope") {
            if (scopes_.empty()) {
                fail("$upscope without $scope");
            }
            scopes_.pop_back();
            to_end();
        } else if (word == "$var") {
            declare();
        } else if (word != "$dumpvars" && word != "$end") {
            to_end();
        }
    }

    void declare() {
        vcd_content::variable variable;
        variable.type = next();
        variable.width = static_cast<unsigned>(std::stoul(std::string(next())));
        const std::string code(next());
        std::string name;
        for (const std::string& scope : scopes_) {
            name += scope + '.';
        }
        name += to_end();
        if (!names_.emplace(code, name).second || !result_.variables.emplace(name, variable).second) {
            fail("declared twice: " + name);
        }
    }

    void time(std::string_view digits) {
        const std::uint64_t at = std::stoull(std::string(digits));
        if (seen_time_ && at < now_) {
            fail("time goes backwards at " + std::string(digits));
        }
        if (!seen_time_) {
            result_.begin = at;
        }
        seen_time_ = true;
        now_ = at;
    }

    void value(std::string_view word) {
        std::string text;
        std::string code;
        if (word[0] == 'b' || word[0] == 's') {
            text = word.substr(1);
            code = next();
            if (word[0] == 'b') {
                text.erase(0, std::min(text.find_first_not_of('0'), text.size() - 1));
            }
        } else {
            text = word.substr(0, 1);
            code = word.substr(1);
        }
        const auto name = names_.find(code);
        if (name == names_.end()) {
            fail("value of an undeclared variable " + code);
        }
        if (text.find('x') == std::string::npos || word[0] == 's') {
            result_.variables[name->second].changes.push_back({now_, text});
        }
    }

    std::string_view rest_;
    vcd_content result_;
    std::vector<std::string> scopes_;
    std::map<std::string, std::string> names_;  // by identifier code
    std::uint64_t now_ = 0;
    bool seen_time_ = false;
};

}  // namespace

vcd_content read_vcd(std::string_view text) { return reader(text).read(); }

vcd_content settled(vcd_content content) {
    for (auto& [name, variable] : content.variables) {
        std::vector<vcd_content::change> kept;
        for (vcd_content::change& c : variable.changes) {
            if (!kept.empty() && kept.back().time == c.time) {
                kept.pop_back();
            }
            if (variable.type == "event" || kept.empty() || kept.back().value != c.value) {
                kept.push_back(std::move(c));
            }
        }
        variable.changes = std::move(kept);
    }
    return content;
}

}  // namespace pefsim::trace
