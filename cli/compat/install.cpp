// SPDX-License-Identifier: Apache-2.0
// The program's own file on a node.
#include <fcntl.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>

#include "base/file_io.h"
#include "cli/compat/node.h"
#include "confdir/removal.h"

namespace cmk::compat {

namespace {

constexpr char kName[] = "/cmk";

/// Copies this program beside its place, so that a rename puts it there whole or not at all.
Status copy_self(const std::string& path) {
    const UniqueFd self(::open("/proc/self/exe", O_RDONLY | O_CLOEXEC));
    if (!self) return errno_error(errno, "cannot open this program's own file (/proc/self/exe)");
    const UniqueFd copy(::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0755));
    if (!copy) return errno_error(errno, "cannot create " + path);
    for (;;) {
        const ssize_t count = ::sendfile(copy.get(), self.get(), nullptr, 1U << 30);
        if (count < 0) return errno_error(errno, "cannot write " + path);
        if (count == 0) break;
    }
    if (::fchmod(copy.get(), 0755) < 0 || ::fsync(copy.get()) < 0) {
        return errno_error(errno, "cannot write " + path);
    }
    return {};
}

Status remove_binary(const Call& call) {
    const std::string path = call.options().install_dir + kName;
    if (::unlink(path.c_str()) == 0) {
        call.log.info("Removed " + path);
    } else if (errno == ENOENT) {
        call.log.warning("There is no " + path);
    } else {
        return errno_error(errno, "cannot remove " + path);
    }
    return {};
}

Status remove_directory(const Call& call) {
    CMK_TRY_ASSIGN(const ConfDir directory, directory_of(call));
    if (::access(directory.path().c_str(), F_OK) != 0) {
        call.log.warning("There is no " + directory.path());
        return {};
    }
    CMK_TRY_ASSIGN(const ProcFs procfs, open_procfs(call));
    CMK_TRY_ASSIGN(const auto reclaimed, remove_pools(directory, procfs));
    call.log.info("Removed the pools in " + directory.path());
    return {};
}

Status remove_agent_pools(const Call& call, Client& agent) {
    CMK_TRY_ASSIGN(const auto leases, agent.call<std::vector<Lease>>(wire::ListLeases{}));
    if (!leases.empty()) {
        return make_error(Errc::conflict, "lease " + leases.front().id + " of process " +
                                              std::to_string(leases.front().owner.pid) +
                                              " is in use; end its program first");
    }
    CMK_TRY(agent.call<ReconfigureReport>(wire::Reconfigure{}));
    call.log.info("The agent has no pools any more");
    return {};
}

}  // namespace

Result<int> install(const Call& call) {
    const std::string& dir = call.options().install_dir;
    std::error_code failed;
    std::filesystem::create_directories(dir, failed);
    if (failed) return errno_error(failed.value(), "cannot make " + dir);
    const std::string path = dir + kName;
    const std::string copy = path + ".new";
    Status done = copy_self(copy);
    if (done && ::rename(copy.c_str(), path.c_str()) < 0) {
        done = errno_error(errno, "cannot replace " + path);
    }
    if (!done) {
        ::unlink(copy.c_str());
        return done.error();
    }
    call.log.info("Installed cmk to " + dir);
    return 0;
}

Result<int> uninstall(const Call& call, Client* agent) {
    CMK_TRY(agent != nullptr ? remove_agent_pools(call, *agent) : remove_directory(call));
    CMK_TRY(remove_binary(call));
    return 0;
}

}  // namespace cmk::compat
