// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include "power/engine/environment.h"
#include "power/engine/observer.h"
#include "power/translator/region_translator.h"
#include "tests/power/translator/lock_step.h"
#include "tests/power/translator/random_program.h"

namespace pefsim::testing {

/// How a random program is run on a machine that translates.
struct fuzz_setting {
    std::int64_t run_length = 40000;
    power::region_translator::options how;
    bool asks_each_run = false;     ///< the translator is asked whenever a run begins
    bool watches = false;           ///< an observer looks at some of the code and some of the data
    bool disturbs = false;          ///< between runs things happen that come from elsewhere
    bool looks_everywhere = false;  ///< all of RAM is compared at the end
    std::uint64_t most_instructions = 20000;

    [[nodiscard]] std::string text() const;
};

/// The settings under which the program of that number is run.
std::array<fuzz_setting, 4> settings_of(std::uint64_t number);

/// Random programs on two machines, one interpreting, one translating. The machines serve one program after the other.
class fuzz_bench {
public:
    fuzz_bench();

    /// \returns the first difference, or nothing
    std::optional<std::string> run(const random_program& program, const fuzz_setting& how);

    /// Of all programs run: instructions, and how many of them in translated code.
    [[nodiscard]] std::uint64_t instructions() const { return instructions_; }
    [[nodiscard]] std::uint64_t translated() const { return translated_; }

private:
    /// The time base begins with each program.
    struct counting_clock : power::clock {
        std::uint64_t first = 0;
        std::uint64_t time_base(std::uint64_t instructions) override { return instructions - first; }
    };
    /// Sees the program's second small page of code and one of data, and remembers all that it has seen in a number.
    class watcher : public power::observer {
    public:
        [[nodiscard]] std::uint64_t seen() const { return seen_; }
        void forget() { seen_ = 0; }

    private:
        std::int64_t before_run(power::core& c, std::int64_t instructions) override;
        std::int64_t before_stretch(power::core& c) override;
        power::exit_reason after_run(power::core& c, power::exit_reason why) override;
        bool sees_code(std::uint64_t ea) override;
        power::handler shim_of(power::observed_op& decoded, std::uint64_t ea) override;
        bool sees_data(std::uint64_t ea) override;
        bool access(power::core& c, const power::op* o, std::uint64_t ea, std::size_t size,
                    power::access_kind kind) override;
        void interrupted(power::core& c, std::uint64_t nip, const power::interrupt_cause& cause) override;

        static const power::op* shim(power::core& c, const power::op* o);
        void remember(std::uint64_t what) { seen_ = seen_ * 0x9e37'79b9'7f4a'7c15 + what; }

        std::uint64_t seen_ = 0;
    };
    struct side {
        explicit side(const std::optional<power::region_translator::options>& how) : machine(how) {
            machine.core().use(time);
        }
        counting_clock time;
        watcher watching;
        flat_machine machine;
    };

    static void prepare(side& which, const random_program& program);
    void disturb(dice& random, std::int64_t run_length);

    std::unique_ptr<side> interpreted_;
    std::unique_ptr<side> translated_side_;
    std::uint64_t instructions_ = 0;
    std::uint64_t translated_ = 0;
};

/// The program in assembly language, without what does nothing.
std::string listing(const random_program& program);
/// The program with no-operations in place of as much as possible, of which `fails` still says true.
random_program shrunk(random_program program, const std::function<bool(const random_program&)>& fails);

}  // namespace pefsim::testing
