// SPDX-License-Identifier: Apache-2.0
#include "platform/power/escape_keys.h"

namespace pefsim::platform {

escape_keys::meaning escape_keys::operator()(std::string_view keys) {
    meaning found;
    for (const char key : keys) {
        if (!escaped_) {
            escaped_ = key == escape;
            if (!escaped_) {
                found.typed += key;
            }
            continue;
        }
        escaped_ = false;
        if (key == 'x' || key == 'X') {
            found.end = true;
            return found;
        }
        found.help = found.help || key == 'h' || key == 'H' || key == '?';
        if (key == escape) {
            found.typed += key;
        }
    }
    return found;
}

}  // namespace pefsim::platform
