// SPDX-License-Identifier: Apache-2.0
#include "cli/compat/init_request.h"

namespace cmk::compat {

namespace {

PoolMode mode_of(const std::string& text, const Log& log) {
    if (const auto mode = pool_mode_from(text)) return *mode;
    // "vertical" is what packed was called once.
    log.warning("Wrong mode has been selected.Fallback to vertical");
    return PoolMode::packed;
}

}  // namespace

Result<InitRequest> init_request(const Call& call) {
    const Options& options = call.options();
    InitRequest request{.excl_non_isolcpus = options.excl_non_isolcpus};
    CMK_TRY_ASSIGN(request.exclusive_cores, options.exclusive_cores());
    CMK_TRY_ASSIGN(request.shared_cores, options.shared_cores());
    request.exclusive_mode = mode_of(options.exclusive_mode, call.log);
    request.shared_mode = mode_of(options.shared_mode, call.log);
    if (options.socket_id != "-1") {
        call.log.warning("--socket-id means nothing to init; isolate takes it");
    }
    return request;
}

}  // namespace cmk::compat
