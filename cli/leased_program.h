// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "core/report.h"

namespace cmk {

/// Sets the variables by which a program learns of its lease: CMK_CPUS_ASSIGNED,
/// CMK_CPUS_ASSIGNED_MASK, CMK_CPUS_SHARED, CMK_CPUS_INFRA, CMK_LEASE_ID.
void export_grant(const Grant& grant);

/// Becomes the program at `path`. Returns only the errno, when it cannot be executed.
int become(const std::string& path, std::vector<std::string> words);

}  // namespace cmk
