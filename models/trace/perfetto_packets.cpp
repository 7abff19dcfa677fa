// SPDX-License-Identifier: Apache-2.0
//
// Numbers of fields are those of perfetto.protos: trace_packet.proto, track_descriptor.proto, track_event.proto,
// interned_data.proto; of profiles, trace_packet_defaults.proto, perf_events.proto, profile_common.proto,
// profile_packet.proto.
#include "trace/perfetto_packets.h"

#include <algorithm>
#include <array>
#include <boost/endian/conversion.hpp>
#include <cstddef>
#include <limits>
#include <protozero/pbf_writer.hpp>
#include <protozero/types.hpp>
#include <vector>

#include "trace/varint.h"

namespace pefsim::trace {

namespace {

using protozero::pbf_writer;

namespace trace_field {
constexpr std::uint32_t packet = 1;
}
namespace packet_field {
constexpr std::uint32_t timestamp = 8;
constexpr std::uint32_t sequence = 10;
constexpr std::uint32_t track_event = 11;
constexpr std::uint32_t interned_data = 12;
constexpr std::uint32_t sequence_flags = 13;
constexpr std::uint32_t defaults = 59;
constexpr std::uint32_t track_descriptor = 60;
constexpr std::uint32_t perf_sample = 66;
}  // namespace packet_field
namespace sequence_flag {
constexpr std::uint32_t incremental_state_cleared = 1;
constexpr std::uint32_t needs_incremental_state = 2;
}  // namespace sequence_flag
namespace descriptor_field {
constexpr std::uint32_t uuid = 1;
constexpr std::uint32_t name = 2;
constexpr std::uint32_t process = 3;
constexpr std::uint32_t thread = 4;
constexpr std::uint32_t parent_uuid = 5;
constexpr std::uint32_t counter = 8;
constexpr std::uint32_t child_ordering = 11;
constexpr std::uint32_t sibling_order_rank = 12;
constexpr std::int32_t explicit_order = 3;
}  // namespace descriptor_field
namespace process_field {
constexpr std::uint32_t pid = 1;
constexpr std::uint32_t name = 6;
}  // namespace process_field
namespace thread_field {
constexpr std::uint32_t pid = 1;
constexpr std::uint32_t tid = 2;
constexpr std::uint32_t name = 5;
}  // namespace thread_field
namespace counter_field {
constexpr std::uint32_t unit_name = 6;
}
namespace event_field {
constexpr std::uint32_t category_iids = 3;
constexpr std::uint32_t debug_annotations = 4;
constexpr std::uint32_t type = 9;
constexpr std::uint32_t name_iid = 10;
constexpr std::uint32_t track_uuid = 11;
constexpr std::uint32_t counter_value = 30;
constexpr std::uint32_t flow_ids = 47;
constexpr std::uint32_t terminating_flow_ids = 48;
constexpr std::uint32_t correlation_id = 52;
}  // namespace event_field
namespace annotation_field {
constexpr std::uint32_t uint_value = 3;
constexpr std::uint32_t name = 10;
}  // namespace annotation_field
namespace interned_field {
constexpr std::uint32_t event_categories = 1;
constexpr std::uint32_t event_names = 2;
constexpr std::uint32_t function_names = 5;
constexpr std::uint32_t frames = 6;
constexpr std::uint32_t callstacks = 7;
constexpr std::uint32_t mapping_paths = 17;
constexpr std::uint32_t mappings = 19;
constexpr std::uint32_t iid = 1;
constexpr std::uint32_t name = 2;
}  // namespace interned_field
namespace defaults_field {
constexpr std::uint32_t perf_sample = 12;
constexpr std::uint32_t timebase = 1;  // of the samples' defaults
}  // namespace defaults_field
namespace timebase_field {
constexpr std::uint32_t period = 1;
constexpr std::uint32_t counter = 4;
constexpr std::uint32_t name = 10;
constexpr std::int32_t hw_instructions = 11;
}  // namespace timebase_field
namespace mapping_field {
constexpr std::uint32_t iid = 1;
constexpr std::uint32_t start = 4;
constexpr std::uint32_t end = 5;
constexpr std::uint32_t path_string_ids = 7;
}  // namespace mapping_field
namespace frame_field {
constexpr std::uint32_t iid = 1;
constexpr std::uint32_t function_name_id = 2;
constexpr std::uint32_t mapping_id = 3;
constexpr std::uint32_t rel_pc = 4;
}  // namespace frame_field
namespace callstack_field {
constexpr std::uint32_t iid = 1;
constexpr std::uint32_t frame_ids = 2;
}  // namespace callstack_field
namespace sample_field {
constexpr std::uint32_t pid = 2;
constexpr std::uint32_t tid = 3;
constexpr std::uint32_t callstack_iid = 4;
}  // namespace sample_field

constexpr std::uint32_t our_sequence = 1;
constexpr std::int32_t our_program = 1;  // of a profile: its process and its only thread
constexpr std::uint64_t our_mapping = 1;

/// A packet of our sequence; its content goes into it while it lives.
class packet {
public:
    packet(std::string& to, std::uint64_t ns, std::uint32_t flags)
        : trace_(to),
          packet_(trace_, trace_field::packet) {
        packet_.add_uint64(packet_field::timestamp, ns);
        packet_.add_uint32(packet_field::sequence, our_sequence);
        if (flags != 0) {
            packet_.add_uint32(packet_field::sequence_flags, flags);
        }
    }
    operator pbf_writer&() { return packet_; }  // NOLINT(google-explicit-constructor): it is one

private:
    pbf_writer trace_;
    pbf_writer packet_;
};

/// A message of numbers, shorter than 128 bytes: its length is one byte. There are many of them, made on the stack.
class small_message {
public:
    void add(std::uint32_t field, std::uint64_t number) {
        tag(field, protozero::pbf_wire_type::varint);
        end_ = write_varint(end_, number);
    }
    void add_fixed64(std::uint32_t field, std::uint64_t number) {
        tag(field, protozero::pbf_wire_type::fixed64);
        boost::endian::store_little_u64(reinterpret_cast<unsigned char*>(end_), number);
        end_ += sizeof number;
    }
    void add(std::uint32_t field, std::string_view bytes) {
        tag(field, protozero::pbf_wire_type::length_delimited);
        end_ = write_varint(end_, bytes.size());
        end_ = std::ranges::copy(bytes, end_).out;
    }

    /// What is added from now on is a message within this one, until its end.
    [[nodiscard]] char* begin(std::uint32_t field) {
        tag(field, protozero::pbf_wire_type::length_delimited);
        return end_++;
    }
    void end(char* message) { *message = static_cast<char>(end_ - message - 1); }
    [[nodiscard]] std::string_view bytes() const { return {bytes_.data(), end_}; }

private:
    void tag(std::uint32_t field, protozero::pbf_wire_type type) {
        end_ = write_varint(end_, field << 3 | static_cast<std::uint32_t>(type));
    }

    std::array<char, 127> bytes_;
    char* end_ = bytes_.data();
};

/// A packet with a track event and what every one of them has.
class event : public small_message {
public:
    /// \param flags needs_incremental_state when it has names
    event(std::int32_t type, perfetto_packets::track on, std::uint64_t ns, std::uint32_t flags = 0)
        : packet_(begin(trace_field::packet)) {
        add(packet_field::timestamp, ns);
        add(packet_field::sequence, our_sequence);
        if (flags != 0) {
            add(packet_field::sequence_flags, flags);
        }
        event_ = begin(packet_field::track_event);
        add(event_field::type, static_cast<std::uint64_t>(type));
        add(event_field::track_uuid, on);
    }
    event(const event&) = delete;
    event& operator=(const event&) = delete;

    void append_to(std::string& trace) {
        end(event_);
        end(packet_);
        trace.append(bytes());
    }

private:
    char* packet_;
    char* event_;
};

void add_text(pbf_writer& to, std::uint32_t field, std::string_view text) {
    to.add_string(field, text.data(), text.size());
}

}  // namespace

void perfetto_packets::clear_state(std::uint64_t ns) {
    const packet first(to_, ns, sequence_flag::incremental_state_cleared);
}

perfetto_packets::track perfetto_packets::add_process(std::string_view name) {
    packet within(to_, 0, 0);
    pbf_writer descriptor(within, packet_field::track_descriptor);
    descriptor.add_uint64(descriptor_field::uuid, ++last_track_);
    {
        pbf_writer process(descriptor, descriptor_field::process);
        process.add_int32(process_field::pid, static_cast<std::int32_t>(last_track_));
        add_text(process, process_field::name, name);
    }
    descriptor.add_enum(descriptor_field::child_ordering, descriptor_field::explicit_order);
    return last_track_;
}

perfetto_packets::track perfetto_packets::add_track(track within_process, std::string_view name) {
    packet within(to_, 0, 0);
    pbf_writer descriptor(within, packet_field::track_descriptor);
    descriptor.add_uint64(descriptor_field::uuid, ++last_track_);
    add_text(descriptor, descriptor_field::name, name);
    descriptor.add_uint64(descriptor_field::parent_uuid, within_process);
    descriptor.add_int32(descriptor_field::sibling_order_rank, ++last_rank_);
    return last_track_;
}

perfetto_packets::track perfetto_packets::add_counter(track within_process, std::string_view name,
                                                      std::string_view unit) {
    packet within(to_, 0, 0);
    pbf_writer descriptor(within, packet_field::track_descriptor);
    descriptor.add_uint64(descriptor_field::uuid, ++last_track_);
    add_text(descriptor, descriptor_field::name, name);
    descriptor.add_uint64(descriptor_field::parent_uuid, within_process);
    {
        pbf_writer counter(descriptor, descriptor_field::counter);
        add_text(counter, counter_field::unit_name, unit);
    }
    descriptor.add_int32(descriptor_field::sibling_order_rank, ++last_rank_);
    return last_track_;
}

void perfetto_packets::tell_name(std::uint32_t field, std::uint64_t number, std::string_view name) {
    packet within(to_, 0, sequence_flag::needs_incremental_state);
    pbf_writer all(within, packet_field::interned_data);
    pbf_writer entry(all, field);
    entry.add_uint64(interned_field::iid, number);
    add_text(entry, interned_field::name, name);
}

perfetto_packets::category perfetto_packets::add_category(std::string_view name) {
    tell_name(interned_field::event_categories, ++last_category_, name);
    return last_category_;
}

std::uint64_t perfetto_packets::number_of(interned& in, std::string_view name, std::uint32_t field) {
    if (const auto found = in.find(name); found != in.end()) {
        return found->second;
    }
    const std::uint64_t number = in.size() + 1;
    in.emplace(name, number);
    tell_name(field, number, name);
    return number;
}

void perfetto_packets::named(event_type type, track on, std::uint64_t ns, std::string_view name,
                             const details& more) {
    event says(static_cast<std::int32_t>(type), on, ns, sequence_flag::needs_incremental_state);
    says.add(event_field::name_iid, number_of(names_, name, interned_field::event_names));
    if (more.in != 0) {
        says.add(event_field::category_iids, more.in);
    }
    if (more.correlation != 0) {
        says.add(event_field::correlation_id, more.correlation);
    }
    if (more.flow != 0) {
        says.add_fixed64(more.flow_ends ? event_field::terminating_flow_ids : event_field::flow_ids,
                         more.flow);
    }
    if (more.request != 0) {
        char* const annotation = says.begin(event_field::debug_annotations);
        says.add(annotation_field::name, "request");
        says.add(annotation_field::uint_value, more.request);
        says.end(annotation);
    }
    says.append_to(to_);
}

void perfetto_packets::begin(track on, std::uint64_t ns, std::string_view name, const details& more) {
    named(event_type::slice_begin, on, ns, name, more);
}

void perfetto_packets::instant(track on, std::uint64_t ns, std::string_view name, const details& more) {
    named(event_type::instant, on, ns, name, more);
}

void perfetto_packets::end(track on, std::uint64_t ns) {
    event(static_cast<std::int32_t>(event_type::slice_end), on, ns).append_to(to_);
}

void perfetto_packets::value(track on, std::uint64_t ns, std::uint64_t value) {
    event says(static_cast<std::int32_t>(event_type::counter), on, ns);
    says.add(event_field::counter_value, value);
    says.append_to(to_);
}

// --- samples of a profile

void perfetto_packets::begin_profile(std::string_view program, std::string_view counter,
                                     std::uint64_t period) {
    {
        packet within(to_, 0, sequence_flag::incremental_state_cleared);
        pbf_writer& fields = within;
        {
            pbf_writer defaults(fields, packet_field::defaults);
            pbf_writer samples(defaults, defaults_field::perf_sample);
            pbf_writer timebase(samples, defaults_field::timebase);
            timebase.add_uint64(timebase_field::period, period);
            timebase.add_enum(timebase_field::counter, timebase_field::hw_instructions);
            add_text(timebase, timebase_field::name, counter);
        }
        // Readers drop frames of no mapping: all code lies in one.
        pbf_writer data(fields, packet_field::interned_data);
        {
            pbf_writer path(data, interned_field::mapping_paths);
            path.add_uint64(interned_field::iid, our_mapping);
            add_text(path, interned_field::name, program);
        }
        pbf_writer mapping(data, interned_field::mappings);
        mapping.add_uint64(mapping_field::iid, our_mapping);
        mapping.add_uint64(mapping_field::start, 0);
        mapping.add_uint64(mapping_field::end, std::numeric_limits<std::int64_t>::max());
        mapping.add_uint64(mapping_field::path_string_ids, our_mapping);
    }
    const track process = add_process(program);
    packet within(to_, 0, 0);
    pbf_writer descriptor(within, packet_field::track_descriptor);
    descriptor.add_uint64(descriptor_field::uuid, ++last_track_);
    descriptor.add_uint64(descriptor_field::parent_uuid, process);
    pbf_writer thread(descriptor, descriptor_field::thread);
    thread.add_int32(thread_field::pid, our_program);
    thread.add_int32(thread_field::tid, our_program);
    add_text(thread, thread_field::name, program);
}

std::uint64_t perfetto_packets::number_of(const frame& what) {
    const std::size_t known = functions_.size();
    const std::uint64_t number = number_of(functions_, what.function, interned_field::function_names);
    if (functions_.size() != known) {
        packet within(to_, 0, sequence_flag::needs_incremental_state);
        pbf_writer data(within, packet_field::interned_data);
        pbf_writer fields(data, interned_field::frames);
        fields.add_uint64(frame_field::iid, number);
        fields.add_uint64(frame_field::function_name_id, number);
        fields.add_uint64(frame_field::mapping_id, our_mapping);
        fields.add_uint64(frame_field::rel_pc, what.address);
    }
    return number;
}

perfetto_packets::callstack perfetto_packets::add_callstack(std::span<const frame> outermost_first) {
    std::vector<std::uint64_t> numbers;
    for (const frame& each : outermost_first) {
        numbers.push_back(number_of(each));
    }
    packet within(to_, 0, sequence_flag::needs_incremental_state);
    pbf_writer data(within, packet_field::interned_data);
    pbf_writer fields(data, interned_field::callstacks);
    fields.add_uint64(callstack_field::iid, ++last_callstack_);
    for (const std::uint64_t each : numbers) {
        fields.add_uint64(callstack_field::frame_ids, each);
    }
    return last_callstack_;
}

void perfetto_packets::sample(callstack at, std::uint64_t ns) {
    packet within(to_, ns, sequence_flag::needs_incremental_state);
    pbf_writer fields(within, packet_field::perf_sample);
    fields.add_uint32(sample_field::pid, static_cast<std::uint32_t>(our_program));
    fields.add_uint32(sample_field::tid, static_cast<std::uint32_t>(our_program));
    fields.add_uint64(sample_field::callstack_iid, at);
}

}  // namespace pefsim::trace
