// SPDX-License-Identifier: Apache-2.0
#include "agent/peer_credentials.h"

#include <sys/socket.h>
#include <sys/un.h>

#include <cerrno>

#include "base/text.h"
#include "core/caller.h"

namespace cmk {

namespace {

#ifdef SO_PEERPIDFD
constexpr int kPeerPidfd = SO_PEERPIDFD;
#else
constexpr int kPeerPidfd = 77;  // asm-generic/socket.h since Linux 6.5
#endif

constexpr std::size_t kMaxGroups = 1024;

Result<UniqueFd> peer_pidfd(int socket, const ucred& credentials, Processes& processes) {
    int fd = -1;
    socklen_t size = sizeof fd;
    if (::getsockopt(socket, SOL_SOCKET, kPeerPidfd, &fd, &size) == 0) return UniqueFd(fd);
    if (errno == ENOPROTOOPT) return processes.open(credentials.pid, 0);
    return make_error(Errc::unavailable, "the connected process has ended");
}

std::vector<unsigned> peer_groups(int socket, gid_t primary) {
    gid_t buffer[kMaxGroups];
    socklen_t size = sizeof buffer;
    std::vector<unsigned> groups{primary};
    if (::getsockopt(socket, SOL_SOCKET, SO_PEERGROUPS, buffer, &size) == 0) {
        groups.insert(groups.end(), buffer, buffer + size / sizeof(gid_t));
    }
    return groups;
}

}  // namespace

std::string identity_path(const std::string& proc_cgroup) {
    std::string path = "/";
    for (const std::string_view line : split(proc_cgroup, '\n')) {
        const std::size_t slash = line.find(":/");
        if (slash == std::string_view::npos) continue;
        const bool v2 = line.starts_with("0::");
        if (!v2 && line.find(":name=systemd:") == std::string_view::npos) continue;
        const std::string_view found = line.substr(slash + 1);
        if (found != "/" && (v2 || path == "/")) path = found;
    }
    return path;
}

Status describe_peer(Peer& peer, Processes& processes, const Cgroups& cgroups) {
    CMK_TRY_ASSIGN(peer.process, processes.inspect(peer.pidfd.get()));
    const std::string path = identity_path(peer.process.cgroup_text);
    peer.cgroup = cgroups.path_in(peer.process.cgroup_text);
    const CallerKind kind =
        classify_caller({.cgroup = path,
                         .pid_namespace_depth = peer.process.pid_namespace_depth,
                         .confined = peer.process.confined,
                         .main_pid_alone = cgroups.is_alone(peer.cgroup, peer.process.pid)});
    peer.container = kind == CallerKind::container;
    peer.service = kind == CallerKind::service;
    peer.identity = identify_caller(path, kind);
    return {};
}

Result<Peer> identify_socket_peer(int socket, Processes& processes, const Cgroups& cgroups) {
    ucred credentials{};
    socklen_t size = sizeof credentials;
    if (::getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &credentials, &size) < 0) {
        return errno_error(errno, "cannot tell who is connected");
    }
    Peer peer;
    peer.uid = credentials.uid;
    peer.groups = peer_groups(socket, credentials.gid);
    CMK_TRY_ASSIGN(peer.pidfd, peer_pidfd(socket, credentials, processes));
    CMK_TRY(describe_peer(peer, processes, cgroups));
    return peer;
}

Status accept_own_pidfd(Peer& peer, UniqueFd pidfd, Processes& processes) {
    CMK_TRY_ASSIGN(const int sent, processes.pid_of(pidfd.get()));
    if (sent == peer.process.pid) return {};
    return make_error(Errc::not_permitted, "the pidfd is of process " + std::to_string(sent) +
                                               ", but process " + std::to_string(peer.process.pid) +
                                               " is connected: a process leases for itself only");
}

}  // namespace cmk
