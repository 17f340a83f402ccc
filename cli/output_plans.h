// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "cli/bundle.h"
#include "cli/explanation.h"
#include "cli/output.h"
#include "cli/simulation.h"

namespace cmk {

/// As the functions of output.h: text, JSON or YAML.
std::string render_explanation(const Explanation& explanation, const OutputStyle& style);
std::string render_simulation(const Simulation& simulation, const OutputStyle& style);
/// What was put into the archive at `path`.
std::string render_bundle(const std::string& path, const Bundle& bundle, const OutputStyle& style);

}  // namespace cmk
