// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "cli/output.h"

namespace cmk {

/// An object with "apiVersion" and "kind".
nlohmann::json document(const char* kind);

/// `value` as JSON (indented) or, by `format`, YAML.
std::string text_of(const nlohmann::json& value, OutputFormat format);

/// JSON; `indent` -1 for one line. ASCII only: no byte of a foreign name can act on a terminal.
std::string dump(const nlohmann::json& value, int indent);

}  // namespace cmk
