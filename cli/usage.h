// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "cli/arguments.h"

namespace cmk {

/// The help text of a verb.
std::string usage_of(const Syntax& syntax);

/// Its first line, "cmkctl VERB [OPTION]... [WORD...]".
std::string synopsis_of(const Syntax& syntax);

/// "-o, --output FORMAT", "--wait[=SECONDS]".
std::string option_heading(const Option& option);

/// Two aligned columns, each line indented by two.
std::string two_columns(const std::vector<std::pair<std::string, std::string>>& rows);

/// The candidate that `word` is most likely a slip of; "" when none is near.
std::string nearest(std::string_view word, const std::vector<std::string>& candidates);

}  // namespace cmk
