// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace cmk::k8s {

/// Standard base64 (RFC 4648, section 4); blanks and line ends are skipped. None where it is not.
std::optional<std::string> decode_base64(std::string_view text);

}  // namespace cmk::k8s
