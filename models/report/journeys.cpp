// SPDX-License-Identifier: Apache-2.0
#include "report/journeys.h"

#include <algorithm>
#include <utility>

namespace pefsim::report {

using sc_core::sc_time;

namespace {

constexpr std::uint16_t bits(std::initializer_list<journey_part> parts) {
    std::uint16_t all = 0;
    for (const journey_part each : parts) {
        all = static_cast<std::uint16_t>(all | 1U << static_cast<unsigned>(each));
    }
    return all;
}

constexpr std::uint16_t way_in = bits({journey_part::driver, journey_part::map, journey_part::copy,
                                       journey_part::ring, journey_part::doorbell});
constexpr std::uint16_t way_back = bits(
    {journey_part::interrupt, journey_part::copy_back, journey_part::completion});

/// The moments of a journey lie in order, but the clocks of those who tell of them run ahead of each other by parts
/// of a quantum: none is before the one behind which it must be, nor behind the end.
class stages {
public:
    stages(journey& of, const sc_time& begin, const sc_time& end)
        : of_(of),
          at_(begin),
          end_(std::max(begin, end)) {
        of.begin = begin;
    }

    /// \returns how long after the moment before
    sc_time until(const sc_time& moment) {
        const sc_time from = std::exchange(at_, std::clamp(moment, at_, end_));
        return at_ - from;
    }
    void set(journey_part part, const sc_time& lasted) {
        of_.lasted[static_cast<std::size_t>(part)] = lasted;
    }

private:
    journey& of_;
    sc_time at_;
    sc_time end_;
};

}  // namespace

// --- numbers

std::uint64_t queue_journeys::next_number() {
    if (course_ == journey_course::from_device) {
        return 0;
    }
    if (next_number_ == 0) {
        next_number_ = ++last_number_;
    }
    return next_number_;
}

std::uint64_t queue_journeys::number_for_device(std::uint16_t head) {
    const under_way& request = requests_[of_head(head)];
    return request.at == place::available && request.number != 0 ? request.number : ++last_number_;
}

// --- the driver

void queue_journeys::made_available(std::uint16_t head, const way_there& how) {
    if (const handle old = of_head(head); old != none) {
        forget(old);
    }
    under_way& request = requests_[begin(head)];
    request.at = place::available;
    request.driven = driven_ = true;
    request.number = next_number();
    request.there = how;
    next_number_ = 0;
}

queue_journeys::handle queue_journeys::collected(std::uint16_t head, const sc_time& found,
                                                 const sc_time& copying) {
    const handle which = of_head(head);
    if (which == none) {
        return none;
    }
    under_way& request = requests_[which];
    if (request.at != place::returned) {
        forget(which);
        return none;
    }
    by_head_[head] = none;
    request.at = place::collected;
    request.found = found;
    request.copying_back = copying;
    return which;
}

void queue_journeys::completed(handle which, const sc_time& when) {
    if (which < requests_.size() && requests_[which].at == place::collected) {
        conclude(which, when);
    }
}

// --- the device

void queue_journeys::rung(const sc_time& when) {
    if (!rung_) {
        rung_ = when;
    }
}

void queue_journeys::taken(std::uint16_t head, std::uint64_t number, const sc_time& when) {
    handle which = of_head(head);
    if (which != none && requests_[which].at != place::available) {
        forget(which);
        which = none;
    }
    const std::optional<sc_time> rung = std::exchange(rung_, std::nullopt);
    if (which == none) {
        which = begin(head);
        requests_[which].rung = rung.has_value();
        requests_[which].there.submitted = rung.value_or(when);
    }
    under_way& request = requests_[which];
    request.at = place::taken;
    request.number = number;
    request.taken = when;
}

void queue_journeys::put_back(std::uint16_t head) {
    if (under_way* const request = known(head)) {
        const bool drivers_number = request->driven && course_ != journey_course::from_device;
        if (!drivers_number) {
            last_number_ -= request->number == last_number_ ? 1 : 0;
            request->number = 0;
        }
        if (request->driven) {
            request->at = place::available;
        } else {
            forget(of_head(head));
        }
    }
}

void queue_journeys::holds(std::uint16_t head, std::uint64_t bytes) {
    if (under_way* const request = known(head)) {
        request->bytes = bytes;
    }
}

void queue_journeys::classify(std::uint16_t head, std::string_view kind) {
    if (under_way* const request = known(head)) {
        request->kind = kind;
    }
}

void queue_journeys::returned(std::uint16_t head, const sc_time& when) {
    under_way* const request = known(head);
    if (request == nullptr) {
        return;
    }
    request->at = place::returned;
    request->returned = when;
    if (course_ == journey_course::to_device) {
        tell(*request, when);
        request->at = place::over;
        if (!request->driven) {
            forget(of_head(head));
        }
    } else if (!request->driven) {
        answered_.push_back(std::exchange(by_head_[head], none));
    }
}

void queue_journeys::stop() {
    requests_.resize(1);
    free_.clear();
    by_head_.clear();
    rung_.reset();
    answered_.clear();
    announced_.clear();
    being_handled_.clear();
}

// --- interrupts

void queue_journeys::interrupt_sent(bool sent) {
    if (announced_.size() > most_announced) {
        end_in_the_ring(announced_);
    }
    if (sent) {
        announced_.insert(announced_.end(), answered_.begin(), answered_.end());
        answered_.clear();
    } else {
        end_in_the_ring(answered_);
    }
}

void queue_journeys::end_in_the_ring(std::vector<handle>& these) {
    for (const handle each : these) {
        conclude(each, requests_[each].returned);
    }
    these.clear();
}

void queue_journeys::interrupt_taken(const sc_time& when) {
    for (const handle each : announced_) {
        requests_[each].found = when;
        requests_[each].at = place::collected;
    }
    being_handled_.insert(being_handled_.end(), announced_.begin(), announced_.end());
    announced_.clear();
}

void queue_journeys::interrupt_handled(const sc_time& when) {
    for (const handle each : being_handled_) {
        conclude(each, when);
    }
    being_handled_.clear();
}

// --- what is under way

queue_journeys::handle queue_journeys::begin(std::uint16_t head) {
    if (head >= by_head_.size()) {
        by_head_.resize(head + 1U, none);
    }
    if (free_.empty()) {
        free_.push_back(static_cast<handle>(requests_.size()));
        requests_.emplace_back();
    }
    const handle which = free_.back();
    free_.pop_back();
    requests_[which] = {.head = head};
    by_head_[head] = which;
    return which;
}

void queue_journeys::forget(handle which) {
    under_way& request = requests_[which];
    if (of_head(request.head) == which) {
        by_head_[request.head] = none;
    }
    request.at = place::nowhere;
    free_.push_back(which);
}

/// In the device's hands.
queue_journeys::under_way* queue_journeys::known(std::uint16_t head) {
    const handle which = of_head(head);
    return which != none && requests_[which].at == place::taken ? &requests_[which] : nullptr;
}

std::string_view queue_journeys::kind_of(const under_way& request) const {
    if (!request.kind.empty() || request.at == place::available) {
        return request.kind;
    }
    switch (course_) {
    case journey_course::round_trip:
        return "request";
    case journey_course::to_device:
        return "transmit";
    case journey_course::from_device:
        return "receive";
    }
    return {};
}

void queue_journeys::conclude(handle which, const sc_time& end) {
    tell(requests_[which], end);
    forget(which);
}

void queue_journeys::tell(const under_way& request, const sc_time& end) {
    journey done{.device = device_,
                 .kind = kind_of(request),
                 .queue = queue_,
                 .number = request.number,
                 .bytes = request.bytes};
    const bool incoming = course_ == journey_course::from_device;
    stages at(done, incoming ? request.taken : request.there.submitted, end);
    if (request.driven && !incoming) {
        done.seen |= way_in;
        at.set(journey_part::driver, at.until(request.there.entered));
        const sc_time adding = at.until(request.there.available);
        const sc_time mapping = std::min(request.there.mapping, adding);
        const sc_time copying = std::min(request.there.copying, mapping);
        at.set(journey_part::map, mapping - copying);
        at.set(journey_part::copy, copying);
        at.set(journey_part::ring, adding - mapping);
    }
    if (!incoming) {
        if (request.rung) {
            done.seen |= bits({journey_part::doorbell});
        }
        at.set(journey_part::doorbell, at.until(request.taken));
    }
    done.seen |= bits({journey_part::device});
    at.set(journey_part::device, at.until(request.returned));
    if (request.at == place::collected) {
        done.seen |= request.driven ? way_back : bits({journey_part::interrupt, journey_part::completion});
        at.set(journey_part::interrupt, at.until(request.found));
        const sc_time finishing = at.until(end);
        const sc_time copying = std::min(request.copying_back, finishing);
        at.set(journey_part::copy_back, copying);
        at.set(journey_part::completion, finishing - copying);
    }
    log_.add(done);
}

void queue_journeys::add_unfinished(std::vector<unfinished>& to) const {
    for (const under_way& request : requests_) {
        unfinished what{device_, queue_, kind_of(request), request.number, journey_part::doorbell, {}};
        switch (request.at) {
        case place::available:
            if (course_ == journey_course::from_device) {
                continue;
            }
            what.number = 0;
            what.since = request.there.available;
            break;
        case place::taken:
            what.waiting_for = journey_part::device;
            what.since = request.taken;
            break;
        case place::returned:
            what.waiting_for = journey_part::interrupt;
            what.since = request.returned;
            break;
        case place::nowhere:
        case place::collected:
        case place::over:
            continue;
        }
        to.push_back(what);
    }
}

// --- all of a machine

queue_journeys& journey_log::of(std::string_view device, std::uint16_t queue) {
    const auto found = std::ranges::find_if(
        queues_, [&](const entry& each) { return each.device == device && each.queue == queue; });
    if (found != queues_.end()) {
        return found->journeys;
    }
    std::uint64_t& last_number = last_numbers_.try_emplace(std::string(device)).first->second;
    return queues_
        .emplace_back(std::string(device), queue,
                      queue_journeys(*this, std::string(device), queue, last_number))
        .journeys;
}

void journey_log::add(const journey& done) {
    auto found = std::ranges::find_if(kinds_, [&](const kind_anatomy& each) {
        return each.kind == done.kind && each.device == done.device;
    });
    if (found == kinds_.end()) {
        found = kinds_.insert(kinds_.end(), kind_anatomy(std::string(done.device), done.kind));
    }
    found->add(done);
    series_.add(done);
    for (const auto& each : observers_) {
        each(done);
    }
}

void journey_log::interrupt_taken(std::uint32_t source, const sc_time& when) {
    if (const auto found = by_source_.find(source); found != by_source_.end()) {
        found->second->interrupt_taken(when);
    }
}

void journey_log::interrupt_handled(std::uint32_t source, const sc_time& when) {
    if (const auto found = by_source_.find(source); found != by_source_.end()) {
        found->second->interrupt_handled(when);
    }
}

void journey_log::interrupt_queued(std::uint32_t source, unsigned server) {
    if (const auto found = by_source_.find(source); found != by_source_.end()) {
        queued_[server].push_back(found->second);
    }
}

void journey_log::interrupts_taken(unsigned server, const sc_time& when) {
    if (const auto found = queued_.find(server); found != queued_.end()) {
        for (queue_journeys* const each : found->second) {
            each->interrupt_taken(when);
        }
        found->second.clear();
    }
}

namespace {

/// Journeys with an answer first: those that a reader asks for.
bool answered(const journey& one) { return one.knows(journey_part::interrupt); }

}  // namespace

const journey* journey_log::slowest() const {
    const journey* best = nullptr;
    for (const kind_anatomy& each : kinds_) {
        if (best == nullptr || std::pair(answered(each.slowest), each.slowest.total()) >
                                   std::pair(answered(*best), best->total())) {
            best = &each.slowest;
        }
    }
    return best;
}

const journey* journey_log::first() const {
    const journey* best = nullptr;
    for (const kind_anatomy& each : kinds_) {
        if (best == nullptr ||
            std::pair(!answered(each.first), each.first.begin) < std::pair(!answered(*best), best->begin)) {
            best = &each.first;
        }
    }
    return best;
}

std::vector<queue_journeys::unfinished> journey_log::unfinished() const {
    std::vector<queue_journeys::unfinished> all;
    for (const entry& each : queues_) {
        each.journeys.add_unfinished(all);
    }
    return all;
}

}  // namespace pefsim::report
