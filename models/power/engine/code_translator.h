// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

namespace pefsim::power {

class core;
struct code_page;

/// Makes code of the host from decoded code. What it makes is a handler like any other, in the op of an instruction
/// where control arrives (a leader): whoever executes that op executes all that was translated from there on. So
/// interpreter and translated code mix at any op, and what observes code, which has ops of its own
/// (engine/observer.h), never meets translated ones.
///
/// The engine asks where it is every few thousand instructions: that is how a translator learns what is worth its
/// while. Nothing of it is on the hot path.
class code_translator {
public:
    virtual ~code_translator() = default;

    /// The engine is about to execute the op `index` of `page`, and no op is in flight: code may be made, installed and
    /// dropped. \returns after how many instructions it is to ask again
    virtual std::int64_t sampled(code_page& page, unsigned index) = 0;
    /// A word of `page`, from which something was translated, has changed, or the page goes away. The handlers that
    /// were installed in its ops leave; an op may be in flight, so the memory of what was made stays.
    virtual void forget(code_page& page) = 0;
};

}  // namespace pefsim::power
