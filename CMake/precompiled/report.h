// SPDX-License-Identifier: Apache-2.0
//
// What speaks JSON besides: reports, machines and scenarios.
#include "systemc.h"

#include <nlohmann/json.hpp>
