// SPDX-License-Identifier: Apache-2.0
#include "power/debug/gdb_server.h"
#include "power/debug/register_file.h"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <memory>
#include <random>
#include <span>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "debug_machine.h"
#include "power/debug/core_debugger.h"

namespace pefsim::power::debug {
namespace {

using namespace std::string_literals;

/// A machine of two cores with a GDB server, and the other end of its connection.
class gdb_of_sums : public ::testing::Test {
protected:
    static constexpr std::int64_t quantum = 1000;

    gdb_of_sums() {
        std::array<int, 2> ends{};
        EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM, 0, ends.data()), 0);
        const int size = 4 << 20;
        for (const int each : ends) {
            ::setsockopt(each, SOL_SOCKET, SO_SNDBUF, &size, sizeof size);
        }
        channel = std::make_unique<byte_channel>(ends[0]);
        gdb_end = ends[1];
        for (std::size_t n = 0; n < 2; ++n) {
            sums::put(machine, n, sums::data + 0x100 * n);
            debugger.add(machine.core(n), machine.addresses(), machine.storage());
        }
    }
    ~gdb_of_sums() override { ::close(gdb_end); }

    void send_raw(std::string_view bytes) const {
        while (!bytes.empty()) {
            const ssize_t put = ::send(gdb_end, bytes.data(), bytes.size(), MSG_DONTWAIT);
            ASSERT_GT(put, 0);
            bytes.remove_prefix(static_cast<std::size_t>(put));
        }
    }
    std::string received() const {
        std::string all;
        std::array<char, 65'536> part;
        ssize_t got = 0;
        while ((got = ::recv(gdb_end, part.data(), part.size(), MSG_DONTWAIT)) > 0) {
            all.append(part.data(), static_cast<std::size_t>(got));
        }
        return all;
    }
    /// Sends everything and "detach", and lets the machine run until the server has done it all.
    void session(const std::string& bytes) {
        send_raw(bytes + gdb::framed("D"));
        gdb_server server(debugger, *channel);
        while (server.serve()) {
            run_cores();
        }
    }
    void run_cores() {
        for (std::size_t n = 0; n < 2; ++n) {
            if (debugger.may_run(n)) {
                const exit_reason why = machine.core(n).run(quantum);
                debugger.ran(n, why);
                if (why == exit_reason::interrupt) {
                    debugger.signal(n, signal_of(machine.core(n).interrupt()));
                }
            }
        }
    }
    /// The answers to packets that are sent one after the other; each must be one that has an answer at once, or leads
    /// to a stop.
    std::vector<std::string> answers(const std::vector<std::string>& packets) {
        std::string all = gdb::framed("QStartNoAckMode");
        for (const std::string& each : packets) {
            all += gdb::framed(each);
        }
        session(all);
        std::vector<std::string> found;
        gdb::packet_parser parser;
        for (const char each : received()) {
            if (auto what = parser.put(each); what && what->what == gdb::arrival::kind::packet) {
                found.push_back(what->data);
            }
        }
        found.erase(found.begin());
        if (!debugger.killed()) {
            EXPECT_EQ(found.back(), "OK");  // of "D"
            found.pop_back();
        }
        return found;
    }

    debug_machine machine{2};
    core_debugger debugger;
    std::unique_ptr<byte_channel> channel;
    int gdb_end = -1;
};

using strings = std::vector<std::string>;

TEST_F(gdb_of_sums, introduces_itself) {
    const strings found = answers({"qSupported:multiprocess+", "?", "qAttached", "qC", "qfThreadInfo",
                                   "qsThreadInfo", "T1", "T2", "T3", "vCont?", "vMustReplyEmpty", "nonsense",
                                   ""});
    ASSERT_EQ(found.size(), 13U);
    EXPECT_NE(found[0].find("qXfer:features:read+"), std::string::npos);
    EXPECT_EQ(strings(found.begin() + 1, found.end()),
              (strings{"T02thread:1;core:0;", "1", "QC1", "m1,2", "l", "OK", "OK", "E16", "vCont;c;C;s;S", "",
                       "", ""}));
}

TEST_F(gdb_of_sums, target_description_can_be_read_in_parts) {
    const strings found = answers(
        {"qXfer:features:read:target.xml:0,100", "qXfer:features:read:target.xml:100,ffffff",
         "qXfer:features:read:target.xml:fffffff,10", "qXfer:features:read:other.xml:0,10",
         "qXfer:features:read:target.xml:x", "qXfer:features:read:target.xml:0"});
    ASSERT_EQ(found.size(), 6U);
    EXPECT_EQ(found[0], "m" + gdb::target_description().substr(0, 0x100));
    EXPECT_EQ(found[1].substr(1, 20), gdb::target_description().substr(0x100, 20));
    EXPECT_EQ((strings{found.begin() + 2, found.end()}), (strings{"l", "", "E16", "E16"}));
}

TEST_F(gdb_of_sums, runs_to_breakpoints) {
    const strings found = answers(
        {"Z0,1014,4", "vCont;c:1", "p3", "p40", "c", "p3", "z0,1014,4", "vCont;s:1", "p40"});
    EXPECT_EQ(found, (strings{"OK", "T05thread:1;core:0;", "0700000000000000", "1410000000000000",
                              "T05thread:1;core:0;", "0e00000000000000", "OK", "T05thread:1;core:0;",
                              "1810000000000000"}));
}

TEST_F(gdb_of_sums, one_core_steps_while_the_other_stays) {
    const strings found = answers({"vCont;s:2", "Hg1", "p40", "Hg2", "p40", "s", "p40"});
    EXPECT_EQ(found, (strings{"T05thread:2;core:1;", "OK", "0010000000000000", "OK", "0410000000000000",
                              "T05thread:2;core:1;", "0810000000000000"}));
}

TEST_F(gdb_of_sums, watchpoints_name_the_address) {
    const strings found = answers({"Z2,8000,8", "vCont;c:1", "p40", "z2,8000,8", "Z3,8004,1", "vCont;c:1",
                                   "p40", "z3,8004,1", "Z4,8000,8", "vCont;c:1", "p40"});
    EXPECT_EQ(found, (strings{"OK", "T05thread:1;core:0;watch:8000;", "1010000000000000", "OK", "OK",
                              "T05thread:1;core:0;rwatch:8004;", "1410000000000000", "OK", "OK",
                              "T05thread:1;core:0;awatch:8000;", "1010000000000000"}));
}

TEST_F(gdb_of_sums, memory) {
    const strings found = answers({"m1000,8", "M9000,4:01020304", "m9000,4", "X9004,3:a#c", "m9000,8",
                                   "m100000,4", "mffffe,8", "M100000,1:00", "M9000,2:00", "M9000,1:0g",
                                   "m9000", "m9000,0", "X9008,0:"});
    EXPECT_EQ(found, (strings{"00006038"
                              "05008038",
                              "OK", "01020304", "OK",
                              "0102030461"
                              "2363"
                              "00",
                              "E0e", "0000", "E0e", "E16", "E16", "E16", "", "OK"}));
}

TEST_F(gdb_of_sums, writing_code_is_seen) {
    const strings found = answers(
        {"Z0,101c,4", "vCont;c:1", "p3", "M100c,4:64006338", "P40=0010000000000000", "vCont;c:1", "p3"});
    EXPECT_EQ(found.back(), "f401000000000000");  // 5 * 100
}

TEST_F(gdb_of_sums, every_register_is_written_and_read_back) {
    strings packets;
    strings expected;
    for (std::size_t n = 0; n < gdb::register_count; ++n) {
        const std::size_t size = gdb::register_size(n);
        ASSERT_NE(size, 0U) << n;
        std::string value;
        for (std::size_t i = 0; i < size; ++i) {
            value += fmt::format("{:02x}", n == 64 ? i * 4 : (n + i * 7 + 1) % 256);
        }
        packets.push_back(fmt::format("P{:x}={}", n, value));
        packets.push_back(fmt::format("p{:x}", n));
        expected.emplace_back("OK");
        expected.push_back(n == 71 || n == 72 ? std::string(16, '0') : value);
    }
    packets.emplace_back("P400=00");
    packets.emplace_back("p400");
    packets.emplace_back("P0=00");
    expected.insert(expected.end(), {"E16", "E16", "E16"});
    packets.emplace_back("g");
    strings found = answers(packets);
    std::string all;
    for (std::size_t n = 0; n < gdb::register_count; ++n) {
        all += expected[2 * n + 1];
    }
    expected.push_back(all);
    EXPECT_EQ(found, expected);
}

/// The number that the target description gives a register.
std::string number_of(std::string_view name) {
    const std::string& text = gdb::target_description();
    const std::size_t at = text.find(fmt::format("<reg name=\"{}\"", name));
    const std::size_t begin = text.find("regnum=\"", at) + 8;
    return at == std::string::npos ? "" : fmt::format("{:x}", std::stoul(text.substr(begin)));
}

TEST_F(gdb_of_sums, special_purpose_registers_have_names) {
    std::size_t others = 0;
    for (const single_register& each : single_registers()) {
        const bool behind = each.name != "nip" &&
                            std::stoul("0" + number_of(each.name), nullptr, 16) >= gdb::register_count;
        EXPECT_TRUE(each.name == "nip" || !number_of(each.name).empty()) << each.name;
        others += behind ? 1 : 0;
    }
    EXPECT_GT(others, 60U);
    EXPECT_EQ(gdb::register_size(gdb::register_count + others - 1) % 4, 0U);
    EXPECT_EQ(gdb::register_size(gdb::register_count + others), 0U);
    const std::string sprg3 = number_of("sprg3");
    const std::string pvr = number_of("pvr");
    const std::string dsisr = number_of("dsisr");
    EXPECT_EQ(answers({"P" + sprg3 + "=8877665544332211", "p" + sprg3, "p" + pvr,
                       "P" + pvr + "=0000000000000000", "P" + dsisr + "=00000040", "p" + dsisr}),
              (strings{"OK", "8877665544332211", "02124e00", "E16", "OK", "00000040"}));
    EXPECT_EQ(machine.core().state[spr::sprg3], 0x1122'3344'5566'7788U);
}

TEST_F(gdb_of_sums, commands_to_the_target) {
    const std::string hello = "qRcmd," + gdb::to_hex(std::as_bytes(std::span("hello", 5)));
    EXPECT_EQ(answers({hello}), (strings{""})) << "there are none";
}

TEST_F(gdb_of_sums, commands_to_the_target_from_the_chosen_thread) {
    std::string said;
    debugger.serve_commands([&said](std::size_t core, std::string_view words) {
        said += fmt::format("{}:{};", core, words);
        return words == "long"      ? std::string(100'000, 'x')
               : words == "nothing" ? std::string()
                                    : std::string("yes\n");
    });
    const auto command = [](std::string_view words) {
        return "qRcmd," + gdb::to_hex(std::as_bytes(std::span(words)));
    };
    const strings found = answers(
        {command("a b"), "Hg2", command("nothing"), "qRcmd,x", "qRcmd,", command("long")});
    EXPECT_EQ(said, "0:a b;1:nothing;1:;1:long;");
    ASSERT_GT(found.size(), 8U);
    EXPECT_EQ(strings(found.begin(), found.begin() + 7),
              (strings{"O7965730a", "OK", "OK", "OK", "E16", "O7965730a", "OK"}));
    std::string text;
    for (std::size_t n = 7; n + 1 < found.size(); ++n) {
        EXPECT_EQ(found[n].front(), 'O');
        EXPECT_LE(found[n].size(), gdb::longest_packet);
        text += found[n].substr(1);
    }
    EXPECT_EQ(text.size(), 200'000U);
    EXPECT_EQ(found.back(), "OK");
}

TEST_F(gdb_of_sums, all_registers_at_once) {
    std::string all;
    for (std::size_t n = 0; n < gdb::register_count; ++n) {
        all += std::string(2 * gdb::register_size(n), n == 71 || n == 72 ? '0' : '4');
    }
    EXPECT_EQ(answers({"G" + all, "g", "Gxx", "G00"}), (strings{"OK", all, "E16", "OK"}));
    EXPECT_EQ(machine.core().state.vsr[0].high, 0x4444'4444'4444'4444U);
    EXPECT_EQ(machine.core().state.vsr[63].low, 0x4444'4444'4444'4444U);
}

TEST_F(gdb_of_sums, big_endian_registers) {
    machine.core().state.gpr[3] = 0x0102'0304'0506'0708;
    EXPECT_EQ(gdb::to_hex(gdb::read_register(machine.core(), 3, gdb::byte_order::big)), "0102030405060708");
    EXPECT_EQ(gdb::to_hex(gdb::read_register(machine.core(), 3, gdb::byte_order::little)),
              "0807060504030201");
}

TEST_F(gdb_of_sums, running_target_is_interrupted) {
    gdb_server server(debugger, *channel);
    send_raw(gdb::framed("vCont;c"));
    for (int i = 0; i < 20; ++i) {
        ASSERT_TRUE(server.serve());
        run_cores();
    }
    EXPECT_EQ(received(), "+");
    send_raw("\x03");
    send_raw(gdb::framed("p40") + gdb::framed("D"));
    while (server.serve()) {
        run_cores();
    }
    const std::string found = received();
    EXPECT_NE(found.find(gdb::framed("T02thread:1;core:0;")), std::string::npos) << found;
    EXPECT_NE(found.find(gdb::framed("1c10000000000000")), std::string::npos) << found;
    EXPECT_TRUE(debugger.may_run(0));  // detached: it runs on
    EXPECT_TRUE(debugger.may_run(1));
}

TEST_F(gdb_of_sums, kill_is_told) {
    EXPECT_FALSE(debugger.killed());
    answers({"k"});
    EXPECT_TRUE(debugger.killed());
}

TEST_F(gdb_of_sums, end_and_signals_are_told) {
    gdb_server server(debugger, *channel);
    send_raw(gdb::framed("c"));
    ASSERT_TRUE(server.serve());
    debugger.signal(1, debug_signal::segv);
    send_raw(gdb::framed("c"));
    ASSERT_TRUE(server.serve());
    debugger.ended(3);
    send_raw(gdb::framed("c") + gdb::framed("k"));
    EXPECT_FALSE(server.serve());
    const std::string found = received();
    const std::size_t fault = found.find(gdb::framed("T0bthread:2;core:1;"));
    const std::size_t end = found.find(gdb::framed("W03"));
    ASSERT_NE(fault, std::string::npos) << found;
    ASSERT_NE(end, std::string::npos) << found;
    EXPECT_LT(fault, end);
    EXPECT_NE(found.rfind(gdb::framed("W03")), end);  // it cannot be resumed
}

TEST_F(gdb_of_sums, wrong_checksum_is_asked_for_again) {
    session("$qC#00$qC#b4-");
    const std::string found = received();
    EXPECT_EQ(found.front(), '-');
    const std::size_t first = found.find(gdb::framed("QC1"));
    ASSERT_NE(first, std::string::npos) << found;
    EXPECT_NE(found.find(gdb::framed("QC1"), first + 1), std::string::npos)
        << "what is not acknowledged is repeated";
}

TEST_F(gdb_of_sums, bad_packets) {
    const std::string long_one = gdb::framed("m" + std::string(100'000, '0'));
    session("garbage\n$$$#zz$" + std::string(70'000, 'x') + long_one + "$}" + gdb::framed("qC") + "$m1000,4");
    const std::string found = received();
    EXPECT_NE(found.find(gdb::framed("QC1")), std::string::npos) << found;
    EXPECT_NE(found.find(gdb::framed("")), std::string::npos);
}

TEST_F(gdb_of_sums, malformed_commands_get_errors) {
    strings packets = {"m",
                       "m,",
                       "mx,4",
                       "m1000,",
                       "m11112222333344445,4",
                       "M",
                       "M1000,4",
                       "X1000",
                       "Z",
                       "Z0",
                       "Z0,1000",
                       "Z2,1000,0",
                       "Z2,ffffffffffffffff,8",
                       "Z2,0,1001",
                       "z",
                       "H",
                       "Hx1",
                       "Hg9",
                       "Hgx",
                       "T",
                       "T0",
                       "p",
                       "pzz",
                       "pffff",
                       "P",
                       "P1",
                       "P1=",
                       "P1=12345",
                       "vCont",
                       "vCont;",
                       "vCont;x",
                       "vCont;c:9",
                       "vCont;C",
                       "vCont;c:1x",
                       "cxyz",
                       "Cxx",
                       "s1000,",
                       "qThreadExtraInfo,77",
                       "qThreadExtraInfo,"};
    const strings found = answers(packets);
    ASSERT_EQ(found.size(), packets.size());
    for (std::size_t i = 0; i < packets.size(); ++i) {
        EXPECT_EQ(found[i], "E16") << packets[i];
    }
}

TEST_F(gdb_of_sums, unknown_commands_get_the_empty_answer) {
    const strings packets = {
        "Z5,0,4", "b", "R", "!", "qSymbol::", "vFile:open:", "QNonStop:1", "\x80\xff", "qRcmd,00"};
    const strings found = answers(packets);
    EXPECT_EQ(found, strings(packets.size()));
}

/// Random bytes, and packets that are nearly right.
class gdb_fuzz : public gdb_of_sums, public ::testing::WithParamInterface<unsigned> {
protected:
    std::size_t below(std::size_t limit) { return generator() % limit; }

    std::string piece() {
        static const std::array words = {"qSupported"s, "?"s,    "g"s,    "G"s,
                                         "p"s,          "P"s,    "m"s,    "M"s,
                                         "X"s,          "Z0,"s,  "Z1,"s,  "Z2,"s,
                                         "Z3,"s,        "Z4,"s,  "z0,"s,  "z2,"s,
                                         "vCont"s,      ";c"s,   ";s:1"s, ";C05"s,
                                         ":"s,          "="s,    ","s,    "1000"s,
                                         "8000"s,       "1010"s, "4"s,    "8"s,
                                         "ffff"s,       "T1"s,   "Hg1"s,  "qfThreadInfo"s,
                                         "s"s,          "c"s,    "0"s,    "qXfer:features:read:target.xml:"s,
                                         "}"s,          "*"s,    "\x03"s, "-"s,
                                         "vCont?"s};
        return words[below(words.size())];
    }
    std::string packet() {
        std::string data;
        for (std::size_t n = below(7); n > 0; --n) {
            data += below(12) == 0 ? std::string(below(40), static_cast<char>(generator())) : piece();
        }
        std::string whole = gdb::framed(data);
        switch (below(8)) {
        case 0:
            whole[below(whole.size())] = static_cast<char>(generator());
            break;
        case 1:
            whole.resize(below(whole.size()));
            break;
        case 2:
            whole.insert(below(whole.size()), piece());
            break;
        default:
            break;
        }
        return whole;
    }

    std::mt19937 generator{GetParam()};
};

TEST_P(gdb_fuzz, server_survives) {
    std::atomic<bool> over = false;
    std::thread gdb([&] {
        const auto put = [&](const std::string& bytes) {
            std::string_view left = bytes;
            while (!left.empty() && !over) {
                const ssize_t sent = ::send(gdb_end, left.data(), left.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
                left.remove_prefix(sent > 0 ? static_cast<std::size_t>(sent) : 0);
                received();  // so that the server can write
            }
        };
        for (int round = 0; round < 5000 && !over; ++round) {
            put(packet() + "\x03");
        }
        while (!over) {  // it is still of use: it stops and lets go
            put("#00\x03" + gdb::framed("D"));
            std::this_thread::sleep_for(std::chrono::milliseconds(1));
        }
    });
    gdb_server server(debugger, *channel);
    while (server.serve()) {
        run_cores();
    }
    over = true;
    gdb.join();
    EXPECT_TRUE(channel->open());
    EXPECT_TRUE(debugger.may_run(0) || debugger.killed());
}

INSTANTIATE_TEST_SUITE_P(seeds, gdb_fuzz, ::testing::Range(1U, 9U));

}  // namespace
}  // namespace pefsim::power::debug
