// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "base/result.h"
#include "k8s/cluster/uninstall_options.h"

namespace cmk::k8s {

/// This node's own part of CMK: its pools, in the agent or in the directory, and the program in the
/// install directory. `cmk` does the work, which knows both.
class Host {
public:
    /// `note` is told what cmk says.
    Host(UninstallOptions options, std::function<void(const std::string&)> note)
        : options_(std::move(options)), note_(std::move(note)) {}

    /// Processes that use the pools, as users_in(). Errors: unavailable where there are pools that
    /// cmk cannot describe, or no cmk.
    Result<std::vector<std::string>> users() const;

    /// Removes pools and program; done before, it does nothing. With --force also a directory whose
    /// pools are in use. Errors: unavailable, with what cmk said.
    Status remove() const;

private:
    std::vector<std::string> line(const char* command) const;
    Status remove_forced(const Error& refused) const;

    UninstallOptions options_;
    std::function<void(const std::string&)> note_;
};

}  // namespace cmk::k8s
