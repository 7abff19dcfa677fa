// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <memory>
#include <stdexcept>
#include <thread>

#include "power/debug/core_debugger.h"
#include "power/debug/gdb_server.h"
#include "tests/fuzz/debug_case.h"
#include "tests/power/debug_machine.h"

namespace pefsim::fuzz {
namespace {

using namespace power::debug;  // NOLINT(google-build-using-namespace): what is fuzzed

constexpr std::size_t cores = 2;
constexpr std::int64_t quantum = 200;           // instructions
constexpr std::size_t longest_stream = 60'000;  // bytes: what a socket keeps before anybody reads
constexpr std::uint64_t longest_request = gdb::longest_packet;  // bytes of storage, for a packet

/// A target between the server and the real one, which counts what the server asks for and sees that it may.
class counted_target final : public debug_target {
public:
    explicit counted_target(core_debugger& real) : real_(real) {}

    std::uint64_t requests = 0;
    std::uint64_t bytes = 0;
    bool points_left = false;
    std::string wrong{};

    [[nodiscard]] std::size_t cores() const override { return real_.cores(); }
    [[nodiscard]] std::string describe(std::size_t core) const override { return real_.describe(core); }
    power::registers& state(std::size_t core) override {
        ++requests;
        return real_.state(core);
    }
    power::core& engine(std::size_t core) override {
        ++requests;
        return real_.engine(core);
    }
    void state_changed(std::size_t core) override { real_.state_changed(core); }
    std::size_t read(std::size_t core, std::uint64_t ea, std::span<std::byte> to) override {
        asked_for(to.size());
        return real_.read(core, ea, to);
    }
    std::size_t write(std::size_t core, std::uint64_t ea, std::span<const std::byte> from) override {
        asked_for(from.size());
        return real_.write(core, ea, from);
    }
    void add_breakpoint(std::uint64_t ea) override {
        point();
        real_.add_breakpoint(ea);
    }
    void remove_breakpoint(std::uint64_t ea) override { real_.remove_breakpoint(ea); }
    void add_watchpoint(const watchpoint& what) override {
        point();
        expect(what.where.first <= what.where.last, "a watchpoint that ends before it begins");
        real_.add_watchpoint(what);
    }
    void remove_watchpoint(const watchpoint& what) override { real_.remove_watchpoint(what); }
    void remove_all_points() override {
        points_left = false;
        real_.remove_all_points();
    }
    void resume(std::span<const resume_action> actions) override {
        ++requests;
        expect(actions.size() == cores(), "actions for another number of cores");
        real_.resume(actions);
    }
    void halt() override { real_.halt(); }
    [[nodiscard]] std::optional<stop_event> stopped() const override { return real_.stopped(); }
    void kill() override { real_.kill(); }

private:
    void expect(bool holds, const char* otherwise) {
        if (!holds) {
            wrong = otherwise;
        }
    }
    void asked_for(std::size_t size) {
        ++requests;
        bytes += size;
        expect(size <= longest_request, "more storage at once than a packet may ask for");
    }
    void point() {
        ++requests;
        points_left = true;
    }

    core_debugger& real_;
};

/// A line of the corpus with its arguments.
std::string packet_of(random_bits& random, const std::string& line) {
    std::string packet;
    for (const char c : line) {
        if (c == '@') {
            packet += fmt::format("{:x}", odd_number(random));
        } else if (c == '%') {
            for (std::uint64_t digits = below(random, 12) == 0 ? below(random, 6000) : below(random, 40);
                 digits-- > 0;) {
                packet += fmt::format("{:x}", below(random, 16));
            }
        } else {
            packet += c;
        }
    }
    for (std::uint64_t edits = below(random, 3) == 0 ? 1 + below(random, 3) : 0;
         edits-- > 0 && !packet.empty();) {
        const std::size_t at = below(random, packet.size());
        switch (below(random, 3)) {
        case 0:
            packet[at] = static_cast<char>(random());
            break;
        case 1:
            packet.erase(at, 1 + below(random, 4));
            break;
        default:
            packet.insert(at, fmt::format("{:x}", odd_number(random)));
            break;
        }
    }
    return packet;
}

/// What is sent, all of it, before the server begins: so a case is the same whenever it is played.
std::string make_stream(random_bits& random, const std::vector<std::string>& corpus) {
    std::string stream;
    for (std::uint64_t pieces = 1 + below(random, 60); pieces-- > 0;) {
        std::string packet = gdb::framed(packet_of(random, one_of(random, corpus)));
        switch (below(random, 16)) {
        case 0:  // half of it
            packet.resize(below(random, packet.size()));
            break;
        case 1:  // garbage
            for (std::uint64_t n = below(random, 50); n-- > 0;) {
                packet += static_cast<char>(random());
            }
            break;
        case 2:
            packet += one_of(random,
                             std::array{"\x03", "-", "+", "-----", "$", "#", "}", "$#00", "$}#", "$$$"});
            break;
        case 3:  // a wrong checksum
            packet.back() = static_cast<char>(random());
            break;
        case 4:
            if (below(random, 8) == 0) {  // longer than any may be
                packet = gdb::framed(packet.substr(0, 5) +
                                     std::string(gdb::longest_packet + below(random, 3) - 1, '0'));
            }
            break;
        default:
            break;
        }
        if (stream.size() + packet.size() > longest_stream) {
            break;
        }
        stream += packet;
    }
    return stream;
}

/// A connection whose other end has sent `stream` and has gone, but takes what it gets.
class one_sided_connection {
public:
    explicit one_sided_connection(const std::string& stream) {
        std::array<int, 2> ends{};
        if (::socketpair(AF_UNIX, SOCK_STREAM, 0, ends.data()) != 0 ||
            ::send(ends[1], stream.data(), stream.size(), MSG_DONTWAIT) !=
                static_cast<ssize_t>(stream.size()) ||
            ::shutdown(ends[1], SHUT_WR) != 0) {
            throw std::runtime_error("no socket pair that takes a case");
        }
        channel = std::make_unique<byte_channel>(ends[0]);
        reader_ = std::thread([this, end = ends[1]] {
            std::array<char, 65'536> part;
            for (ssize_t got = 0; (got = ::recv(end, part.data(), part.size(), 0)) != 0;) {
                if (got < 0 && errno != EINTR) {
                    break;
                }
                received_.append(part.data(), static_cast<std::size_t>(std::max<ssize_t>(got, 0)));
            }
            ::close(end);
        });
    }
    ~one_sided_connection() {
        channel.reset();
        if (reader_.joinable()) {
            reader_.join();
        }
    }
    one_sided_connection(const one_sided_connection&) = delete;
    one_sided_connection& operator=(const one_sided_connection&) = delete;

    std::unique_ptr<byte_channel> channel;
    /// All that was received; the connection is closed.
    const std::string& received() {
        channel.reset();
        reader_.join();
        return received_;
    }

private:
    std::string received_;
    std::thread reader_;
};

/// What the server has sent is acknowledgements and whole packets with the right checksums, and nothing else.
std::optional<std::string> judge(const std::string& sent, reached& so_far) {
    gdb::packet_parser parser;
    std::size_t of_packets = 0;
    std::size_t acknowledgements = 0;
    for (const char each : sent) {
        const std::optional<gdb::arrival> what = parser.put(each);
        if (!what) {
            continue;
        }
        switch (what->what) {
        case gdb::arrival::kind::packet:
            ++so_far.answers;
            of_packets += gdb::framed(what->data).size();
            so_far.stops += what->data.starts_with('T') ? 1 : 0;
            break;
        case gdb::arrival::kind::ack:
        case gdb::arrival::kind::nack:
            ++acknowledgements;
            break;
        default:
            return "the server sent what is no packet";
        }
    }
    return of_packets + acknowledgements == sent.size()
               ? std::nullopt
               : std::optional(std::string("the server sent bytes outside of packets"));
}

}  // namespace

std::optional<std::string> play_gdb(random_bits& random, const std::vector<std::string>& corpus,
                                    reached& so_far) {
    debug_machine machine(cores);
    core_debugger debugger;
    for (std::size_t n = 0; n < cores; ++n) {
        sums::put(machine, n, sums::data + 0x100 * n);
        debugger.add(machine.core(n), machine.addresses(), machine.storage());
    }
    const std::string stream = make_stream(random, corpus);
    one_sided_connection connection(stream);
    counted_target target(debugger);
    gdb_server server(target, *connection.channel,
                      below(random, 2) == 0 ? gdb::byte_order::little : gdb::byte_order::big);
    std::size_t turns = 0;
    while (server.serve()) {
        if (++turns > stream.size() + 2) {
            return fmt::format("{} turns for {} bytes", turns, stream.size());
        }
        for (std::size_t n = 0; n < cores; ++n) {
            if (debugger.may_run(n)) {
                const auto why = machine.core(n).run(quantum);
                debugger.ran(n, why);
                if (why == power::exit_reason::interrupt) {
                    debugger.signal(n, signal_of(machine.core(n).interrupt()));
                }
            }
        }
    }
    // The shortest packet has four bytes, and one of all registers asks for each of them twice.
    const std::uint64_t packets = stream.size() / 4 + 1;
    if (!target.wrong.empty()) {
        return target.wrong;
    }
    if (target.points_left) {
        return "gdb has gone, and its points are still there";
    }
    if (target.requests > packets * 2 * gdb::register_count || target.bytes > packets * longest_request) {
        return fmt::format("{} requests and {} bytes of storage for {} bytes", target.requests, target.bytes,
                           stream.size());
    }
    return judge(connection.received(), so_far);
}

}  // namespace pefsim::fuzz
