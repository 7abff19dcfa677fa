// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

/// What stands in models/report/page/, embedded when pefsim is built (CMake/embed_page.cmake).
namespace pefsim::report::page_sources {

extern const std::string_view page;  ///< the page around everything, with {{NAME}} where something belongs
extern const std::string_view style;
extern const std::string_view script;
/// SHA-256 in base64, for a Content-Security-Policy.
extern const std::string_view style_hash;
extern const std::string_view script_hash;

}  // namespace pefsim::report::page_sources
