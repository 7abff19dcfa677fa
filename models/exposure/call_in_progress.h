// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

#include "exposure/attribution.h"

namespace pefsim::exposure {

/// A processor that makes calls. It is asked only where somebody wants to know.
class caller {
public:
    /// Who makes the call that is going on, and whence.
    virtual attribution calls_from() = 0;

protected:
    ~caller() = default;
};

/// The call that a guest is in: what happens to its pages meanwhile is its doing.
class call_in_progress {
public:
    [[nodiscard]] std::string_view name() const { return name_; }  ///< empty: none
    [[nodiscard]] attribution by() const { return by_ == nullptr ? attribution{} : by_->calls_from(); }

    /// Lasts as long as the call. \param name outlives it
    class scope {
    public:
        scope(call_in_progress& of, std::string_view name, caller& by) : of_(of), before_(of) {
            of.name_ = name;
            of.by_ = &by;
        }
        ~scope();
        scope(const scope&) = delete;
        scope& operator=(const scope&) = delete;

    private:
        struct call {
            explicit call(const call_in_progress& of) : name(of.name_), by(of.by_) {}
            std::string_view name;
            caller* by;
        };
        call_in_progress& of_;
        call before_;
    };

private:
    std::string_view name_;
    caller* by_ = nullptr;
};

inline call_in_progress::scope::~scope() {
    of_.name_ = before_.name;
    of_.by_ = before_.by;
}

}  // namespace pefsim::exposure
