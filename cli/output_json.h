// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "cli/output.h"

namespace cmk {

/// Is the format for programs?
inline bool is_data(OutputFormat format) {
    return format == OutputFormat::json || format == OutputFormat::yaml;
}

/// Each gives a report as JSON or, by `format`, YAML. Fields are those of the Varlink interface
/// below "apiVersion" and "kind"; lists are in "items".
std::string data_of(const std::vector<PoolReport>& pools, OutputFormat format);
std::string data_of(const std::vector<Lease>& leases, OutputFormat format);
std::string data_of(const std::vector<LeaseVerdict>& verdicts, OutputFormat format);
std::string data_of(const ReconcileReport& report, OutputFormat format);
std::string data_of(const ReconfigureReport& report, bool dry_run, OutputFormat format);
/// One line of JSON, or one YAML document.
std::string data_of(const Event& event, OutputFormat format);
/// kind "Topology": the CPUs, each with its pool and the lease and owner that have it; for kind
/// "Status" also pools and leases.
std::string data_of_machine(const char* kind, const HostReport& host,
                            const std::vector<PoolReport>& pools, const std::vector<Lease>& leases,
                            OutputFormat format);
/// `agent` "" when it cannot be reached.
std::string data_of_versions(const std::string& client, const std::string& agent,
                             OutputFormat format);

}  // namespace cmk
