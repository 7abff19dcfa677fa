// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <vector>

#include "power/debug/byte_channel.h"
#include "power/debug/debug_target.h"
#include "power/debug/gdb_packet.h"
#include "power/debug/gdb_registers.h"

namespace pefsim::power::debug {

/// Lets one GDB drive a debug_target: the GDB Remote Serial Protocol ("Debugging with GDB", appendix E), all-stop, a
/// thread for each core (core 0 is thread 1). Breakpoints Z0 and Z1 are the same: the guest's code is not changed.
/// Watchpoints Z2, Z3 and Z4 stop before the access, as gdb expects of this architecture.
///
///     gdb-multiarch -ex 'set endian little' -ex 'target remote :1234'
///
/// What the user says to `monitor` (qRcmd) is debug_target::command()'s.
///
/// Whatever arrives, it goes on: a packet with a wrong checksum is asked for again, one that makes no sense gets an
/// error, an unknown command gets the empty answer that the protocol prescribes.
class gdb_server {
public:
    gdb_server(debug_target& target, byte_channel& channel, gdb::byte_order order = gdb::byte_order::little);

    /// To be called between slices of the simulation. While the target stands still, does what GDB asks and comes back
    /// when something is to run; while it runs, only looks whether GDB wants it to stop. Time stands still meanwhile.
    /// \returns false when GDB has detached, has killed the target, or has gone: then the target runs freely, or is
    /// killed
    bool serve();

private:
    void receive(bool wait);
    void acknowledge(bool good);
    void work_through();
    void handle(const std::string& packet);
    std::string answer(std::string_view command);
    void send(std::string_view data);
    void report(const stop_event& stop);
    std::string stop_reply(const stop_event& stop) const;

    std::string query(std::string_view rest);
    std::string feature_part(std::string_view rest) const;
    std::string thread_extra(std::string_view rest);
    std::string monitor_command(std::string_view rest);
    std::string choose_thread(std::string_view rest);
    std::string is_alive(std::string_view rest) const;
    std::string read_registers();
    std::string write_registers(std::string_view rest);
    std::string read_one(std::string_view rest);
    std::string write_one(std::string_view rest);
    std::string read_memory(std::string_view rest);
    std::string write_memory(std::string_view rest, bool binary);
    std::string change_point(std::string_view rest, bool add);
    std::string go(std::string_view rest, resume_action action, bool with_signal);
    std::string verbose(std::string_view rest);
    std::string vcont(std::string_view actions);
    std::string resume(const std::vector<resume_action>& actions);
    void leave();

    debug_target& target_;
    byte_channel& channel_;
    gdb::byte_order order_;
    gdb::packet_parser parser_;
    std::deque<gdb::arrival> arrived_;  // and waits to be handled
    std::string last_sent_;
    std::size_t core_ = 0;  // that commands are about
    bool acks_ = true;
    bool quiet_acks_next_ = false;  // QStartNoAckMode has been agreed to
    bool running_ = false;          // GDB waits for a stop
    bool done_ = false;
};

}  // namespace pefsim::power::debug
