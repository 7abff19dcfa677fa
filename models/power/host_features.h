// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace pefsim::power::host_features {

/// What the host can do beyond what pefsim is compiled for, looked up when an instruction is decoded. Where it cannot,
/// the same results come from portable code; with PEFSIM_PORTABLE set in the environment they do everywhere, which is
/// how that code is tested.

/// A fused multiply-add.
bool fused();
/// Byte shuffles, products of polynomials, rounds of AES: instructions/host_vector.h.
bool vector_unit();

}  // namespace pefsim::power::host_features
