// SPDX-License-Identifier: Apache-2.0
//
// Value Change Dump, IEEE 1364-2005 clause 18, with the `string` variables that GTKWave and the FST tools
// read.
#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstring>
#include <fmt/format.h>
#include <string_view>

#include "output/whole_file.h"
#include "trace/binary_digits.h"
#include "trace/recorder.h"
#include "trace/signal_hierarchy.h"
#include "trace/waveform_writer.h"

namespace pefsim::trace {

namespace {

constexpr std::size_t buffer_size = std::size_t{1} << 20;

/// A file behind a buffer.
class buffered_file {
public:
    explicit buffered_file(const std::filesystem::path& file)
        : file_("trace file", file),
          buffer_(buffer_size) {}

    /// Room for `size` bytes, at most 4 KiB; advance() says how much was used.
    char* room(std::size_t size) {
        if (buffer_.size() - used_ < size) {
            flush();
        }
        return buffer_.data() + used_;
    }
    void advance(const char* end) { used_ = static_cast<std::size_t>(end - buffer_.data()); }

    void write(std::string_view text) {
        while (!text.empty()) {
            const std::size_t part = std::min(text.size(), buffer_.size() - used_);
            std::memcpy(buffer_.data() + used_, text.data(), part);
            used_ += part;
            text.remove_prefix(part);
            if (used_ == buffer_.size()) {
                flush();
            }
        }
    }

    void close() {
        flush();
        file_.commit();
    }

private:
    void flush() {
        file_.write(std::string_view(buffer_.data(), used_));
        used_ = 0;
    }

    output::whole_file file_;
    std::vector<char> buffer_;
    std::size_t used_ = 0;
};

/// `to` in binary without leading zeros; up to 64 characters.
char* put_binary(char* to, std::uint64_t value) {
    const unsigned width = value == 0 ? 1 : static_cast<unsigned>(std::bit_width(value));
    const binary_digits digits(value, width);
    std::memcpy(to, digits.last(width), width);
    return to + width;
}

char* put_decimal(char* to, std::uint64_t value) {
    const fmt::format_int digits(value);
    std::memcpy(to, digits.data(), digits.size());
    return to + digits.size();
}

bool needs_escape(char c) { return c <= ' ' || c > '~' || c == '\'' || c == '"' || c == '\\' || c == '?'; }

/// A string value as the readers take it: white space and what C escapes become escape sequences.
std::string escaped(std::string_view text) {
    std::string result;
    for (const char c : text) {
        if (!needs_escape(c)) {
            result += c;
        } else if (c > ' ' && c <= '~') {
            result += '\\';
            result += c;
        } else {
            result += fmt::format("\\{:03o}", static_cast<unsigned char>(c));
        }
    }
    return result;
}

/// Identifier codes: printable characters, the commonest case one of them.
std::string identifier(std::uint32_t id) {
    std::string code;
    do {
        code += static_cast<char>('!' + id % 94);
        id /= 94;
    } while (id-- != 0);
    return code;
}

/// Units of SystemC's time resolution as a VCD writes them: "1 ps", "10 ns".
std::string timescale() {
    constexpr std::array<std::string_view, 6> units{"fs", "ps", "ns", "us", "ms", "s"};
    auto femtoseconds = std::llround(sc_core::sc_get_time_resolution().to_seconds() * 1e15);
    std::size_t unit = 0;
    for (; femtoseconds >= 1000; femtoseconds /= 1000) {
        ++unit;
    }
    return fmt::format("{} {}", femtoseconds, units.at(unit));
}

class vcd_writer final : public waveform_writer {
public:
    vcd_writer(const std::filesystem::path& file, const std::vector<signal_declaration>& signals,
               const std::string& title)
        : file_(file) {
        for (std::uint32_t id = 0; id < signals.size(); ++id) {
            signals_.push_back({signals[id].type, identifier(id)});
        }
        file_.write("$version pefsim $end\n");
        if (!title.empty()) {
            file_.write(fmt::format("$comment {} $end\n", escaped_comment(title)));
        }
        file_.write(fmt::format("$timescale {} $end\n", timescale()));
        write_scope(hierarchy_of(signals), signals);
        file_.write("$enddefinitions $end\n");
    }

    void begin(std::uint64_t at, std::span<const signal_value> values) override {
        put_time(at);
        file_.write("$dumpvars\n");
        for (std::uint32_t id = 0; id < signals_.size(); ++id) {
            if (signals_[id].type != signal_type::event) {
                put_value(id, values[id]);
            }
        }
        file_.write("$end\n");
    }

    void changes(std::span<const value_change> these) override {
        for (const value_change& c : these) {
            if (c.time != now_) {
                put_time(c.time);
            }
            put_value(c.id, signals_[c.id].type == signal_type::text ? signal_value{0, c.characters()}
                                                                     : signal_value{c.number, {}});
        }
    }

    void end(std::uint64_t at) override {
        if (at != now_) {
            put_time(at);
        }
        file_.close();
    }

private:
    struct shown_signal {
        signal_type type;
        std::string code;
    };

    static std::string escaped_comment(std::string text) {
        for (char& c : text) {
            c = c < ' ' || c == '$' ? ' ' : c;
        }
        return text;
    }

    void write_scope(const hierarchy_node& node, const std::vector<signal_declaration>& signals) {
        if (!node.name.empty()) {
            file_.write(fmt::format("$scope module {} $end\n", node.name));
        }
        for (const std::uint32_t id : node.signals) {
            const signal_declaration& s = signals[id];
            const std::string_view kind = s.type == signal_type::text    ? "string"
                                          : s.type == signal_type::event ? "event"
                                                                         : "wire";
            const unsigned width = s.type == signal_type::text ? 1 : s.width;
            file_.write(fmt::format("$var {} {} {} {} $end\n", kind, width, signals_[id].code,
                                    waveform_name(s, " ")));
        }
        for (const hierarchy_node& module : node.modules) {
            write_scope(module, signals);
        }
        if (!node.name.empty()) {
            file_.write("$upscope $end\n");
        }
    }

    void put_time(std::uint64_t at) {
        now_ = at;
        char* to = file_.room(32);
        *to++ = '#';
        to = put_decimal(to, at);
        *to++ = '\n';
        file_.advance(to);
    }

    void put_value(std::uint32_t id, const signal_value& value) {
        const shown_signal& s = signals_[id];
        char* to = file_.room(128);
        switch (s.type) {
        case signal_type::bit:
        case signal_type::event:
            *to++ = static_cast<char>('0' + (value.number & 1));
            break;
        case signal_type::unsigned_integer:
        case signal_type::address:
            *to++ = 'b';
            to = put_binary(to, value.number);
            *to++ = ' ';
            break;
        case signal_type::text:
            *to++ = 's';
            file_.advance(to);
            if (std::ranges::any_of(value.text, needs_escape)) [[unlikely]] {
                file_.write(escaped(value.text));
            } else {
                file_.write(value.text);
            }
            to = file_.room(128);
            *to++ = ' ';
            break;
        }
        to = std::ranges::copy(s.code, to).out;
        *to++ = '\n';
        file_.advance(to);
    }

    buffered_file file_;
    std::vector<shown_signal> signals_;
    std::uint64_t now_ = 0;
};

}  // namespace

std::unique_ptr<waveform_writer> make_vcd_writer(const std::filesystem::path& file,
                                                 const std::vector<signal_declaration>& signals,
                                                 const std::string& title) {
    return std::make_unique<vcd_writer>(file, signals, title);
}

}  // namespace pefsim::trace
