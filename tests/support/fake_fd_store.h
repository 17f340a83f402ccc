// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <fcntl.h>

#include <map>
#include <string>
#include <vector>

#include "agent/fd_store.h"

namespace cmk {

/// FdStore as a table: what systemd keeps, and what it passed to the agent that runs now.
class FakeFdStore final : public FdStore {
public:
    void put(const std::string& lease, int pidfd) override {
        ++puts;
        kept[lease].reset(::fcntl(pidfd, F_DUPFD_CLOEXEC, 3));
    }
    void remove(const std::string& lease) override { kept.erase(lease); }
    UniqueFd take(const std::string& lease) override {
        auto found = passed.extract(lease);
        return found.empty() ? UniqueFd() : std::move(found.mapped());
    }
    void drop_rest() override {
        for (const auto& [lease, fd] : passed)
            kept.erase(lease);
        passed.clear();
    }

    void pass_to_next_agent() {
        passed.clear();
        for (const auto& [lease, fd] : kept)
            passed[lease].reset(::fcntl(fd.get(), F_DUPFD_CLOEXEC, 3));
    }
    std::vector<std::string> names() const {
        std::vector<std::string> names;
        for (const auto& [lease, fd] : kept)
            names.push_back(lease);
        return names;
    }

    std::map<std::string, UniqueFd> kept;
    std::map<std::string, UniqueFd> passed;
    unsigned puts = 0;
};

}  // namespace cmk
