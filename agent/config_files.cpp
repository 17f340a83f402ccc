// SPDX-License-Identifier: Apache-2.0
// Which files make up the configuration.
#include <fcntl.h>

#include <cerrno>

#include "agent/config.h"
#include "base/file_io.h"

namespace cmk {

namespace {

constexpr char kShipped[] = "/usr/lib/cmk/agent.toml";
constexpr char kInstalled[] = "/etc/cmk-agent/agent.toml";

/// Adds the file; where it may be missing, a missing one adds nothing.
Status add_file(std::vector<ConfigText>& texts, const std::string& path, bool may_be_missing) {
    auto text = read_file_at(AT_FDCWD, path);
    if (text) {
        texts.push_back({path, *std::move(text)});
        return {};
    }
    if (may_be_missing && text.error().sys_errno == ENOENT) return {};
    return std::move(text).error();
}

}  // namespace

std::string dropin_dir(const std::string& file) {
    return (file.empty() ? kInstalled : file) + std::string(".d");
}

Result<std::vector<ConfigText>> read_config_files(const std::string& file) {
    std::vector<ConfigText> texts;
    if (file.empty()) {
        CMK_TRY(add_file(texts, kShipped, true));
        CMK_TRY(add_file(texts, kInstalled, true));
    } else {
        CMK_TRY(add_file(texts, file, false));
    }
    const std::string dir = dropin_dir(file);
    const auto names = list_dir_at(AT_FDCWD, dir);
    if (!names && names.error().sys_errno == ENOENT) return texts;
    if (!names) return names.error();
    for (const std::string& name : *names) {
        if (name.ends_with(".toml")) CMK_TRY(add_file(texts, dir + "/" + name, true));
    }
    return texts;
}

}  // namespace cmk
