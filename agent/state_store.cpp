// SPDX-License-Identifier: Apache-2.0
#include "agent/state_store.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>

#include <cerrno>
#include <cstdio>

#include "base/file_io.h"
#include "base/text.h"
#include "ipc/state_codec.h"

namespace cmk {

namespace {

constexpr char kIntent[] = ".intent";
constexpr char kLease[] = ".lease";
constexpr char kPools[] = "pools";
constexpr char kBoot[] = "boot";
constexpr char kConfig[] = "config.toml";
constexpr char kBad[] = ".bad";

Status rename_in(int dir, const std::string& from, const std::string& to) {
    if (::renameat(dir, from.c_str(), dir, to.c_str()) == 0) return {};
    return errno_error(errno, "cannot rename " + from + " to " + to);
}

/// A lease file's content checked against its name.
Result<Lease> load_lease(int dir, const std::string& name, std::string_view suffix) {
    CMK_TRY_ASSIGN(const std::string text, read_file_at(dir, name));
    CMK_TRY_ASSIGN(Lease lease, decode_lease_state(text));
    if (lease.id + std::string(suffix) != name) {
        return make_error(Errc::corrupt_state, "it is the file of lease " + quote(lease.id));
    }
    lease.status = suffix == kLease ? LeaseStatus::committed : LeaseStatus::intent;
    return lease;
}

/// An error says why the file is refused; files of other names are not looked at.
Status load_file(int dir, const std::string& name, StoredState& state) {
    if (name.ends_with(kLease) || name.ends_with(kIntent)) {
        const char* suffix = name.ends_with(kLease) ? kLease : kIntent;
        CMK_TRY_ASSIGN(Lease lease, load_lease(dir, name, suffix));
        state.leases.push_back(std::move(lease));
    } else if (name == kPools) {
        CMK_TRY_ASSIGN(const std::string text, read_file_at(dir, name));
        CMK_TRY_ASSIGN(state.pools, decode_pools_state(text));
    } else if (name == kBoot) {
        if (const auto text = read_file_at(dir, name)) state.boot_id = trim(*text);
    }
    return {};
}

}  // namespace

Result<StateStore> StateStore::open(const std::string& path) {
    CMK_TRY_ASSIGN(UniqueFd dir, make_dir_at(AT_FDCWD, path, 0700));
    if (::flock(dir.get(), LOCK_EX | LOCK_NB) < 0) {
        return make_error(Errc::conflict, "another agent holds the state directory " + path +
                                              "; end it, or use another --state-dir");
    }
    return StateStore(std::move(dir), path);
}

Status StateStore::save_intent(const Lease& lease) {
    // No rename: a part of an intent is as good as none, for nothing has been done yet.
    const std::string name = lease.id + kIntent;
    const UniqueFd fd(
        ::openat(dir_.get(), name.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
    if (!fd) return errno_error(errno, "cannot create " + path_ + "/" + name);
    const std::string text = encode_lease_state(lease);
    const ssize_t written = ::write(fd.get(), text.data(), text.size());
    if (written == static_cast<ssize_t>(text.size())) return {};
    const int number = written < 0 ? errno : ENOSPC;
    ::unlinkat(dir_.get(), name.c_str(), 0);
    return errno_error(number, "cannot write " + path_ + "/" + name);
}

Status StateStore::commit(const std::string& id) {
    return rename_in(dir_.get(), id + kIntent, id + kLease);
}

Status StateStore::revoke(const std::string& id) {
    return rename_in(dir_.get(), id + kLease, id + kIntent);
}

Status StateStore::update(const Lease& lease) {
    return replace_file_at(dir_.get(), lease.id + kLease, encode_lease_state(lease));
}

void StateStore::remove(const std::string& id) {
    if (::unlinkat(dir_.get(), (id + kLease).c_str(), 0) < 0) {
        ::unlinkat(dir_.get(), (id + kIntent).c_str(), 0);
    }
}

Status StateStore::save_pools(const std::vector<Pool>& pools) {
    return replace_file_at(dir_.get(), kPools, encode_pools_state(pools));
}

Status StateStore::save_config(const std::string& text) {
    return replace_file_at(dir_.get(), kConfig, text);
}

Result<std::string> StateStore::config() const {
    return read_file_at(dir_.get(), kConfig);
}

Status StateStore::save_boot_id(const std::string& boot_id) {
    return replace_file_at(dir_.get(), kBoot, boot_id + "\n");
}

Result<StoredState> StateStore::load() const {
    StoredState state;
    CMK_TRY_ASSIGN(const auto names, list_dir_at(dir_.get(), "."));
    for (const std::string& name : names) {
        const Status loaded = load_file(dir_.get(), name, state);
        if (loaded) continue;
        const bool foreign = loaded.error().code == Errc::conflict;
        (foreign ? state.foreign : state.bad).push_back(name + ": " + loaded.error().message);
    }
    return state;
}

void StateStore::set_aside(const std::string& name) {
    (void)rename_in(dir_.get(), name, name + kBad);
}

}  // namespace cmk
