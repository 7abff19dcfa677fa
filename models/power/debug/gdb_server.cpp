// SPDX-License-Identifier: Apache-2.0
#include "power/debug/gdb_server.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>
#include <span>

namespace pefsim::power::debug {

using namespace gdb;  // NOLINT(google-build-using-namespace): its packets and registers are what this file is about

namespace {

constexpr std::string_view error = "E16";        // EINVAL
constexpr std::string_view bad_address = "E0e";  // EFAULT
constexpr std::string_view ok = "OK";
constexpr std::size_t longest_watch = 4096;  // bytes
constexpr std::size_t most_waiting = 1024;   // packets; gdb never has more than one on the way
constexpr std::uint64_t unknown_type = ~std::uint64_t{0};

std::span<const std::byte> bytes_of(std::string_view text) { return std::as_bytes(std::span(text)); }

struct storage_range {
    std::uint64_t ea = 0;
    std::uint64_t size = 0;
};

/// "ea,size" off the front of `text`.
std::optional<storage_range> take_range(std::string_view& text) {
    const std::optional<std::uint64_t> ea = take_number(text);
    const bool comma = ea && take(text, ",");
    const std::optional<std::uint64_t> size = comma ? take_number(text) : std::nullopt;
    return size ? std::optional(storage_range{ea.value_or(0), size.value_or(0)}) : std::nullopt;
}

/// Thread ids: core + 1; "-1" is all of them and "0" any.
std::optional<std::size_t> thread_of(std::string_view& text, std::size_t cores) {
    const std::optional<std::uint64_t> id = take_number(text);
    return id && *id >= 1 && *id <= cores ? std::optional<std::size_t>(*id - 1) : std::nullopt;
}

}  // namespace

gdb_server::gdb_server(debug_target& target, byte_channel& channel, byte_order order)
    : target_(target),
      channel_(channel),
      order_(order) {}

bool gdb_server::serve() {
    while (!done_) {
        const std::optional<stop_event> stop = target_.stopped();
        if (running_ && stop) {
            running_ = false;
            report(*stop);
        }
        receive(!running_ && arrived_.empty());
        if (!channel_.open() && !done_) {
            leave();
        }
        work_through();
        if (running_ && !target_.stopped()) {
            return true;
        }
    }
    return false;
}

/// Does what has arrived, up to a packet that lets the target run: what stands behind it waits for the stop.
void gdb_server::work_through() {
    while (!arrived_.empty() && !done_) {
        if (running_ && arrived_.front().what != arrival::kind::interrupt) {
            return;
        }
        const arrival next = std::move(arrived_.front());
        arrived_.pop_front();
        switch (next.what) {
        case arrival::kind::interrupt:
            if (running_) {
                target_.halt();
                return;
            }
            break;
        case arrival::kind::nack:
            channel_.write(last_sent_);
            break;
        default:
            handle(next.data);
            break;
        }
    }
}

/// Gone, or going: the target is on its own.
void gdb_server::leave() {
    done_ = true;
    running_ = false;
    target_.remove_all_points();
    target_.resume(std::vector(target_.cores(), resume_action::run));
}

// --- packets

void gdb_server::acknowledge(bool good) {
    if (acks_) {
        channel_.write(std::string_view(good ? "+" : "-"));
    }
}

void gdb_server::receive(bool wait) {
    std::array<char, 4096> bytes;
    const std::size_t size = channel_.read(bytes, wait);
    for (const char each : std::span(bytes).first(size)) {
        std::optional<arrival> what = parser_.put(each);
        if (!what || what->what == arrival::kind::ack) {
            continue;
        }
        if (what->what == arrival::kind::bad) {
            acknowledge(false);
            continue;
        }
        if (what->what == arrival::kind::interrupt && running_) {
            target_.halt();
            continue;
        }
        if (what->what == arrival::kind::packet || what->what == arrival::kind::too_long) {
            acknowledge(true);  // one that is too long is answered like an unknown command
        }
        if (arrived_.size() < most_waiting) {
            arrived_.push_back(std::move(*what));
        }
    }
}

void gdb_server::send(std::string_view data) {
    last_sent_ = framed(data);
    channel_.write(last_sent_);
}

void gdb_server::handle(const std::string& packet) {
    const bool was_running = running_;
    const std::string reply = answer(packet);
    if (done_ && packet.starts_with('k')) {
        return;
    }
    if (running_ && !was_running) {
        return;  // the reply is the next stop
    }
    send(reply);
    if (quiet_acks_next_) {
        quiet_acks_next_ = false;
        acks_ = false;
        parser_.no_checksums();
    }
}

std::string gdb_server::answer(std::string_view command) {
    if (command.empty()) {
        return {};
    }
    const std::string_view rest = command.substr(1);
    switch (command.front()) {
    case '?':
        return stop_reply(target_.stopped().value_or(stop_event{}));
    case 'g':
        return read_registers();
    case 'G':
        return write_registers(rest);
    case 'p':
        return read_one(rest);
    case 'P':
        return write_one(rest);
    case 'm':
        return read_memory(rest);
    case 'M':
        return write_memory(rest, false);
    case 'X':
        return write_memory(rest, true);
    case 'Z':
        return change_point(rest, true);
    case 'z':
        return change_point(rest, false);
    case 'H':
        return choose_thread(rest);
    case 'T':
        return is_alive(rest);
    case 'c':
        return go(rest, resume_action::run, false);
    case 'C':
        return go(rest, resume_action::run, true);
    case 's':
        return go(rest, resume_action::step, false);
    case 'S':
        return go(rest, resume_action::step, true);
    case 'v':
        return verbose(rest);
    case 'q':
    case 'Q':
        return query(command);
    case 'D':
        leave();
        return std::string(ok);
    case 'k':
        target_.kill();
        leave();
        return {};
    default:
        return {};
    }
}

// --- stops

void gdb_server::report(const stop_event& stop) {
    if (stop.core < target_.cores()) {
        core_ = stop.core;
    }
    send(stop_reply(stop));
}

std::string gdb_server::stop_reply(const stop_event& stop) const {
    if (stop.why == stop_event::reason::ended) {
        return fmt::format("W{:02x}", stop.number & 0xff);
    }
    const int signal = stop.why == stop_event::reason::signal   ? stop.number
                       : stop.why == stop_event::reason::halted ? debug_signal::interrupt
                                                                : debug_signal::trap;
    std::string out = fmt::format("T{:02x}thread:{:x};core:{:x};", signal & 0xff, stop.core + 1, stop.core);
    if (stop.why == stop_event::reason::watchpoint) {
        const std::string_view kind = stop.watch == watch_kind::write  ? "watch"
                                      : stop.watch == watch_kind::read ? "rwatch"
                                                                       : "awatch";
        out += fmt::format("{}:{:x};", kind, stop.ea);
    }
    return out;
}

// --- queries

std::string gdb_server::query(std::string_view rest) {
    if (take(rest, "qSupported")) {
        return fmt::format("PacketSize={:x};qXfer:features:read+;QStartNoAckMode+;vContSupported+",
                           longest_packet);
    }
    if (take(rest, "qXfer:features:read:target.xml:")) {
        return feature_part(rest);
    }
    if (take(rest, "qThreadExtraInfo,")) {
        return thread_extra(rest);
    }
    if (take(rest, "qRcmd,")) {
        return monitor_command(rest);
    }
    if (rest == "QStartNoAckMode") {
        quiet_acks_next_ = true;
        return std::string(ok);
    }
    if (rest == "qAttached") {
        return "1";
    }
    if (rest == "qC") {
        return fmt::format("QC{:x}", core_ + 1);
    }
    if (rest == "qfThreadInfo") {
        std::string out = "m";
        for (std::size_t n = 0; n < target_.cores(); ++n) {
            out += fmt::format("{}{:x}", n == 0 ? "" : ",", n + 1);
        }
        return out;
    }
    if (rest == "qsThreadInfo") {
        return "l";
    }
    return {};
}

std::string gdb_server::feature_part(std::string_view rest) const {
    const std::optional<storage_range> part_of = take_range(rest);
    if (!part_of || !rest.empty()) {
        return std::string(error);
    }
    const std::string& text = target_description();
    if (part_of->ea >= text.size()) {
        return "l";
    }
    const std::size_t most = std::min<std::uint64_t>(part_of->size,
                                                     longest_packet / 2);  // escapes take two bytes
    const std::string part = text.substr(part_of->ea, most);
    return (part_of->ea + part.size() < text.size() ? "m" : "l") + part;
}

std::string gdb_server::thread_extra(std::string_view rest) {
    const std::optional<std::size_t> core = thread_of(rest, target_.cores());
    return core ? to_hex(bytes_of(target_.describe(*core))) : std::string(error);
}

/// gdb shows each packet "O" as it comes, and goes on with the answer.
std::string gdb_server::monitor_command(std::string_view rest) {
    const std::optional<std::string> words = from_hex(rest);
    if (!words) {
        return std::string(error);
    }
    const std::optional<std::string> said = target_.command(core_, *words);
    if (!said) {
        return {};
    }
    constexpr std::size_t most = longest_packet / 2 - 1;
    for (std::size_t at = 0; at < said->size(); at += most) {
        send("O" + to_hex(bytes_of(std::string_view(*said).substr(at, most))));
    }
    return std::string(ok);
}

std::string gdb_server::choose_thread(std::string_view rest) {
    if (rest.empty() || (rest.front() != 'g' && rest.front() != 'c')) {
        return std::string(error);
    }
    const bool general = rest.front() == 'g';
    rest.remove_prefix(1);
    if (rest == "0" || rest == "-1") {
        return std::string(ok);
    }
    const std::optional<std::size_t> core = thread_of(rest, target_.cores());
    if (!core || !rest.empty()) {
        return std::string(error);
    }
    if (general) {
        core_ = *core;
    }
    return std::string(ok);
}

std::string gdb_server::is_alive(std::string_view rest) const {
    return std::string(thread_of(rest, target_.cores()) && rest.empty() ? ok : error);
}

// --- registers

std::string gdb_server::read_registers() {
    std::string out;
    for (std::size_t n = 0; n < register_count; ++n) {
        out += to_hex(read_register(target_.engine(core_), n, order_));
    }
    return out;
}

std::string gdb_server::write_registers(std::string_view rest) {
    const std::optional<std::string> bytes = from_hex(rest);
    if (!bytes) {
        return std::string(error);
    }
    std::span<const std::byte> left = bytes_of(*bytes);
    for (std::size_t n = 0; n < register_count && register_size(n) <= left.size(); ++n) {
        static_cast<void>(write_register(target_.engine(core_), n, order_, left.first(register_size(n))));
        left = left.subspan(register_size(n));
    }
    target_.state_changed(core_);
    return std::string(ok);
}

std::string gdb_server::read_one(std::string_view rest) {
    const std::optional<std::uint64_t> number = take_number(rest);
    if (!number || !rest.empty() || register_size(*number) == 0) {
        return std::string(error);
    }
    return to_hex(read_register(target_.engine(core_), *number, order_));
}

std::string gdb_server::write_one(std::string_view rest) {
    const std::optional<std::uint64_t> number = take_number(rest);
    const std::optional<std::string> value = take(rest, "=") ? from_hex(rest) : std::nullopt;
    if (!number || !value || value->empty() || value->size() != register_size(*number)) {
        return std::string(error);
    }
    if (!write_register(target_.engine(core_), *number, order_, bytes_of(*value))) {
        return std::string(error);
    }
    target_.state_changed(core_);
    return std::string(ok);
}

// --- storage

std::string gdb_server::read_memory(std::string_view rest) {
    const std::optional<storage_range> range = take_range(rest);
    if (!range || !rest.empty()) {
        return std::string(error);
    }
    std::vector<std::byte> bytes(std::min<std::uint64_t>(range->size, longest_packet / 2));
    const std::size_t done = target_.read(core_, range->ea, bytes);
    if (done == 0 && !bytes.empty()) {
        return std::string(bad_address);
    }
    return to_hex(std::span(bytes).first(done));
}

std::string gdb_server::write_memory(std::string_view rest, bool binary) {
    const std::optional<storage_range> range = take_range(rest);
    if (!range || !take(rest, ":")) {
        return std::string(error);
    }
    const std::optional<std::string> bytes = binary ? std::optional(std::string(rest)) : from_hex(rest);
    if (!bytes || bytes->size() != range->size) {
        return std::string(error);
    }
    return std::string(target_.write(core_, range->ea, bytes_of(*bytes)) == bytes->size() ? ok : bad_address);
}

// --- points

std::string gdb_server::change_point(std::string_view rest, bool add) {
    const std::uint64_t type = take_number(rest).value_or(unknown_type);
    const std::optional<storage_range> range = take(rest, ",") ? take_range(rest) : std::nullopt;
    if (!range) {
        return std::string(error);
    }
    if (type <= 1) {
        add ? target_.add_breakpoint(range->ea) : target_.remove_breakpoint(range->ea);
        return std::string(ok);
    }
    if (type > 4) {
        return {};
    }
    if (range->size == 0 || range->size > longest_watch || range->ea + (range->size - 1) < range->ea) {
        return std::string(error);
    }
    const watchpoint point{.where = {range->ea, range->ea + (range->size - 1)},
                           .kind = static_cast<watch_kind>(type - 1)};
    add ? target_.add_watchpoint(point) : target_.remove_watchpoint(point);
    return std::string(ok);
}

// --- execution

std::string gdb_server::resume(const std::vector<resume_action>& actions) {
    if (const std::optional<stop_event> stop = target_.stopped();
        stop && stop->why == stop_event::reason::ended) {
        return stop_reply(*stop);
    }
    if (std::ranges::count(actions, resume_action::stay) == static_cast<std::ptrdiff_t>(actions.size())) {
        return std::string(error);
    }
    target_.resume(actions);
    running_ = true;
    return {};
}

/// "c" and "s", with an address, and "C" and "S" with a signal before it. Signals are not delivered to a core.
std::string gdb_server::go(std::string_view rest, resume_action action, bool with_signal) {
    if (with_signal) {
        if (!take_number(rest) || !(rest.empty() || take(rest, ";"))) {
            return std::string(error);
        }
    }
    if (!rest.empty()) {
        const std::optional<std::uint64_t> ea = take_number(rest);
        if (!ea || !rest.empty()) {
            return std::string(error);
        }
        target_.state(core_).nip = *ea & ~std::uint64_t{3};
        target_.state_changed(core_);
    }
    std::vector<resume_action> actions(target_.cores(),
                                       action == resume_action::step ? resume_action::stay : action);
    actions[core_] = action;
    return resume(actions);
}

std::string gdb_server::verbose(std::string_view rest) {
    if (rest == "Cont?") {
        return "vCont;c;C;s;S";
    }
    if (take(rest, "Cont")) {
        return vcont(rest);
    }
    if (take(rest, "Kill")) {
        target_.kill();
        leave();
        return std::string(ok);
    }
    return {};
}

/// ";action[:thread]..."; for each core the first action that names it counts, and without one it stays.
std::string gdb_server::vcont(std::string_view rest) {
    std::vector<std::optional<resume_action>> chosen(target_.cores());
    while (!rest.empty()) {
        if (!take(rest, ";") || rest.empty()) {
            return std::string(error);
        }
        const char kind = rest.front();
        rest.remove_prefix(1);
        if (((kind == 'C' || kind == 'S') && !take_number(rest)) ||
            std::string_view("cCsS").find(kind) == std::string_view::npos) {
            return std::string(error);
        }
        const resume_action action = kind == 's' || kind == 'S' ? resume_action::step : resume_action::run;
        if (take(rest, ":") && !take(rest, "-1")) {
            const std::optional<std::size_t> core = thread_of(rest, chosen.size());
            if (!core) {
                return std::string(error);
            }
            chosen[*core] = chosen[*core].value_or(action);
        } else {
            for (auto& each : chosen) {
                each = each.value_or(action);
            }
        }
    }
    std::vector<resume_action> actions;
    for (const auto& each : chosen) {
        actions.push_back(each.value_or(resume_action::stay));
    }
    return resume(actions);
}

}  // namespace pefsim::power::debug
