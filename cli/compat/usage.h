// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

namespace cmk::compat {

/// From "Usage:" to the last form, with a line end.
std::string usage_block();

/// The whole help text: usage, subcommands, options with their defaults.
std::string help_text();

/// "CMK v1.2.3", with a line end.
std::string version_text();

}  // namespace cmk::compat
