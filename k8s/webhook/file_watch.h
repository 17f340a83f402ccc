// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "base/unique_fd.h"

namespace cmk::k8s {

/// Says when files may have changed, by watching their directories: editors replace files, and
/// Kubernetes replaces the link ..data beside the links that it mounts. Changes of other files
/// there are reported too.
class FileWatch {
public:
    /// Errors: io, naming the directory that cannot be watched.
    static Result<FileWatch> start(const std::vector<std::string>& paths);

    /// Readable when something has happened.
    int fd() const { return inotify_.get(); }
    /// Forgets what has happened.
    void drain() const;

private:
    UniqueFd inotify_;
};

}  // namespace cmk::k8s
