// SPDX-License-Identifier: Apache-2.0
#include "agent/config_source.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>

#include "base/file_io.h"

namespace cmk {

namespace {

constexpr char kDropIn[] = "50-init.toml";
constexpr char kHeader[] =
    "# Written by the agent's Reconfigure (cmkctl init). A drop-in of a later name overrides "
    "it.\n\n";

bool has_pool(const std::vector<PoolSpec>& pools, const std::string& name) {
    return std::any_of(pools.begin(), pools.end(),
                       [&](const PoolSpec& pool) { return pool.name == name; });
}

}  // namespace

Result<Config> ConfigSource::read() const {
    CMK_TRY_ASSIGN(const auto texts, read_config_files(file_));
    return parse_config(texts);
}

Status ConfigSource::write_dropin(const std::vector<PoolSpec>& pools,
                                  const std::string& compat_dir) const {
    const std::string dir = dropin_dir(file_);
    CMK_TRY_ASSIGN(auto texts, read_config_files(file_));
    const std::string path = dir + "/" + kDropIn;
    std::erase_if(texts, [&](const ConfigText& text) { return text.name == path; });
    CMK_TRY_ASSIGN(const Config others, parse_config(texts));
    for (const PoolSpec& pool : others.pools) {
        if (has_pool(pools, pool.name)) continue;
        return make_error(Errc::conflict, "pool " + pool.name +
                                              " is set in a configuration file and would come "
                                              "back; remove it there first (" +
                                              dir + " and the file beside it)");
    }
    CMK_TRY(make_dir_at(AT_FDCWD, dir, 0755));
    return replace_file_at(AT_FDCWD, path, kHeader + dump_dropin(pools, compat_dir), 0644);
}

}  // namespace cmk
