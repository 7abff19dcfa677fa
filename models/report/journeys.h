// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <systemc>
#include <unordered_map>
#include <vector>

#include "report/anatomy.h"
#include "report/journey.h"
#include "report/workload_series.h"

namespace pefsim::report {

class journey_log;

/// Which way the buffers of a queue go.
enum class journey_course : std::uint8_t {
    round_trip,   ///< a request and its answer
    to_device,    ///< frames that are sent: over when the device has them, and collected when there is time
    from_device,  ///< buffers for what comes in: a journey begins when the device has something for one
};

/// The requests of one queue that are under way, as its driver and its device see them. Both tell of a request by the
/// head of its chain (of a packed ring: the buffer id), which no other request has meanwhile.
///
/// A queue whose driver tells nothing, because it is another system's, has journeys from doorbell to interrupt.
class queue_journeys {
public:
    /// A request's way into the ring.
    struct way_there {
        sc_core::sc_time submitted{};
        sc_core::sc_time entered{};    ///< the queue has taken it up
        sc_core::sc_time available{};  ///< the index that covers it is published
        sc_core::sc_time mapping{};    ///< of the time between these two: DMA operations with their copies
        sc_core::sc_time copying{};    ///< and of that their copies
    };
    /// What the driver keeps of a request between collected() and completed().
    using handle = std::uint32_t;
    static constexpr handle none = 0;

    /// \param last_number of the device's requests, all its queues'
    queue_journeys(journey_log& log, std::string device, std::uint16_t queue, std::uint64_t& last_number)
        : log_(log),
          device_(std::move(device)),
          queue_(queue),
          last_number_(last_number) {}

    void set_course(journey_course course) { course_ = course; }
    /// Its driver tells of its requests.
    [[nodiscard]] bool driven() const { return driven_; }

    // --- numbers: the device's, 1, 2, 3 ... over all its queues. A request has its number from the first that its
    // driver does for it; buffers for what comes in, and requests whose driver tells nothing, when the device takes
    // them.
    /// That of the request which is made available next; 0: it gets one later.
    std::uint64_t next_number();
    /// That of the request with this head, until its driver has collected it; 0: it has none yet, or is not known.
    [[nodiscard]] std::uint64_t number_of(std::uint16_t head) const {
        return requests_[of_head(head)].number;
    }
    /// The device takes the request. \returns the number that it has, or a new one
    std::uint64_t number_for_device(std::uint16_t head);

    // --- the driver, in order; before each the device may be anywhere
    void made_available(std::uint16_t head, const way_there& how);
    /// \param found when it was seen in the used ring  \param copying how long its data were copied back since
    handle collected(std::uint16_t head, const sc_core::sc_time& found, const sc_core::sc_time& copying);
    void completed(handle which, const sc_core::sc_time& when);

    // --- the device
    void rung(const sc_core::sc_time& when);
    void taken(std::uint16_t head, std::uint64_t number, const sc_core::sc_time& when);
    /// A number that the device has given it is given again if it is the latest.
    void put_back(std::uint16_t head);
    /// \param bytes of its buffers
    void holds(std::uint16_t head, std::uint64_t bytes);
    /// \param kind a literal
    void classify(std::uint16_t head, std::string_view kind);
    /// It is in the used ring.
    void returned(std::uint16_t head, const sc_core::sc_time& when);
    /// The queue stops: what is under way has no end.
    void stop();

    // --- interrupts of a queue whose driver tells nothing
    /// For what was returned since the last time, an interrupt is on its way; or none is, and that is all there is to
    /// see.
    void interrupt_sent(bool sent);
    /// A processor took the queue's interrupt, and has dealt with it.
    void interrupt_taken(const sc_core::sc_time& when);
    void interrupt_handled(const sc_core::sc_time& when);

    /// A request that has not come to its end.
    struct unfinished {
        std::string_view device;
        std::uint16_t queue;
        std::string_view kind;     ///< empty: the device has not looked at it
        std::uint64_t number;      ///< 0: likewise
        journey_part waiting_for;  ///< doorbell, device or interrupt
        sc_core::sc_time since;
    };
    void add_unfinished(std::vector<unfinished>& to) const;

private:
    /// Interrupts that nobody takes, since the guest has masked them and polls, are given up from here on.
    static constexpr std::size_t most_announced = 32'768;

    enum class place : std::uint8_t { nowhere, available, taken, returned, collected, over };
    struct under_way {
        place at = place::nowhere;
        bool driven = false;  // its driver tells of it
        bool rung = false;    // it is known when its device was told
        std::uint16_t head = 0;
        std::uint64_t number = 0;
        std::uint64_t bytes = 0;
        std::string_view kind{};
        way_there there{};
        sc_core::sc_time taken{};
        sc_core::sc_time returned{};
        sc_core::sc_time found{};
        sc_core::sc_time copying_back{};
    };

    handle begin(std::uint16_t head);
    void forget(handle which);
    [[nodiscard]] handle of_head(std::uint16_t head) const {
        return head < by_head_.size() ? by_head_[head] : none;
    }
    under_way* known(std::uint16_t head);
    [[nodiscard]] std::string_view kind_of(const under_way& request) const;
    void tell(const under_way& request, const sc_core::sc_time& end);
    void conclude(handle which, const sc_core::sc_time& end);
    void end_in_the_ring(std::vector<handle>& these);

    journey_log& log_;
    std::string device_;
    std::uint16_t queue_;
    std::uint64_t& last_number_;
    std::uint64_t next_number_ = 0;  // drawn for the driver's next request; 0: none
    journey_course course_ = journey_course::round_trip;
    bool driven_ = false;
    std::vector<under_way> requests_{1};  // by handle; the first, `none`, is never under way
    std::vector<handle> free_;
    std::vector<handle> by_head_;
    std::optional<sc_core::sc_time> rung_;  // and nothing taken since
    std::vector<handle> answered_;          // returned, and nothing known of an interrupt yet
    std::vector<handle> announced_;         // an interrupt is on its way
    std::vector<handle> being_handled_;     // a processor has taken it
};

/// All journeys of a machine: what is under way by queue, and the anatomy of what has come to its end.
class journey_log {
public:
    /// The queue's, which driver and device share. \param device "virtio-blk0"
    queue_journeys& of(std::string_view device, std::uint16_t queue);

    /// Told of each journey at its end; in order of that, not of their begins.
    void observe(std::function<void(const journey&)> by) { observers_.push_back(std::move(by)); }

    workload_series& series() { return series_; }
    [[nodiscard]] const workload_series& series() const { return series_; }
    /// By device and kind, in order of their first ends.
    [[nodiscard]] const std::deque<kind_anatomy>& kinds() const { return kinds_; }
    // --- interrupts, of queues whose driver tells nothing: the device says whose it sends; the interrupt controller,
    // by its numbers of sources and servers, what becomes of it
    /// For as long as it lives, what is raised is raised by this queue.
    class sending {
    public:
        sending(journey_log& log, queue_journeys& by) : log_(log) {
            log_.sender_ = by.driven() ? nullptr : &by;
        }
        ~sending() { log_.sender_ = nullptr; }
        sending(const sending&) = delete;
        sending& operator=(const sending&) = delete;

    private:
        journey_log& log_;
    };
    void interrupt_raised(std::uint32_t source) {
        if (sender_ != nullptr) {
            by_source_[source] = sender_;
        }
    }
    void interrupt_taken(std::uint32_t source, const sc_core::sc_time& when);
    void interrupt_handled(std::uint32_t source, const sc_core::sc_time& when);
    /// Where a processor takes what is queued for it, whatever its source.
    void interrupt_queued(std::uint32_t source, unsigned server);
    void interrupts_taken(unsigned server, const sc_core::sc_time& when);

    /// The journey that lasted longest of all, and the one that began first, of those with an answer where there are
    /// such; nothing while none has ended.
    [[nodiscard]] const journey* slowest() const;
    [[nodiscard]] const journey* first() const;
    [[nodiscard]] std::vector<queue_journeys::unfinished> unfinished() const;

private:
    friend class queue_journeys;
    void add(const journey& done);

    struct entry {
        std::string device;
        std::uint16_t queue;
        queue_journeys journeys;
    };
    std::deque<entry> queues_;
    std::map<std::string, std::uint64_t, std::less<>> last_numbers_;  // by device
    std::deque<kind_anatomy> kinds_;
    workload_series series_;
    queue_journeys* sender_ = nullptr;
    std::unordered_map<std::uint32_t, queue_journeys*> by_source_;
    std::unordered_map<unsigned, std::vector<queue_journeys*>> queued_;  // by server
    std::vector<std::function<void(const journey&)>> observers_;
};

}  // namespace pefsim::report
