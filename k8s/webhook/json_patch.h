// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>

namespace cmk::k8s {

/// A key as one token of a JSON pointer (RFC 6901): "~" becomes "~0" and "/" becomes "~1".
std::string pointer_token(std::string_view key);

/// The operations of a JSON patch (RFC 6902) that make `after` of `before`: an array, empty when
/// they are equal. `after` has all that `before` has, perhaps changed, and lists that only grew at
/// their ends, as deep_merge leaves them; a list that grew otherwise is replaced whole.
/// Members that are absent or null are added, because API servers before 1.20 refuse to replace
/// what is absent and take null for it; nothing is added below a parent that is not there, and a
/// new null is no change.
nlohmann::json make_patch(const nlohmann::json& before, const nlohmann::json& after);

}  // namespace cmk::k8s
