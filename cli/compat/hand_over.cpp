// SPDX-License-Identifier: Apache-2.0
#include "cli/compat/hand_over.h"

#include <cerrno>

#include "cli/leased_program.h"

namespace cmk::compat {

namespace {

constexpr char kClusterProgram[] = "cmk-k8s";

}  // namespace

Result<int> hand_over(const std::vector<std::string>& arguments) {
    std::vector<std::string> words{kClusterProgram};
    words.insert(words.end(), arguments.begin(), arguments.end());
    const int number = become(kClusterProgram, std::move(words));
    if (number != ENOENT) return errno_error(number, "cannot run cmk-k8s");
    return make_error(Errc::internal,
                      "this concerns the cluster, which cmk-k8s does; it is not installed here");
}

}  // namespace cmk::compat
