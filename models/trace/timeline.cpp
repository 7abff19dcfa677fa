// SPDX-License-Identifier: Apache-2.0
#include "trace/timeline.h"

#include <algorithm>
#include <array>
#include <deque>
#include <fmt/format.h>
#include <limits>
#include <map>
#include <string_view>
#include <utility>

#include "output/whole_file.h"
#include "trace/perfetto_packets.h"
#include "trace/recorder.h"
#include "trace/signal_groups.h"

namespace pefsim::trace {

namespace {

/// The signals that tell a story, by name. Texts and bits are spans while they say something, events instants, numbers
/// counters.
struct shown_signal {
    std::string_view name;
    bool prefix;
    std::string_view unit;  ///< of a counter
};
constexpr std::array shown_signals{
    shown_signal{"call", false, ""},           shown_signal{"driver_call", false, ""},
    shown_signal{"idle", false, ""},           shown_signal{"ultracall", false, ""},
    shown_signal{"hypercall", false, ""},      shown_signal{"interrupt", false, ""},
    shown_signal{"rtas", false, ""},           shown_signal{"client_service", false, ""},
    shown_signal{"doorbell", false, ""},       shown_signal{"refused", false, ""},
    shown_signal{"violated", false, ""},       shown_signal{"pool_full", false, ""},
    shown_signal{"pool_used", false, "slots"}, shown_signal{"tces_in_use", false, "TCEs"},
    shown_signal{"pages_", true, "pages"},     shown_signal{"in_flight", false, "requests"},
};

const shown_signal* shown(const signal_declaration& s) {
    const auto* const found = std::ranges::find_if(shown_signals, [&](const shown_signal& each) {
        return each.prefix ? s.name.starts_with(each.name) : s.name == each.name;
    });
    return found == shown_signals.end() ? nullptr : found;
}

/// Sides of the trust boundary; what a viewer chooses colours by.
enum class side : std::uint8_t { guest = 1, trusted, untrusted, machine };
constexpr std::string_view to_name(side s) {
    constexpr std::array<std::string_view, 5> names{"", "guest", "trusted", "untrusted", "machine"};
    return names[static_cast<std::size_t>(s)];
}

/// By the title of its group.
side side_of(std::string_view title) {
    const auto has = [title](std::string_view word) { return title.find(word) != std::string_view::npos; };
    return has("(untrusted)")                                            ? side::untrusted
           : has("(trusted)")                                            ? side::trusted
           : has("Guest") || has("POWER9 core") || has("DMA operations") ? side::guest
                                                                         : side::machine;
}

std::uint64_t ns_of(std::uint64_t picoseconds) { return picoseconds / 1'000; }
std::uint64_t ns_of(const sc_core::sc_time& t) { return ns_of(t.value()); }

/// Tracks that share a name, as many as there are spans at once that overlap.
class lanes {
public:
    /// \param make a further track
    template <class Make>
    perfetto_packets::track free_from(std::uint64_t begin, std::uint64_t end, const Make& make) {
        auto found = std::ranges::find_if(lanes_, [&](const lane& each) { return each.busy_until <= begin; });
        if (found == lanes_.end()) {
            found = lanes_.insert(lanes_.end(), {make(), 0});
        }
        found->busy_until = end;
        return found->on;
    }

private:
    struct lane {
        perfetto_packets::track on;
        std::uint64_t busy_until;
    };
    std::vector<lane> lanes_;
};

class perfetto_timeline final : public timeline_writer {
public:
    perfetto_timeline(const std::filesystem::path& file, const recorder& of, std::uint64_t from,
                      std::uint64_t most_bytes)
        : recorder_(of),
          file_("timeline", file),
          most_bytes_(most_bytes - room_for_the_end),
          from_(from),
          signals_(of.signals().size()) {
        packets_.clear_state(0);
        for (std::size_t i = 1; i < categories_.size(); ++i) {
            categories_[i] = packets_.add_category(to_name(static_cast<side>(i)));
        }
        requests_ = packets_.add_process("Requests");
        for (const grouped_signals& group : signal_groups(of)) {
            add_group(group);
        }
    }

    [[nodiscard]] std::vector<bool> wanted() const override {
        std::vector<bool> result;
        std::ranges::transform(signals_, std::back_inserter(result),
                               [](const track_of& each) { return each.on != 0; });
        return result;
    }

    void begin(std::uint64_t at, std::span<const signal_value> values) override {
        for (std::uint32_t id = 0; id < values.size(); ++id) {
            if (signals_[id].on != 0 && recorder_.signals()[id].type != signal_type::event) {
                show(id, at, values[id].number, values[id].text);
            }
        }
    }

    void changes(std::span<const value_change> these) override {
        for (const value_change& c : these) {
            const signal_type type = recorder_.signals()[c.id].type;
            show(c.id, c.time, type == signal_type::text ? 0 : c.number,
                 type == signal_type::text ? c.characters() : std::string_view());
        }
    }

    void add(const report::journey& done) override;
    void end(std::uint64_t at) override;
    [[nodiscard]] std::uint64_t written() const override { return written_; }
    [[nodiscard]] std::uint64_t left_out() const override { return left_out_; }

private:
    static constexpr std::uint64_t room_for_the_end = std::uint64_t{64} << 10;
    static constexpr std::size_t buffer_size = std::size_t{1} << 20;

    /// What is said of all that happens there.
    [[nodiscard]] perfetto_packets::details details_of(side where) const {
        const auto number = static_cast<std::size_t>(where);
        return {.in = categories_[number], .correlation = number};
    }

    struct track_of {
        perfetto_packets::track on = 0;
        side where = side::machine;
        bool open = false;
        // Of a counter: what it has, and since when, which is told once it is known that it lasts.
        bool counts = false;
        bool told = false;
        std::uint64_t value = 0;
        std::uint64_t since = 0;  // ns
    };
    struct device_tracks {
        std::uint64_t number = 0;  // 1, 2 ...
        perfetto_packets::track process = 0;
        lanes guest_side{};
        lanes device_side{};
    };

    void add_group(const grouped_signals& group);
    void show(std::uint32_t id, std::uint64_t at, std::uint64_t number, std::string_view text);
    void tell_count(track_of& of);
    void add_parts(const report::journey& done, device_tracks& of, perfetto_packets::track on,
                   std::uint64_t flow);
    device_tracks& device(std::string_view name) {
        device_tracks& of = devices_[std::string(name)];
        of.number = of.number == 0 ? devices_.size() : of.number;
        return of;
    }

    /// Whether there is room for another one; counted either way. What has begun may end all the same.
    bool room() {
        if (full_at_ == 0 && bytes_ + buffer_.size() > most_bytes_) {
            full_at_ = std::max<std::uint64_t>(latest_, 1);
        }
        ++(full_at_ == 0 ? written_ : left_out_);
        if (buffer_.size() > buffer_size) {
            flush();
        }
        return full_at_ == 0;
    }
    void flush() {
        file_.write(buffer_);
        bytes_ += buffer_.size();
        buffer_.clear();
    }

    const recorder& recorder_;
    output::whole_file file_;
    std::string buffer_;
    perfetto_packets packets_{buffer_};
    std::array<perfetto_packets::category, 5> categories_{};  // by side
    std::uint64_t bytes_ = 0;
    std::uint64_t most_bytes_;
    std::uint64_t from_;
    std::uint64_t latest_ = 0;   // ns
    std::uint64_t full_at_ = 0;  // ns; 0: not yet
    std::uint64_t written_ = 0;
    std::uint64_t left_out_ = 0;
    std::vector<track_of> signals_;  // by id
    perfetto_packets::track requests_ = 0;
    std::map<std::string, device_tracks, std::less<>> devices_;
};

void perfetto_timeline::add_group(const grouped_signals& group) {
    const auto tells = [this](std::uint32_t id) { return shown(recorder_.signals()[id]) != nullptr; };
    if (std::ranges::none_of(group.signals, tells)) {
        return;
    }
    const perfetto_packets::track process = packets_.add_process(group.title);
    if (const std::string_view device_title = group.title; device_title.starts_with("Device ")) {
        device(device_title.substr(7, device_title.find(' ', 7) - 7)).process = process;
    }
    for (const std::uint32_t id : group.signals) {
        const signal_declaration& s = recorder_.signals()[id];
        const shown_signal* const how = shown(s);
        if (how == nullptr) {
            continue;
        }
        const std::string below = s.scope.size() > group.scope.size() && s.scope.starts_with(group.scope)
                                      ? s.scope.substr(group.scope.size() + 1) + "."
                                      : std::string();
        const bool number = s.type == signal_type::unsigned_integer;
        signals_[id] = {.on = number ? packets_.add_counter(process, below + s.name, how->unit)
                                     : packets_.add_track(process, below + s.name),
                        .where = side_of(group.title)};
    }
}

void perfetto_timeline::show(std::uint32_t id, std::uint64_t at, std::uint64_t number,
                             std::string_view text) {
    track_of& here = signals_[id];
    const signal_declaration& s = recorder_.signals()[id];
    const std::uint64_t ns = latest_ = ns_of(at);
    const perfetto_packets::details side = details_of(here.where);
    if (s.type == signal_type::event) {
        if (room()) {
            packets_.instant(here.on, ns, s.name, side);
        }
        return;
    }
    if (s.type == signal_type::unsigned_integer) {
        if (std::exchange(here.counts, true) && here.since < ns) {
            tell_count(here);
        }
        here.value = number;
        here.since = ns;
        return;
    }
    if (std::exchange(here.open, false)) {
        packets_.end(here.on, ns);
    }
    const std::string_view what = s.type == signal_type::bit ? std::string_view(number == 0 ? "" : s.name)
                                                             : text;
    if (!what.empty() && what != "none" && what != "-" && room()) {
        packets_.begin(here.on, ns, what, side);
        here.open = true;
    }
}

/// One value for each ns: viewers take several for a fault.
void perfetto_timeline::tell_count(track_of& of) {
    if (room()) {
        packets_.value(of.on, of.since, of.value);
        of.told = true;
    }
}

void perfetto_timeline::add(const report::journey& done) {
    if (done.begin.value() < from_ || !room()) {
        return;
    }
    device_tracks& of = device(done.device);
    const std::uint64_t flow = of.number << 40 | done.number;
    const perfetto_packets::track on = of.guest_side.free_from(
        ns_of(done.begin), ns_of(done.end()), [&] { return packets_.add_track(requests_, done.device); });
    perfetto_packets::details whole = details_of(side::guest);
    whole.flow = flow;
    whole.request = done.number;
    packets_.begin(on, ns_of(done.begin), done.kind, whole);
    add_parts(done, of, on, flow);
    packets_.end(on, ns_of(done.end()));
}

/// In the device's own track, too, as far as they are its.
void perfetto_timeline::add_parts(const report::journey& done, device_tracks& of, perfetto_packets::track on,
                                  std::uint64_t flow) {
    using report::journey_part;
    sc_core::sc_time at = done.begin;
    for (std::size_t i = 0; i < report::journey_parts; ++i) {
        const auto part = static_cast<journey_part>(i);
        const std::uint64_t begin = ns_of(at);
        at += done.lasted[i];
        const std::uint64_t end = ns_of(at);
        if (!done.knows(part) || begin == end) {
            continue;
        }
        const side where = part == journey_part::device ? side::untrusted
                           : part == journey_part::doorbell || part == journey_part::interrupt ? side::machine
                                                                                               : side::guest;
        perfetto_packets::details here = details_of(where);
        here.flow = part == journey_part::interrupt ? flow : 0;
        here.flow_ends = true;
        packets_.begin(on, begin, report::to_name(part), here);
        packets_.end(on, end);
        if (part == journey_part::device && of.process != 0) {
            const perfetto_packets::track there = of.device_side.free_from(
                begin, end, [&] { return packets_.add_track(of.process, "requests"); });
            here.flow = flow;
            here.flow_ends = false;
            here.request = done.number;
            packets_.begin(there, begin, done.kind, here);
            packets_.end(there, end);
        }
    }
}

void perfetto_timeline::end(std::uint64_t at) {
    const std::uint64_t last = full_at_ != 0 ? full_at_ : ns_of(at);
    for (track_of& each : signals_) {
        if (std::exchange(each.open, false)) {
            packets_.end(each.on, std::max(last, latest_));
        }
        if (each.counts && (each.told || each.value != 0)) {  // one that was never anything else has no track
            tell_count(each);
        }
    }
    if (left_out_ != 0) {
        const perfetto_packets::track note = packets_.add_track(packets_.add_process("pefsim"), "left out");
        packets_.instant(note, last, fmt::format("no room from here on: {} left out", left_out_), {});
    }
    flush();
    file_.commit();
}

}  // namespace

std::unique_ptr<timeline_writer> make_timeline_writer(const std::filesystem::path& file, const recorder& of,
                                                      std::uint64_t from, std::uint64_t most_bytes) {
    return std::make_unique<perfetto_timeline>(file, of, from, most_bytes);
}

}  // namespace pefsim::trace
