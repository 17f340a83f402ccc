// SPDX-License-Identifier: Apache-2.0
#include "k8s/server.h"

namespace cmk::k8s {

Result<ServerVersion> supported_version(Api& api) {
    const Request request{.method = "GET", .path = "/version"};
    const auto answer = api.send(request);
    if (auto failure = failure_of(request, answer)) return std::move(failure->error);
    CMK_TRY_ASSIGN(const ServerVersion version, parse_server_version(answer->text("gitVersion")));
    CMK_TRY(rules_for(version));
    return version;
}

}  // namespace cmk::k8s
