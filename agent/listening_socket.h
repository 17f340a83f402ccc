// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "base/result.h"
#include "base/unique_fd.h"

namespace cmk {

/// Binds a stream socket (AF_UNIX, mode 0666, not blocking) and listens. A dead socket file of that
/// path is replaced. Errors: invalid_argument for a path that is empty or longer than 107 bytes,
/// conflict where another program answers there, io.
Result<UniqueFd> make_listening_socket(const std::string& path);

/// Is it a socket that clients of the path reach?
bool is_bound_to(int fd, const std::string& path);

}  // namespace cmk
