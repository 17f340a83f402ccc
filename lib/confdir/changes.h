// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <utility>

#include "base/result.h"
#include "base/unique_fd.h"

namespace cmk {

/// Called before each change with the path it concerns; other than 0 is an errno value with which
/// the change shall fail. For tests that end the process, or the disk, at any step.
using ChangeHook = std::function<int(const std::string& path)>;

/// Every change to a configuration directory. Modes are 0777 and 0666 less the umask, as the
/// original's. Errors: io, naming the path.
class Changes {
public:
    Changes() = default;
    explicit Changes(ChangeHook hook) : hook_(std::move(hook)) {}

    /// Only the hook, for a change that is not made here.
    Status before(const std::string& what, const std::string& path) const;
    Status make_dir(const std::string& path) const;
    /// Makes a file that must not be there yet.
    Status make_file(const std::string& path, std::string_view text) const;
    /// Writes a file anew, with the given mode unless that is 0, and syncs it to disk if `sync`.
    Result<UniqueFd> write(const std::string& path, std::string_view text, unsigned mode,
                           bool sync) const;
    Status rename(const std::string& from, const std::string& to) const;
    /// Fails with EEXIST where `to` is there, even empty.
    Status rename_new(const std::string& from, const std::string& to) const;
    /// No error where it is not there.
    Status remove_file(const std::string& path) const;
    /// With all that is in it; no error where it is not there.
    Status remove_tree(const std::string& path) const;

private:
    ChangeHook hook_;
};

}  // namespace cmk
