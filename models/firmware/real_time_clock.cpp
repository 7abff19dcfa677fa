// SPDX-License-Identifier: Apache-2.0
#include "firmware/real_time_clock.h"

#include <array>
#include <optional>

#include "firmware/rtas_service.h"

/// RTAS for the time of day. PAPR 2.8, 7.3.2: year, month, day, hour, minute, second, nanosecond.
namespace pefsim::firmware {

using abi::rtas_status;
using namespace std::chrono;  // NOLINT(google-build-using-namespace): a calendar's words

namespace {

rtas_status get_time_of_day(parts& here, const rtas_call& of) {
    const real_time_clock::instant now = here.clock.at(of.trap.context.now());
    const auto midnight = floor<days>(now);
    const year_month_day date(midnight);
    const hh_mm_ss time(now - midnight);
    const std::array parts{static_cast<std::uint32_t>(static_cast<int>(date.year())),
                           static_cast<unsigned>(date.month()),
                           static_cast<unsigned>(date.day()),
                           static_cast<std::uint32_t>(time.hours().count()),
                           static_cast<std::uint32_t>(time.minutes().count()),
                           static_cast<std::uint32_t>(time.seconds().count()),
                           static_cast<std::uint32_t>(time.subseconds().count())};
    for (unsigned n = 0; n < parts.size(); ++n) {
        of.result(n, parts[n]);
    }
    return rtas_status::success;
}

/// The day that these arguments name; nullopt when there is none. A calendar's types keep only the last bits of a
/// number.
std::optional<sys_days> day_of(std::uint32_t year_number, std::uint32_t month_number,
                               std::uint32_t day_number) {
    constexpr std::uint32_t first_year = 1970;
    constexpr std::uint32_t last_year = 2260;  // 64 bits of nanoseconds reach 2262; a run, 213 days
    constexpr std::uint32_t months = 12;
    constexpr std::uint32_t days_of_month = 31;
    if (year_number < first_year || year_number > last_year || month_number > months ||
        day_number > days_of_month) {
        return std::nullopt;
    }
    const year_month_day date{year(static_cast<int>(year_number)), month(month_number), day(day_number)};
    return date.ok() ? std::optional(sys_days(date)) : std::nullopt;
}

rtas_status set_time_of_day(parts& here, const rtas_call& of) {
    const std::optional<sys_days> date = day_of(of.argument(0), of.argument(1), of.argument(2));
    const bool valid = date && of.argument(3) < 24 && of.argument(4) < 60 && of.argument(5) < 60 &&
                       of.argument(6) < 1'000'000'000;
    if (!valid) {
        return rtas_status::parameter_error;
    }
    here.clock.set(*date + hours(of.argument(3)) + minutes(of.argument(4)) + seconds(of.argument(5)) +
                       nanoseconds(of.argument(6)),
                   of.trap.context.now());
    return rtas_status::success;
}

constexpr std::array rows{
    rtas_service{abi::rtas::get_time_of_day, get_time_of_day},
    rtas_service{abi::rtas::set_time_of_day, set_time_of_day},
};

}  // namespace

std::span<const rtas_service> clock_services() { return rows; }

}  // namespace pefsim::firmware
