// SPDX-License-Identifier: Apache-2.0
#include "exposure/device_mappings.h"

#include <algorithm>

namespace pefsim::exposure {

bool device_mappings::add(const naming& how, abi::phys_addr at, std::uint64_t size, bool in_pool,
                          std::uint32_t number) {
    if (how.request == 0 && !in_pool) {
        queues_[{how.device, how.queue}].rings.push_back({at, size});
        return false;
    }
    const device_mapping what{how, at, static_cast<std::uint32_t>(size), how.request == 0};
    std::vector<std::uint32_t>& waiting = tables_[how.device];
    if (what.table) {
        waiting.push_back(number);
    } else {
        std::vector<std::uint32_t>& of_request = alive_[key(how.device, how.request)];
        // A device that puts a request back is told of it once more.
        const bool known = std::ranges::any_of(of_request, [&](std::uint32_t each) {
            const device_mapping& other = *find(each);
            return other.at == at && other.size == size && other.how.writable == how.writable;
        });
        for (const std::uint32_t each : waiting) {
            device_mapping& table =
                all_[static_cast<std::size_t>(std::ranges::lower_bound(numbers_, each) - numbers_.begin())];
            table.how.request = how.request;
            table.how.queue = how.queue;
            of_request.push_back(each);
            count(table);
        }
        waiting.clear();
        if (known) {
            return false;
        }
        of_request.push_back(number);
        count(what);
    }
    all_.push_back(what);
    numbers_.push_back(number);
    return true;
}

void device_mappings::count(const device_mapping& what) {
    queue_mappings& of = queues_[{what.how.device, what.how.queue}];
    if (what.table) {
        ++of.tables;
        of.table_bytes += what.size;
    } else {
        ++of.buffers;
        (what.how.writable ? of.writable_bytes : of.readable_bytes) += what.size;
    }
    of.alive_bytes += what.size;
    of.most_alive_bytes = std::max(of.most_alive_bytes, of.alive_bytes);
}

void device_mappings::holds(std::uint32_t number, std::uint64_t guest_bytes) {
    const device_mapping& what = *find(number);
    queues_[{what.how.device, what.how.queue}].guest_bytes += guest_bytes;
}

std::vector<std::uint32_t> device_mappings::end(std::uint16_t device, std::uint64_t request) {
    const auto found = alive_.find(key(device, request));
    if (found == alive_.end()) {
        return {};
    }
    std::vector<std::uint32_t> numbers = std::move(found->second);
    alive_.erase(found);
    for (const std::uint32_t each : numbers) {
        const device_mapping& what = *find(each);
        queues_[{what.how.device, what.how.queue}].alive_bytes -= what.size;
    }
    ended_.insert(ended_.end(), numbers.begin(), numbers.end());
    return numbers;
}

void device_mappings::forget(const std::unordered_set<std::uint32_t>& needed) {
    std::ranges::sort(ended_);
    std::size_t kept = 0;
    for (std::size_t i = 0; i < all_.size(); ++i) {
        if (!std::ranges::binary_search(ended_, numbers_[i]) || needed.contains(numbers_[i])) {
            all_[kept] = all_[i];
            numbers_[kept++] = numbers_[i];
        }
    }
    all_.resize(kept);
    numbers_.resize(kept);
    std::erase_if(ended_, [&](std::uint32_t each) { return !needed.contains(each); });
    forget_at_ = forget_after + 2 * ended_.size();
}

const device_mapping* device_mappings::find(std::uint32_t number) const {
    const auto found = std::ranges::lower_bound(numbers_, number);
    return found == numbers_.end() || *found != number
               ? nullptr
               : &all_[static_cast<std::size_t>(found - numbers_.begin())];
}

}  // namespace pefsim::exposure
