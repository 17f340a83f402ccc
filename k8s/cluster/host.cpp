// SPDX-License-Identifier: Apache-2.0
#include "k8s/cluster/host.h"

#include <unistd.h>

#include <filesystem>
#include <nlohmann/json.hpp>

#include "base/text.h"
#include "ipc/json_reader.h"
#include "ipc/names.h"
#include "k8s/cluster/child.h"
#include "k8s/cluster/pool_users.h"

namespace cmk::k8s {

namespace {

void tell_lines(const std::function<void(const std::string&)>& note, const std::string& text) {
    for (const std::string_view line : split(text, '\n'))
        if (!trim(line).empty()) note("cmk: " + std::string(line));
}

Error said(const ChildOutput& output, const std::string& what) {
    return make_error(Errc::unavailable, what + ": " + std::string(trim(output.err)));
}

}  // namespace

/// A directory that is named is worked on even where an agent serves; the usual one is not named.
std::vector<std::string> Host::line(const char* command) const {
    std::vector<std::string> words{"cmk", command};
    if (options_.conf_dir != kCompatDir) words.push_back("--conf-dir=" + options_.conf_dir);
    return words;
}

Result<std::vector<std::string>> Host::users() const {
    // Frees what dead processes hold; where that cannot be, they count as living.
    (void)run_child(line("reconcile"));
    CMK_TRY_ASSIGN(const ChildOutput output, run_child(line("describe")));
    if (output.exit_code == 0) {
        CMK_TRY_ASSIGN(const nlohmann::json description, parse_object(output.out));
        return users_in(description);
    }
    if (::access((options_.conf_dir + "/pools").c_str(), F_OK) != 0)
        return std::vector<std::string>();
    return said(output, "cannot tell who uses the pools of this node");
}

Status Host::remove() const {
    std::vector<std::string> words = line("uninstall");
    words.push_back("--install-dir=" + options_.install_dir);
    CMK_TRY_ASSIGN(const ChildOutput output, run_child(words));
    tell_lines(note_, output.err);
    if (output.exit_code == 0) return {};
    const Error refused = said(output, "cmk uninstall failed on this node");
    return options_.force ? remove_forced(refused) : Status(refused);
}

Status Host::remove_forced(const Error& refused) const {
    const std::string pools = options_.conf_dir + "/pools";
    if (::access(pools.c_str(), F_OK) != 0) return refused;
    std::error_code failed;
    for (const std::string& path :
         {pools, options_.conf_dir + "/lock", options_.install_dir + "/cmk"}) {
        std::filesystem::remove_all(path, failed);
        if (failed) return errno_error(failed.value(), "cannot remove " + path);
        note_("removed " + path);
    }
    return {};
}

}  // namespace cmk::k8s
