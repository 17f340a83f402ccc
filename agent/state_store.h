// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "base/unique_fd.h"
#include "core/lease.h"
#include "core/pool.h"

namespace cmk {

/// What was found on disk at start.
struct StoredState {
    std::vector<Lease> leases;     ///< with the status their file's name gives
    std::vector<Pool> pools;       ///< the pools last in force; empty where none were stored
    std::string boot_id;           ///< of the boot that wrote it; "" where nothing was stored
    std::vector<std::string> bad;  ///< files that were refused: "name: why"
    /// The same for files whose format is too far away: an agent of another version can read them.
    std::vector<std::string> foreign;
};

/// The state directory: "pools", "boot", "config.toml" and one file a lease, "ID.intent" before the
/// machine is changed and "ID.lease" after. A commit is one rename. Errors: io, with the path;
/// conflict when another agent holds the directory.
class StateStore {
public:
    /// Makes the directory (0700) where it is missing and locks it.
    static Result<StateStore> open(const std::string& dir);

    Status save_intent(const Lease& lease);
    Status commit(const std::string& id);
    /// Back to an intent: what is found so at start is undone.
    Status revoke(const std::string& id);
    /// Replaces the record of a committed lease.
    Status update(const Lease& lease);
    void remove(const std::string& id);
    Status save_pools(const std::vector<Pool>& pools);
    /// The configuration last in force, as TOML.
    Status save_config(const std::string& text);
    Result<std::string> config() const;
    Status save_boot_id(const std::string& boot_id);

    Result<StoredState> load() const;
    /// Renames a refused file out of the way, so that it is kept for people to look at.
    void set_aside(const std::string& name);

private:
    StateStore(UniqueFd dir, std::string path) : dir_(std::move(dir)), path_(std::move(path)) {}

    UniqueFd dir_;  // also holds the lock
    std::string path_;
};

}  // namespace cmk
