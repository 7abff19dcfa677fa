// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "report/journey.h"
#include "trace/waveform_writer.h"

namespace pefsim::trace {

class recorder;

/// A timeline in Perfetto's format (protobuf, perfetto.protos.Trace), for ui.perfetto.dev and its trace_processor:
/// what a waveform cannot show, many requests at once.
///
/// A process for each group of the recorder, with a track for each of its signals that tell a story: calls as spans,
/// interrupts and doorbells as instants, pool and page states as counters. Requests are spans on tracks of their own,
/// with their parts as children; an arrow leads from each to its span in the device, and on to its interrupt.
/// Categories, and correlation_id, by which viewers choose colours, are the side of the trust boundary: guest,
/// trusted, untrusted, machine. Times are in ns, cut off.
///
/// At most so many bytes are written; what comes then is counted.
class timeline_writer : public waveform_writer {
public:
    /// A request has come to its end.
    virtual void add(const report::journey& done) = 0;
    /// Which of the recorder's signals it shows, by id.
    [[nodiscard]] virtual std::vector<bool> wanted() const = 0;
    /// Spans, instants and values that were written, and that were left out when there was no room left.
    [[nodiscard]] virtual std::uint64_t written() const = 0;
    [[nodiscard]] virtual std::uint64_t left_out() const = 0;
};

/// Least and usual room: what describes the tracks must fit.
inline constexpr std::uint64_t least_timeline_bytes = std::uint64_t{256} << 10;
inline constexpr std::uint64_t usual_timeline_bytes = std::uint64_t{64} << 20;

/// Of the signals and groups that the recorder has now. \param from first instant, in SystemC's time resolution
/// \throws std::invalid_argument naming the file when it cannot be written
std::unique_ptr<timeline_writer> make_timeline_writer(const std::filesystem::path& file, const recorder& of,
                                                      std::uint64_t from, std::uint64_t most_bytes);

}  // namespace pefsim::trace
