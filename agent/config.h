// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "core/pool.h"

namespace cmk {

enum class LogLevel { error, warning, info, debug };

enum class CgroupBackend { automatic, v1, v2, affinity };

/// Bounds that keep one caller from starving the others.
struct Limits {
    unsigned connections = 512;            ///< open Varlink connections in all
    unsigned connections_per_caller = 64;  ///< of one (uid, cgroup)
    unsigned request_seconds = 10;         ///< from connecting to a complete request
    unsigned waiting = 256;                ///< queued isolate requests, over all pools
    unsigned leases = 4096;

    friend bool operator==(const Limits&, const Limits&) = default;
};

/// The agent's configuration, merged from all its files.
struct Config {
    LogLevel log_level = LogLevel::info;
    CgroupBackend backend = CgroupBackend::automatic;
    /// The directory below the cpuset hierarchy that holds the pools: "cmk-leases".
    std::string cgroup_name = "cmk-leases";
    /// A directory, such as the original's /etc/cmk, that gets a lease socket too; "" for none.
    std::string compat_dir = {};
    Limits limits = {};
    std::vector<PoolSpec> pools = {};  ///< in the order of their position in the files

    friend bool operator==(const Config&, const Config&) = default;
};

/// One configuration file's text with the name to use in messages.
struct ConfigText {
    std::string name;
    std::string text;
};

/// Parses TOML texts, later ones over earlier ones; a later [pools.X] replaces X whole and keeps
/// its place. Errors: invalid_argument with "file:line: " and what is allowed.
Result<Config> parse_config(const std::vector<ConfigText>& texts,
                            Unknown unknown = Unknown::refused);

/// The files of a configuration in order of increasing weight. With a `file` from the command
/// line: it and `file`.d/*.toml; it must exist. Without: /usr/lib/cmk/agent.toml,
/// /etc/cmk-agent/agent.toml and /etc/cmk-agent/agent.toml.d/*.toml, each where it exists.
Result<std::vector<ConfigText>> read_config_files(const std::string& file);

/// The drop-in directory that belongs to `file` ("" for the installed one).
std::string dropin_dir(const std::string& file);

/// The effective configuration as TOML with every key; parse_config of it gives the same Config.
std::string dump_config(const Config& config);

/// What Reconfigure writes as a drop-in: the [pools.*] tables and, unless that is "", [compat].
std::string dump_dropin(const std::vector<PoolSpec>& pools, const std::string& compat_dir);

}  // namespace cmk
