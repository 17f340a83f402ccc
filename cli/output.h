// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"
#include "core/report.h"

namespace cmk {

enum class OutputFormat { table, wide, json, yaml };

/// How and where to print.
struct OutputStyle {
    OutputFormat format = OutputFormat::table;
    bool color = false;    ///< a terminal, and NO_COLOR not set
    bool unicode = false;  ///< the locale is UTF-8
    unsigned width = 80;   ///< columns of the terminal
    std::int64_t now = 0;  ///< seconds since the epoch, for ages
};

/// Each renders a report as the text to print, ending with a newline. JSON and YAML carry
/// apiVersion "cmk/v1" and a kind. Everything that came from elsewhere (commands, user names) is
/// printed without control characters.
std::string render_pools(const std::vector<PoolReport>& pools, const OutputStyle& style);
std::string render_leases(const std::vector<Lease>& leases, const OutputStyle& style);
std::string render_topology(const HostReport& host, const std::vector<PoolReport>& pools,
                            const std::vector<Lease>& leases, const OutputStyle& style);
std::string render_status(const HostReport& host, const std::vector<PoolReport>& pools,
                          const std::vector<Lease>& leases, const OutputStyle& style);
std::string render_verdicts(const std::vector<LeaseVerdict>& verdicts, const OutputStyle& style);
std::string render_reconcile(const ReconcileReport& report, const OutputStyle& style);
std::string render_reconfigure(const ReconfigureReport& report, bool dry_run,
                               const OutputStyle& style);
/// One line (or one JSON object or YAML document) per event.
std::string render_event(const Event& event, const OutputStyle& style);
std::string render_version(const std::string& client, const std::string& agent,
                           const OutputStyle& style);

/// The original CMK's describe: JSON, two-space indent, sorted keys; exclusive pools one list per
/// core, others one per package, leases as tasks. `path` is what the original shows as its
/// directory. Format: CMK operator manual, "describe".
std::string render_describe(const std::string& path, const Topology& topology,
                            const std::vector<PoolReport>& pools, const std::vector<Lease>& leases);

}  // namespace cmk
