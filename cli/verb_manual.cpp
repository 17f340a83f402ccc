// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "base/text.h"
#include "cli/manual.h"
#include "cli/session.h"
#include "ipc/errors.h"

namespace cmk {

int run_manual(const std::vector<std::string>& arguments) {
    if (arguments.empty()) return put(main_manual());
    const auto verb = std::find_if(verbs().begin(), verbs().end(), [&](const Verb& each) {
        return arguments.front() == each.name;
    });
    if (verb == verbs().end()) {
        complain("no manual page for " + quote(arguments.front()));
        return exit_code::kUsage;
    }
    return put(verb_manual(*verb, syntax_of(verb->run)));
}

}  // namespace cmk
