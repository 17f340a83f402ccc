// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "cli/explanation.h"
#include "cli/output.h"
#include "cli/simulation.h"

namespace cmk {

/// As the functions of output.h: text, JSON or YAML.
std::string render_explanation(const Explanation& explanation, const OutputStyle& style);
std::string render_simulation(const Simulation& simulation, const OutputStyle& style);

}  // namespace cmk
