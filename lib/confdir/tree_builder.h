// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "confdir/changes.h"
#include "confdir/layout.h"

namespace cmk {

/// Makes the directory `path` with the pools below it, no task in any list.
Status build_pools(const Changes& changes, const std::string& path,
                   const std::vector<PoolLayout>& layout);

/// Makes a new empty directory `.cmk-init-XXXXXX` beside `path`, with the usual mode, and returns
/// its path.
Result<std::string> make_sibling(const Changes& changes, const std::string& path);

/// The directories above a path that had to be made.
class MadeParents {
public:
    /// Errors: io; what was made by then is removed.
    static Result<MadeParents> of(const Changes& changes, const std::string& path);

    /// Takes those away again that are empty.
    void remove() const;

private:
    std::vector<std::string> made_;  // from the top
};

}  // namespace cmk
