// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <nlohmann/json_fwd.hpp>

#include "base/result.h"
#include "core/report.h"

namespace cmk {

/// The kernel's own bound of process ids (PID_MAX_LIMIT).
inline constexpr unsigned kMaxPid = 1U << 22;

/// The types of the core as JSON, and back with a strict reader (ipc/json_reader.h). Errors:
/// invalid_argument, which names the member that is wrong.

nlohmann::json to_json(const PoolSpec& spec);
Result<PoolSpec> pool_spec_from(const nlohmann::json& value, Unknown unknown = Unknown::refused);
/// As state keeps a pool: members that a later version added are ignored.
nlohmann::json to_json(const Pool& pool);
Result<Pool> pool_from(const nlohmann::json& value);
nlohmann::json to_json(const PoolReport& report);
Result<PoolReport> pool_report_from(const nlohmann::json& value);
/// As others see a lease: without start time and old masks.
nlohmann::json to_json(const Lease& lease);
Result<Lease> lease_from(const nlohmann::json& value);
nlohmann::json to_json(const CpuRecord& record);
Result<CpuRecord> cpu_record_from(const nlohmann::json& value);
nlohmann::json to_json(const LeaseVerdict& verdict);
Result<LeaseVerdict> verdict_from(const nlohmann::json& value);
nlohmann::json to_json(const Event& event);
Result<Event> event_from(const nlohmann::json& value);

}  // namespace cmk
