// SPDX-License-Identifier: Apache-2.0
//
// What every test includes.
#include "systemc.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
