// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "cli/output.h"
#include "cli/tenants.h"

namespace cmk {

/// Draws the machine: a frame for each socket, in it the cores by NUMA node and last-level cache.
/// A column is one core with its SMT siblings; the bracket below cores says who has them. Every
/// CPU id appears once. Lines end with newlines and are at most style.width (40 or more) wide.
std::string draw_machine(const Topology& topology, const Tenants& tenants,
                         const OutputStyle& style);

}  // namespace cmk
