// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/result.h"
#include "cli/compat/log.h"

namespace cmk::compat {

/// Looks up a variable; nothing where it is not set.
using Lookup = std::function<std::optional<std::string>(const std::string& name)>;

/// Looks up variables of this process.
std::optional<std::string> process_variable(const std::string& name);

/// The variables that the original reads. Each is looked at only when asked for, since a bad one
/// must not stop a subcommand that has no use for it. Errors: invalid_argument, naming the variable
/// and its value.
class Environment {
public:
    explicit Environment(Lookup lookup = process_variable) : lookup_(std::move(lookup)) {}

    /// CMK_LOCK_TIMEOUT as it is written; parse_lock_timeout() reads it.
    std::optional<std::string> lock_timeout() const { return lookup_("CMK_LOCK_TIMEOUT"); }
    /// CMK_PROC_FS, the root of the host's procfs. Not set or empty is an error.
    Result<std::string> proc_fs() const;
    /// CMK_LOG_LEVEL, INFO unless set.
    Result<LogLevel> log_level() const;
    /// CMK_DEV_LSCPU_SYSFS, below which "sys" is looked for; "", the machine itself, unless set.
    std::string sysfs_root() const;
    /// CMK_NUM_CORES, 1 unless set: how many CPU lists of an exclusive pool to take.
    Result<unsigned> num_cores() const;
    /// KUBERNETES_SERVICE_HOST is set: this runs in a pod, which has a cluster's API.
    bool is_pod() const { return !lookup_("KUBERNETES_SERVICE_HOST").value_or("").empty(); }
    /// NODE_NAME, this node's name in Kubernetes. Not set or empty is an error.
    Result<std::string> node_name() const;

private:
    Lookup lookup_;
};

/// A variable that the child gets, or with no value must not have.
using Variable = std::pair<std::string, std::optional<std::string>>;

/// The "NAME=value" entries of `inherited` (environ) with `changes` made; what is not named in
/// them stays as it is and where it is.
std::vector<std::string> changed_environment(const char* const* inherited,
                                             const std::vector<Variable>& changes);

}  // namespace cmk::compat
