// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "cli/arguments.h"
#include "cli/verbs.h"

namespace cmk {

/// The manual page cmkctl-VERB(1) in the man macros, from what the verb's help says.
std::string verb_manual(const Verb& verb, const Syntax& syntax);

/// cmkctl(1): all verbs and what they have in common.
std::string main_manual();

}  // namespace cmk
