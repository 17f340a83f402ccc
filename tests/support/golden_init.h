// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <ostream>
#include <string>
#include <vector>

#include "confdir/core_ids.h"
#include "core/topology.h"
#include "support/confdirs.h"

namespace cmk::test {

/// What `init` leaves: the pools, or why there are none.
struct InitResult {
    std::string error;  ///< "" for success
    PoolTree pools;

    friend bool operator==(const InitResult&, const InitResult&) = default;
};

std::ostream& operator<<(std::ostream& out, const InitResult& result);

/// Where ours differs from the original on purpose.
struct GoldenDifference {
    std::string reason;
    InitResult ours;
};

/// One call of the original's `init` (1.3.1 or 1.4.1), as recorded.
struct GoldenCase {
    std::string label;  ///< version, number of the row, arguments, kernel command line
    std::string version;
    Topology topology;
    CoreIds core_ids;               ///< as lscpu printed them
    std::vector<std::string> rows;  ///< "CPU,Core,Socket"
    std::string cmdline;
    std::vector<std::string> args;
    InitResult theirs;
    std::vector<std::string> warnings;  ///< the beginnings of the original's warnings
    std::optional<GoldenDifference> difference = {};

    /// The value of "--NAME=VALUE".
    std::string option(const std::string& name, const std::string& fallback) const;
};

/// All of them, or none with a failure of the test.
std::vector<GoldenCase> golden_cases();

/// For a count that is no whole number of at least 0: what unit tests put in place of the text.
inline constexpr char kBadCount[] = "the number of cores is no number";

}  // namespace cmk::test
