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

/// Where a pod has the directory of the admin socket there need not be an agent behind it.
std::optional<Client> find_admin() {
    if (!exists(kAdminSocket)) return std::nullopt;
    auto agent = Client::connect(kAdminSocket);
    if (!agent) return std::nullopt;
    return *std::move(agent);
}

}  // namespace

Result<std::optional<Client>> find_agent(const Options& options) {
    const std::string inside = options.conf_dir + kSocketName;
    if (exists(inside)) {
        if (!options.conf_dir_named) {
            if (auto admin = find_admin()) return admin;
        }
        return connect(inside);
    }
    if (options.conf_dir_named || exists(options.conf_dir + "/pools")) {
        return std::optional<Client>();
    }
    const char* named = std::getenv("CMK_SOCKET");
    if (named != nullptr && *named != '\0') return connect(named);
    if (exists(kDefaultSocket)) return connect(kDefaultSocket);
    return find_admin();
}

}  // namespace cmk::compat
