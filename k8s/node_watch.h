// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "k8s/api.h"
#include "k8s/node_payload.h"

namespace cmk::k8s {

/// A watch of one Node that begins with the object as it is, so that nothing has to be listed. The
/// server ends it after `timeout`.
Request watch_request(const std::string& node, std::chrono::seconds timeout);

/// How long it may be silent: three minutes where bookmarks come each minute, else until the server
/// ends it.
std::chrono::seconds longest_silence(std::chrono::seconds timeout, bool bookmarks);

/// One line of a watch.
struct WatchEvent {
    enum class Kind { node, gone, alive };
    Kind kind = Kind::alive;
    std::optional<NodeObject> node = {};
};
/// Errors: unavailable for an ERROR event (410: the version is too old) with what it says;
/// invalid_argument for a line that is no event of a Node.
Result<WatchEvent> read_watch_line(std::string_view line);

}  // namespace cmk::k8s
