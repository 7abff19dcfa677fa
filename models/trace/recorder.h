// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <systemc>
#include <unordered_set>
#include <vector>

#include "report/scope_group.h"
#include "report/trace_summary.h"
#include "trace/reorder_buffer.h"
#include "trace/value_change.h"

namespace pefsim::exposure {
class ledger;
}
namespace pefsim::output {
class whole_file;
}
namespace pefsim::report {
class journey_log;
class metric_registry;
class violation_log;
struct run_record;
}  // namespace pefsim::report

namespace pefsim::trace {

/// How a signal's value is written.
enum class signal_type : std::uint8_t {
    bit,               ///< one bit
    unsigned_integer,  ///< `width` bits, shown in decimal
    address,           ///< `width` bits, shown in hexadecimal
    text,              ///< an enumeration's value by name, or a name
    event,             ///< no value: an instant (doorbell, interrupt)
};

/// What a module says once about one of its signals.
struct signal_declaration {
    std::string scope;  ///< hierarchical name of the module, "machine.cpu0"
    std::string name;   ///< "msr_s"
    signal_type type;
    unsigned width;  ///< bits; 0 for text
    std::string description;
};

/// A value on its way into a waveform. `text` must outlive the recorder (an enumeration's name, or
/// recorder::intern()).
struct signal_value {
    std::uint64_t number = 0;
    std::string_view text;
};

/// The part of a signal that the recorder sees.
class signal_source {
public:
    /// The value that holds when recording begins.
    virtual signal_value begin_recording() = 0;
    /// Whether changes are told from now on.
    void record(bool on) { recorded_ = on; }

protected:
    ~signal_source() = default;
    [[nodiscard]] bool recorded() const { return recorded_; }

private:
    bool recorded_ = false;
};

class recorder;
struct initial_view;

/// A declared signal's place in its recorder, which asks it no more once its life is over.
class signal_registration {
public:
    /// \throws what recorder::declare() does
    signal_registration(recorder& to, signal_declaration declaration, signal_source& source);
    ~signal_registration();
    signal_registration(const signal_registration&) = delete;
    signal_registration& operator=(const signal_registration&) = delete;
    [[nodiscard]] std::uint32_t id() const { return id_; }

private:
    std::shared_ptr<recorder*> to_;  // to nullptr once the recorder is gone
    std::uint32_t id_;
};

/// Where a waveform goes and which part of the run it shows.
struct recording_options {
    std::filesystem::path file;  ///< .vcd or .fst; anything else is an error
    sc_core::sc_time from = sc_core::SC_ZERO_TIME;
    std::optional<sc_core::sc_time> to = std::nullopt;  ///< to the end of the run when absent
    std::string title{};                                ///< written into the trace's header
};

/// Where a timeline goes (trace/timeline.h), which part of the run it shows, and how large it may be.
struct timeline_options {
    std::filesystem::path file;
    sc_core::sc_time from = sc_core::SC_ZERO_TIME;
    std::optional<sc_core::sc_time> to = std::nullopt;
    std::uint64_t most_bytes = 0;
};

/// The one observer of a machine: every module declares its signals (trace/signal.h) and metrics
/// (trace/metrics.h) here in its own constructor, and trace/ decides where they go.
///
/// Modules run ahead of simulation time by up to a quantum, so changes arrive out of order; the recorder
/// holds them back until simulation time has passed them and writes them sorted by time, in order of arrival
/// at equal times. While nothing is recorded a change costs its signal one predictable branch.
///
/// The recorder has signals of its own in the scope "violations": each violation in the log is an event
/// there, with kind and initiator.
class recorder {
public:
    recorder();
    ~recorder();
    recorder(const recorder&) = delete;
    recorder& operator=(const recorder&) = delete;

    /// Scope of the recorder's own signals.
    static constexpr std::string_view violation_scope = "violations";

    /// Starts writing a waveform, and beside it what opens viewers at it: GTKWave's save file `<file stem>.gtkw` and
    /// Surfer's command file `<file stem>.sucl`. All take their places when the waveform is whole
    /// (output::whole_file). All signals must have been declared;
    /// simulation has not begun, or no process runs ahead at the moment (the values in force are asked of the
    /// signals).
    /// \throws std::invalid_argument naming the file when it cannot be written, when its ending is neither
    ///         .vcd nor .fst, or when the window is empty
    void start(const recording_options& options);
    /// Starts a timeline, beside a waveform or without one. The same holds, and for `most_bytes` of at least
    /// trace::least_timeline_bytes.
    void start_timeline(const timeline_options& options);
    /// Writes what is held back, ends waveform and timeline at the current simulation time and writes the files of
    /// viewers. Nothing happens when there is neither. The destructor does the same but keeps errors to itself.
    /// \throws output::write_error naming the file when it could not be written in full; then there is neither of them
    void finish();
    /// True from start() to finish(), or until a change comes behind the end of the window.
    [[nodiscard]] bool recording() const { return recording_; }
    /// False when Debian's FST writer was not there at build time: then .fst cannot be written, .vcd can.
    [[nodiscard]] static bool fst_available();
    /// Trace file and save file that are written; empty before start(), and when they could not be.
    [[nodiscard]] const std::filesystem::path& trace_file() const { return trace_file_; }
    [[nodiscard]] const std::filesystem::path& save_file() const { return save_file_; }
    /// Value changes and events in the waveform, without the values in force at its start.
    [[nodiscard]] std::uint64_t changes_written() const { return changes_written_; }

    /// A group of the save file, the catalogue and the report, in order of these calls: the order of a
    /// request's journey. A signal belongs to the group with the longest scope above it; what no group covers
    /// follows, one group for each module in order of declaration. A group that covers nothing is left out.
    void group(std::string_view scope, std::string_view title, bool folded = false) {
        groups_.push_back({std::string(scope), std::string(title), folded});
    }
    [[nodiscard]] const std::vector<report::scope_group>& groups() const { return groups_; }
    /// The part of the run that the viewer shows at first (one request, say); all of it when never called.
    void show(const sc_core::sc_time& from, const sc_core::sc_time& to) { shown_ = {from, to}; }

    /// Everything declared so far, in order of declaration.
    [[nodiscard]] const std::vector<signal_declaration>& signals() const { return declarations_; }
    report::metric_registry& metrics() { return *metrics_; }
    [[nodiscard]] const report::metric_registry& metrics() const { return *metrics_; }
    report::violation_log& violations() { return *violations_; }
    [[nodiscard]] const report::violation_log& violations() const { return *violations_; }
    report::journey_log& journeys() { return *journeys_; }
    [[nodiscard]] const report::journey_log& journeys() const { return *journeys_; }
    exposure::ledger& ledger() { return *ledger_; }
    [[nodiscard]] const exposure::ledger& ledger() const { return *ledger_; }
    /// For the run's report; the trace must have been finished.
    [[nodiscard]] report::run_record record() const;

    /// Full names of signals and metrics whose modules are gone.
    [[nodiscard]] std::vector<std::string> departed() const;

    /// While something is recorded: simulation time, behind which nobody tells of a change.
    [[nodiscard]] const sc_core::sc_time& simulated() const { return *simulated_; }

    /// For signal<T> only.
    /// \throws std::logic_error when the name is taken or has characters other than letters, digits, '_' and
    /// '-'
    std::uint32_t declare(signal_declaration declaration, signal_source& source);
    /// While the signal is recorded. Inline, so that a change goes from registers to its place: what is written to a
    /// call's stack by words and read from there by larger ones waits for itself.
    /// \throws std::logic_error when it lies before the current simulation time
    [[gnu::always_inline]] void change(const value_change& c) {
        if (c.time < simulated_->value()) [[unlikely]] {
            refuse(c.id, c.time);
        }
        if (waveform_) {
            hold_back(c, of_waveform_);
        }
        if (timeline_ && timeline_wants_[c.id]) {
            hold_back(c, of_timeline_);
        }
    }
    /// A copy of `text` that lives as long as the recorder; equal texts share one copy.
    std::string_view intern(std::string_view text);

private:
    friend class signal_registration;
    void forget(std::uint32_t id);

    struct recorded_file;
    class violation_signals;
    struct shown_window {
        sc_core::sc_time from;
        sc_core::sc_time to;
    };
    [[noreturn]] void refuse(std::uint32_t id, std::uint64_t when) const;
    [[gnu::always_inline]] void hold_back(const value_change& c, reorder_buffer& in) {
        in.add(c);
        if (in.full()) [[unlikely]] {
            release(in);
        }
    }
    void release(reorder_buffer& from);
    void record_signals();
    [[nodiscard]] initial_view view_of(const recorded_file& waveform) const;

    bool recording_ = false;
    const sc_core::sc_time* simulated_ = nullptr;
    // Each file's own: when its changes are released must not depend on whether the other is there.
    reorder_buffer of_waveform_;
    reorder_buffer of_timeline_;
    std::vector<bool> timeline_wants_;  // by id
    std::shared_ptr<recorder*> self_ = std::make_shared<recorder*>(this);
    std::vector<signal_declaration> declarations_;
    std::vector<signal_source*> sources_;
    std::unordered_set<std::string> declared_;  // full names
    std::unordered_set<std::string> interned_;
    std::vector<report::scope_group> groups_;
    std::optional<shown_window> shown_;
    std::unique_ptr<recorded_file> waveform_;
    std::unique_ptr<output::whole_file> save_output_;
    std::unique_ptr<output::whole_file> commands_output_;
    std::unique_ptr<recorded_file> timeline_;
    report::timeline_summary timeline_written_;
    std::uint64_t changes_written_ = 0;
    std::filesystem::path trace_file_;
    std::filesystem::path save_file_;
    std::unique_ptr<report::metric_registry> metrics_;
    std::unique_ptr<report::violation_log> violations_;
    std::unique_ptr<report::journey_log> journeys_;
    std::unique_ptr<exposure::ledger> ledger_;
    std::unique_ptr<violation_signals> violation_signals_;
};

}  // namespace pefsim::trace
