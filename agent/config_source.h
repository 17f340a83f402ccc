// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "agent/config.h"
#include "base/result.h"

namespace cmk {

/// Where the agent's configuration lies: the files that `--config` names, or the installed ones.
class ConfigSource {
public:
    explicit ConfigSource(std::string file) : file_(std::move(file)) {}

    Result<Config> read() const;
    /// Writes the drop-in 50-init.toml, whose pools replace those of the same names.
    /// Pools of lighter files that are not among them would come back: they are refused by name.
    /// Errors: io; conflict.
    Status write_dropin(const std::vector<PoolSpec>& pools, const std::string& compat_dir) const;

private:
    std::string file_;
};

}  // namespace cmk
