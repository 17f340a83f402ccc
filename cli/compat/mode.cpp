// SPDX-License-Identifier: Apache-2.0
#include "cli/compat/mode.h"

#include <unistd.h>

#include <cstdlib>

namespace cmk::compat {

namespace {

constexpr char kSocketName[] = "/agent.sock";

bool exists(const std::string& path) {
    return ::access(path.c_str(), F_OK) == 0;
}

Result<std::optional<Client>> connect(const std::string& socket) {
    CMK_TRY_ASSIGN(Client agent, Client::connect(socket));
    return std::optional<Client>(std::move(agent));
}

/// Where a pod has the directory of a socket that may do more there need not be an agent behind it.
std::optional<Client> find_privileged() {
    for (const char* socket : {kAdminSocket, kObserveSocket}) {
        if (!exists(socket)) continue;
        auto agent = Client::connect(socket);
        if (agent) return *std::move(agent);
    }
    return std::nullopt;
}

}  // namespace

Result<std::optional<Client>> find_agent(const Options& options) {
    const std::string inside = options.conf_dir + kSocketName;
    if (exists(inside)) {
        if (!options.conf_dir_named) {
            if (auto agent = find_privileged()) return agent;
        }
        return connect(inside);
    }
    if (options.conf_dir_named || exists(options.conf_dir + "/pools")) {
        return std::optional<Client>();
    }
    const char* named = std::getenv("CMK_SOCKET");
    if (named != nullptr && *named != '\0') return connect(named);
    if (exists(kDefaultSocket)) return connect(kDefaultSocket);
    return find_privileged();
}

}  // namespace cmk::compat
