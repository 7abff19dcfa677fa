// SPDX-License-Identifier: Apache-2.0
#include "trace/recorder.h"

#include <algorithm>
#include <exception>
#include <fmt/format.h>
#include <limits>
#include <stdexcept>
#include <utility>

#include "exposure/ledger.h"
#include "output/whole_file.h"
#include "report/journeys.h"
#include "report/metrics.h"
#include "report/run_report.h"
#include "report/violations.h"
#include "trace/save_file.h"
#include "trace/signal.h"
#include "trace/surfer_file.h"
#include "trace/timeline.h"
#include "trace/trace_file.h"
#include "trace/waveform_writer.h"

namespace pefsim::trace {

namespace {

bool allowed_in_name(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
}

// What viewers and the save file can take: "machine.cpu0", "msr_s".
void check_name(const signal_declaration& s) {
    const bool scope_ok = std::ranges::all_of(s.scope, [](char c) { return c == '.' || allowed_in_name(c); });
    if (s.name.empty() || !scope_ok || !std::ranges::all_of(s.name, allowed_in_name)) {
        throw std::logic_error(
            fmt::format("signal '{}.{}' has a name that waveforms cannot take", s.scope, s.name));
    }
}

std::string in_units(const sc_core::sc_time& t) { return t.to_string(); }

void check_window(const sc_core::sc_time& from, const std::optional<sc_core::sc_time>& to) {
    if (to && *to <= from) {
        throw std::invalid_argument(
            fmt::format("trace window: it ends ({}) before anything follows its begin ({})", in_units(*to),
                        in_units(from)));
    }
}

}  // namespace

/// A file that is being written: what is held back, and the values in force until its window begins.
struct recorder::recorded_file {
    std::unique_ptr<waveform_writer> writer;
    const std::vector<signal_declaration>& signals;
    const std::uint64_t from;
    const std::uint64_t to;
    std::vector<signal_value> in_force{};
    std::vector<signal_type> types{};           ///< of the signals, by id: dense, for each change asks
    std::vector<std::uint32_t> first_events{};  ///< at the first instant itself
    std::uint64_t latest = 0;                   ///< change
    std::uint64_t last = 0;                     ///< instant shown
    bool begun = false;
    std::uint64_t changes = 0;
    std::vector<unsigned char> changed{};  ///< whether a signal has, by id

    recorded_file(std::unique_ptr<waveform_writer> into, const recorder& of, const sc_core::sc_time& begin,
                  const std::optional<sc_core::sc_time>& end)
        : writer(std::move(into)),
          signals(of.declarations_),
          from(std::max(begin, sc_core::sc_time_stamp()).value()),
          to(end ? end->value() : std::numeric_limits<std::uint64_t>::max()) {
        for (signal_source* source : of.sources_) {
            in_force.push_back(source == nullptr ? signal_value{} : source->begin_recording());
        }
        for (const signal_declaration& each : signals) {
            types.push_back(each.type);
        }
        changed.resize(signals.size());
    }

    /// \param these in order of time, and later than what it has; they are used up
    void take(std::span<value_change> these) {
        if (!begun) {
            const auto later = std::ranges::upper_bound(these, from, {}, &value_change::time);
            const auto hidden = static_cast<std::size_t>(later - these.begin());
            std::ranges::for_each(these.first(hidden), [this](const value_change& c) { keep(c); });
            these = these.subspan(hidden);
        }
        if (!these.empty() && these.back().time > to) {
            const auto end = std::ranges::upper_bound(these, to, {}, &value_change::time);
            these = these.first(static_cast<std::size_t>(end - these.begin()));
        }
        if (these.empty()) {
            return;
        }
        begin_once();
        const auto no_changes = std::ranges::remove_if(these, [this](const value_change& c) {
            const bool is_change = takes_force(c);
            changed[c.id] |= static_cast<unsigned char>(is_change);
            return !is_change;
        });
        const std::span<const value_change> shown(these.begin(), no_changes.begin());
        if (shown.empty()) {
            return;
        }
        writer->changes(shown);
        latest = shown.back().time;
        changes += shown.size();
    }

    void begin_once() {
        if (!std::exchange(begun, true)) {
            writer->begin(from, in_force);
            std::vector<value_change> first;
            for (const std::uint32_t id : first_events) {
                first.push_back(value_change::of_number(from, id, 1));
            }
            writer->changes(first);
            changes += first.size();
            latest = from;
        }
    }

    void finish(std::uint64_t now) {
        begin_once();
        last = std::max({from, latest, std::min(now, to)});
        writer->end(last);
    }

private:
    /// What happens up to the first instant shown is a value in force then, or an event of that instant.
    void keep(const value_change& c) {
        if (types[c.id] != signal_type::event) {
            takes_force(c);
        } else if (c.time == from) {
            first_events.push_back(c.id);
        }
    }

    /// False when the value is in force already: then it is no change. Changes come in order of time.
    bool takes_force(const value_change& c) {
        switch (types[c.id]) {
        case signal_type::event:
            return true;
        case signal_type::text:
            return std::exchange(in_force[c.id].text, c.characters()) != c.characters();
        default:
            return std::exchange(in_force[c.id].number, c.number) != c.number;
        }
    }
};

/// Violations as events in the waveform.
class recorder::violation_signals final : public report::violation_log::observer {
public:
    explicit violation_signals(recorder& to)
        : recorder_(to),
          violated_(to, violation_scope, "violated", "a violation was reported"),
          kind_(to, violation_scope, "kind", "kind of the latest violation"),
          who_(to, violation_scope, "who", "initiator of the latest violation") {
        to.violations().observe(*this);
    }

private:
    void violated(const report::violation& what) override {
        // It may be reported after the fact.
        const sc_core::sc_time when = std::max(what.when, sc_core::sc_time_stamp());
        violated_.fire(when);
        kind_.set(to_name(what.kind), when);
        who_.set(recorder_.intern(what.who), when);
    }

    recorder& recorder_;
    event_signal violated_;
    signal<std::string_view> kind_;
    signal<std::string_view> who_;
};

signal_registration::signal_registration(recorder& to, signal_declaration declaration, signal_source& source)
    : to_(to.self_),
      id_(to.declare(std::move(declaration), source)) {}

signal_registration::~signal_registration() {
    if (*to_ != nullptr) {
        (*to_)->forget(id_);
    }
}

void recorder::forget(std::uint32_t id) { sources_[id] = nullptr; }

std::vector<std::string> recorder::departed() const {
    std::vector<std::string> names = metrics_->departed();
    for (std::size_t id = 0; id < sources_.size(); ++id) {
        if (sources_[id] == nullptr) {
            names.push_back(fmt::format("{}.{}", declarations_[id].scope, declarations_[id].name));
        }
    }
    return names;
}

recorder::recorder()
    : metrics_(std::make_unique<report::metric_registry>()),
      violations_(std::make_unique<report::violation_log>()),
      journeys_(std::make_unique<report::journey_log>()),
      ledger_(std::make_unique<exposure::ledger>()),
      violation_signals_(std::make_unique<violation_signals>(*this)) {}

recorder::~recorder() {
    *self_ = nullptr;
    try {
        finish();
    } catch (const std::exception&) {
        // Whoever wants to know calls finish().
    }
}

report::run_record recorder::record() const {
    return {.metrics = *metrics_,
            .violations = *violations_,
            .journeys = *journeys_,
            .ledger = *ledger_,
            .groups = groups_,
            .waveform = {.file = trace_file_,
                         .save_file = save_file_,
                         .signals = declarations_.size(),
                         .changes = changes_written_},
            .timeline = timeline_written_};
}

bool recorder::fst_available() {
#ifdef PEFSIM_HAVE_FST
    return true;
#else
    return false;
#endif
}

void recorder::start(const recording_options& options) {
    simulated_ = &sc_core::sc_get_curr_simcontext()->time_stamp();
    if (waveform_) {
        throw std::logic_error("recorder::start: a waveform is already being written to " +
                               trace_file_.string());
    }
    check_window(options.from, options.to);
    check_trace_file(options.file);
#ifdef PEFSIM_HAVE_FST
    const auto make_writer = options.file.extension() == ".fst" ? make_fst_writer : make_vcd_writer;
#else
    const auto make_writer = make_vcd_writer;
#endif
    std::unique_ptr<waveform_writer> writer = make_writer(options.file, declarations_, options.title);
    const std::filesystem::path save_file = std::filesystem::path(options.file).replace_extension(".gtkw");
    save_output_ = std::make_unique<output::whole_file>("save file", save_file,
                                                        output::whole_file::access::late);
    commands_output_ = std::make_unique<output::whole_file>("command file", surfer_file_beside(options.file),
                                                            output::whole_file::access::late);
    waveform_ = std::make_unique<recorded_file>(std::move(writer), *this, options.from, options.to);
    trace_file_ = options.file;
    save_file_ = save_file;
    changes_written_ = 0;
    record_signals();
}

void recorder::start_timeline(const timeline_options& options) {
    simulated_ = &sc_core::sc_get_curr_simcontext()->time_stamp();
    if (timeline_) {
        throw std::logic_error("recorder::start_timeline: there is one already");
    }
    check_window(options.from, options.to);
    std::unique_ptr<timeline_writer> writer = make_timeline_writer(options.file, *this, options.from.value(),
                                                                   options.most_bytes);
    timeline_writer& into = *writer;
    timeline_wants_ = writer->wanted();
    timeline_ = std::make_unique<recorded_file>(std::move(writer), *this, options.from, options.to);
    timeline_written_ = {.file = options.file};
    journeys_->observe([this, &into](const report::journey& done) {
        if (timeline_ && done.end().value() <= timeline_->to) {
            into.add(done);
        }
    });
    record_signals();
}

/// Those that a file shows.
void recorder::record_signals() {
    recording_ = waveform_ || timeline_;
    for (std::uint32_t id = 0; id < sources_.size(); ++id) {
        if (sources_[id] != nullptr) {
            sources_[id]->record(waveform_ || (timeline_ && timeline_wants_[id]));
        }
    }
}

void recorder::release(reorder_buffer& from) {
    const std::uint64_t now = simulated_->value();
    (&from == &of_waveform_ ? waveform_ : timeline_)->take(from.release(now));
    const auto goes_on = [now](const std::unique_ptr<recorded_file>& file) {
        return file && now <= file->to;
    };
    if (!goes_on(waveform_) && !goes_on(timeline_)) {
        recording_ = false;
        for (signal_source* const source : sources_) {
            if (source != nullptr) {
                source->record(false);
            }
        }
    }
}

void recorder::finish() {
    constexpr std::uint64_t all = std::numeric_limits<std::uint64_t>::max();
    const std::unique_ptr<recorded_file> waveform = std::move(waveform_);
    const std::unique_ptr<recorded_file> timeline = std::move(timeline_);
    const std::unique_ptr<output::whole_file> save_output = std::move(save_output_);
    const std::unique_ptr<output::whole_file> commands_output = std::move(commands_output_);
    record_signals();
    const std::uint64_t now = sc_core::sc_time_stamp().value();
    std::exception_ptr failed;
    const auto attempt = [&failed](const auto& write, const auto& without) {
        try {
            write();
        } catch (const output::write_error&) {
            without();
            failed = failed ? failed : std::current_exception();
        }
    };
    if (waveform) {
        attempt(
            [&] {
                waveform->take(of_waveform_.release(all));
                waveform->finish(now);
                changes_written_ = waveform->changes;
                const initial_view view = view_of(*waveform);
                save_output->write(gtkwave_save_file(*this, trace_file_, view));
                commands_output->write(surfer_command_file(*this, trace_file_, view));
                save_output->commit();
                commands_output->commit();
            },
            [this] {
                trace_file_.clear();
                save_file_.clear();
            });
    }
    if (timeline) {
        attempt(
            [&] {
                timeline->take(of_timeline_.release(all));
                timeline->finish(now);
                const auto& writer = dynamic_cast<const timeline_writer&>(*timeline->writer);
                timeline_written_.events = writer.written();
                timeline_written_.left_out = writer.left_out();
            },
            [this] { timeline_written_ = {}; });
    }
    if (failed) {
        std::rethrow_exception(failed);
    }
}

/// What is worth a look: the first request, the slowest one, each kind of violation.
initial_view recorder::view_of(const recorded_file& waveform) const {
    initial_view view{.from = waveform.from,
                      .to = waveform.last,
                      .changed = {waveform.changed.begin(), waveform.changed.end()},
                      .waveform_from = waveform.from,
                      .waveform_to = waveform.last};
    const auto within = [&](const sc_core::sc_time& when) {
        return when.value() >= waveform.from && when.value() <= waveform.last;
    };
    const report::journey* const first = journeys_->first();
    view.device = first == nullptr ? std::string() : std::string(first->device);
    if (first != nullptr && within(first->begin)) {
        view.markers.push_back({first->begin.value(), fmt::format("first request ({})", first->number)});
        const std::uint64_t margin = first->total().value() / 8;  // its mark has a name
        view.from = std::max<std::uint64_t>(
            waveform.from, first->begin.value() - std::min<std::uint64_t>(margin, first->begin.value()));
        view.to = std::min<std::uint64_t>(waveform.last, first->end().value() + margin);
    }
    if (const report::journey* const slowest = journeys_->slowest();
        slowest != nullptr && within(slowest->begin) && slowest->begin != first->begin) {
        view.markers.push_back(
            {slowest->begin.value(), fmt::format("slowest request ({})", slowest->number)});
    }
    std::size_t number = 0;
    for (const report::violation_group& each : violations_->groups()) {
        if (!report::is_note(each.first.kind) && within(each.first.when)) {
            view.markers.push_back({each.first.when.value(), fmt::format("violation {}: {}", ++number,
                                                                         report::to_name(each.first.kind))});
        }
    }
    if (shown_) {
        view.from = std::clamp<std::uint64_t>(shown_->from.value(), waveform.from, waveform.last);
        view.to = std::clamp<std::uint64_t>(shown_->to.value(), view.from, waveform.last);
    }
    return view;
}

std::uint32_t recorder::declare(signal_declaration declaration, signal_source& source) {
    check_name(declaration);
    if (waveform_ || timeline_) {
        throw std::logic_error(fmt::format("signal {}.{} is declared while a waveform is being written",
                                           declaration.scope, declaration.name));
    }
    if (!declared_.insert(fmt::format("{}.{}", declaration.scope, declaration.name)).second) {
        throw std::logic_error(
            fmt::format("signal {}.{} is declared twice", declaration.scope, declaration.name));
    }
    declarations_.push_back(std::move(declaration));
    sources_.push_back(&source);
    return static_cast<std::uint32_t>(declarations_.size() - 1);
}

void recorder::refuse(std::uint32_t id, std::uint64_t when) const {
    throw std::logic_error(fmt::format("signal {}.{} changes at {}, but simulation time is {} already",
                                       declarations_[id].scope, declarations_[id].name,
                                       in_units(sc_core::sc_time::from_value(when)), in_units(*simulated_)));
}

std::string_view recorder::intern(std::string_view text) { return *interned_.emplace(text).first; }

}  // namespace pefsim::trace
