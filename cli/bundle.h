// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace cmk {

struct BundleFile {
    std::string name;
    std::string content;
};

/// What a bug report needs, and nothing secret.
struct Bundle {
    std::vector<BundleFile> files;
    std::vector<std::string> missing;  ///< what could not be had, and why
};

/// Adds what the host tells about itself: kernel, command line, CPUs, facts, the cpuset files of
/// CMK's groups and of `groups` (paths below the mount point), and the agent's configuration.
/// `root` is "/" but in tests. Values of keys that sound like secrets are masked.
void add_host(const std::string& root, const std::vector<std::string>& groups, Bundle& bundle);

/// `text` with the values of secrets masked: of each "key = value" line, or with `by_word` of each
/// "key=value" word, whose key names a secret, and what stands before an @ in an address.
std::string mask_secrets(std::string_view text, bool by_word);

/// The bundle as a tar archive, with a MANIFEST at its end. What the format cannot hold goes from
/// its files to what is missing. `time`: seconds since the epoch.
std::string pack(Bundle& bundle, std::int64_t time);

}  // namespace cmk
