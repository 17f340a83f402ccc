// SPDX-License-Identifier: Apache-2.0
#include "confdir/tree_builder.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "base/file_io.h"

namespace cmk {

namespace {

std::string parent_of(const std::string& path) {
    const std::size_t slash = path.rfind('/');
    if (slash == std::string::npos) return ".";
    return slash == 0 ? "/" : path.substr(0, slash);
}

Status build_pool(const Changes& changes, const std::string& path, const PoolLayout& pool) {
    CMK_TRY(changes.make_dir(path));
    CMK_TRY(changes.make_file(path + "/exclusive", pool.exclusive ? "1" : "0"));
    for (const auto& [socket, lists] : pool.sockets) {
        const std::string dir = path + "/" + std::to_string(socket);
        CMK_TRY(changes.make_dir(dir));
        for (const std::string& list : lists) {
            CMK_TRY(changes.make_dir(dir + "/" + list));
            CMK_TRY(changes.make_file(dir + "/" + list + "/tasks", ""));
        }
    }
    return {};
}

/// Reading the umask means changing it, which other threads would notice.
Result<unsigned> usual_mode(const std::string& dir) {
    const std::string probe = dir + "/.mode";
    struct stat info {};
    if (::mkdir(probe.c_str(), 0777) < 0 || ::stat(probe.c_str(), &info) < 0 ||
        ::rmdir(probe.c_str()) < 0) {
        return errno_error(errno, "cannot make directory " + probe);
    }
    return static_cast<unsigned>(info.st_mode & 07777);
}

}  // namespace

Status build_pools(const Changes& changes, const std::string& path,
                   const std::vector<PoolLayout>& layout) {
    CMK_TRY(changes.make_dir(path));
    for (const PoolLayout& pool : layout)
        CMK_TRY(build_pool(changes, path + "/" + pool.name, pool));
    return {};
}

Result<std::string> make_sibling(const Changes& changes, const std::string& path) {
    std::string aside = parent_of(path) + "/.cmk-init-XXXXXX";
    CMK_TRY(changes.before("make", aside));
    if (::mkdtemp(aside.data()) == nullptr) {
        return errno_error(errno, "cannot make a directory in " + parent_of(path));
    }
    const auto mode = usual_mode(aside);
    if (mode && ::chmod(aside.c_str(), *mode) == 0) return aside;
    const int number = mode ? errno : mode.error().sys_errno;
    (void)changes.remove_tree(aside);
    return errno_error(number, "cannot make " + aside);
}

Result<MadeParents> MadeParents::of(const Changes& changes, const std::string& path) {
    std::vector<std::string> missing;
    struct stat info {};
    for (std::string dir = parent_of(path); dir != "/" && dir != "."; dir = parent_of(dir)) {
        if (::stat(dir.c_str(), &info) == 0 || errno != ENOENT) break;
        missing.push_back(dir);
    }
    MadeParents parents;
    for (auto dir = missing.rbegin(); dir != missing.rend(); ++dir) {
        const Status made = changes.make_dir(*dir);
        if (!made && made.error().sys_errno == EEXIST) continue;
        if (!made) {
            parents.remove();
            return made.error();
        }
        parents.made_.push_back(*dir);
    }
    return parents;
}

void MadeParents::remove() const {
    for (auto dir = made_.rbegin(); dir != made_.rend(); ++dir)
        ::rmdir(dir->c_str());
}

}  // namespace cmk
