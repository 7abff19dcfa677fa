// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "trace/value_change.h"

namespace pefsim::trace {

struct signal_declaration;
struct signal_value;

/// A waveform in one file format. Times are in units of SystemC's time resolution (1 ps unless a program sets
/// another), so that a trace loses nothing: begin() once, then changes in order of time, then end().
///
/// Constructed by make_vcd_writer() or make_fst_writer(): both write the header, with all signals in nested
/// scopes.
class waveform_writer {
public:
    virtual ~waveform_writer() = default;
    waveform_writer(const waveform_writer&) = delete;
    waveform_writer& operator=(const waveform_writer&) = delete;

    /// The values in force at the first instant shown, one for each signal (those of events are ignored).
    virtual void begin(std::uint64_t at, std::span<const signal_value> values) = 0;
    /// \param these in order of time, later than the first instant or at it
    virtual void changes(std::span<const value_change> these) = 0;
    /// The last instant shown; the file is complete.
    /// \throws output::write_error when it could not be written in full; there is no file then
    virtual void end(std::uint64_t at) = 0;

protected:
    waveform_writer() = default;
};

/// For a file that check_trace_file() has accepted.
/// \throws std::invalid_argument naming the file when it cannot be written after all
std::unique_ptr<waveform_writer> make_vcd_writer(const std::filesystem::path& file,
                                                 const std::vector<signal_declaration>& signals,
                                                 const std::string& title);
/// The same; only where recorder::fst_available().
std::unique_ptr<waveform_writer> make_fst_writer(const std::filesystem::path& file,
                                                 const std::vector<signal_declaration>& signals,
                                                 const std::string& title);

}  // namespace pefsim::trace
