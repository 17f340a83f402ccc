// SPDX-License-Identifier: Apache-2.0
#include "cli/bundle.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "base/file_io.h"
#include "base/text.h"
#include "cli/host_facts.h"
#include "cli/tar.h"

namespace cmk {

namespace {

constexpr char kDirectory[] = "cmk-bundle/";
constexpr std::size_t kMaxGroups = 4096;
constexpr unsigned kMaxDepth = 16;

constexpr std::array<const char*, 9> kSecretWords{
    "token", "secret", "passw", "passphrase", "credential", "auth", "key", "cookie", "private"};

bool is_secret(std::string_view key) {
    std::string small(key);
    for (char& c : small)
        c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    return std::any_of(kSecretWords.begin(), kSecretWords.end(),
                       [&](const char* word) { return small.find(word) != std::string::npos; });
}

/// "https://name:password@host" becomes "https://***@host".
std::string mask_address(std::string text) {
    for (std::size_t at = text.find("://"); at != std::string::npos; at = text.find("://", at)) {
        at += 3;
        const std::size_t end = text.find_first_of("/ \"'", at);
        const std::size_t sign = text.rfind('@', end);
        if (sign != std::string::npos && sign >= at) text.replace(at, sign - at, "***");
    }
    return text;
}

std::string mask_pair(std::string_view text) {
    const std::size_t equals = text.find('=');
    if (equals == std::string_view::npos || !is_secret(text.substr(0, equals))) {
        return mask_address(std::string(text));
    }
    const bool has_blank = text.substr(equals + 1, 1) == " ";
    return std::string(text.substr(0, equals + 1)) + (has_blank ? " ***" : "***");
}

class HostReader {
public:
    HostReader(const std::string& root, Bundle& bundle)
        : base_(root == "/" ? "" : root), bundle_(bundle) {}

    void read(const std::vector<std::string>& groups) {
        add_masked("/proc/cmdline", true);
        for (const char* path :
             {"/proc/version", "/proc/sys/kernel/osrelease", "/etc/os-release",
              "/sys/devices/system/cpu/online", "/sys/devices/system/cpu/present",
              "/sys/devices/system/cpu/isolated", "/sys/devices/system/cpu/nohz_full"})
            add_plain(path);
        add_mounts();
        std::string facts;
        for (const std::string& fact : find_host_facts(base_.empty() ? "/" : base_))
            facts += fact + "\n";
        bundle_.files.push_back({"host-facts.txt", facts});
        add_configuration();
        // Where cgroup v1 has its cpusets is below where v2 has all.
        walk("/sys/fs/cgroup", false, 0);
        for (const std::string& group : groups) {
            for (const char* mount : {"/sys/fs/cgroup", "/sys/fs/cgroup/cpuset"})
                add_group(mount + group);
        }
    }

private:
    void add_plain(const std::string& path) {
        if (auto text = read(path)) bundle_.files.push_back({path.substr(1), *std::move(text)});
    }

    void add_masked(const std::string& path, bool by_word) {
        if (const auto text = read(path)) {
            bundle_.files.push_back({path.substr(1), mask_secrets(*text, by_word)});
        }
    }

    Result<std::string> read(const std::string& path) {
        auto text = read_file_at(AT_FDCWD, base_ + path);
        if (!text && text.error().sys_errno != ENOENT) {
            bundle_.missing.push_back(text.error().message);
        }
        return text;
    }

    /// Other mounts are nobody's business.
    void add_mounts() {
        const auto text = read("/proc/self/mountinfo");
        if (!text) return;
        std::string groups;
        for (const std::string_view line : split(*text, '\n')) {
            if (line.find(" - cgroup") != std::string_view::npos)
                groups += std::string(line) + "\n";
        }
        bundle_.files.push_back({"proc/self/mountinfo", groups});
    }

    void add_configuration() {
        add_masked("/usr/lib/cmk/agent.toml", false);
        add_masked("/etc/cmk-agent/agent.toml", false);
        const std::string directory = "/etc/cmk-agent/agent.toml.d";
        const auto names = list_dir_at(AT_FDCWD, base_ + directory);
        if (!names && names.error().sys_errno != ENOENT) {
            bundle_.missing.push_back(names.error().message);
        }
        for (const std::string& name : names ? *names : std::vector<std::string>()) {
            add_masked(directory + "/" + name, false);
        }
    }

    bool is_directory(const std::string& path) const {
        struct stat info {};
        return ::lstat((base_ + path).c_str(), &info) == 0 && S_ISDIR(info.st_mode);
    }

    void add_group(const std::string& path) {
        const auto names = list_dir_at(AT_FDCWD, base_ + path);
        for (const std::string& name : names ? *names : std::vector<std::string>()) {
            const bool is_wanted = name.compare(0, 7, "cpuset.") == 0 || name == "cgroup.type";
            if (is_wanted) add_plain(path + "/" + name);
        }
    }

    /// Our groups can be anywhere: in the root, in a slice, in a container's group.
    void walk(const std::string& path, bool is_ours, unsigned depth) {
        const auto names = list_dir_at(AT_FDCWD, base_ + path);
        if (!names || depth > kMaxDepth) return;
        const bool is_root = depth == 0 || path == "/sys/fs/cgroup/cpuset";
        if (is_ours && ++groups_ > kMaxGroups) return;
        if (is_ours || is_root) add_group(path);
        for (const std::string& name : *names) {
            const std::string below = path + "/" + name;
            if (is_directory(below)) {
                walk(below, is_ours || name.compare(0, 3, "cmk") == 0, depth + 1);
            }
        }
    }

    std::string base_;
    Bundle& bundle_;
    std::size_t groups_ = 0;
};

std::string manifest_of(const Bundle& bundle) {
    std::string text =
        "What cmkctl bundle collected for a bug report. Values of keys that sound like secrets\n"
        "are masked; look through it before you send it.\n\n";
    for (const BundleFile& file : bundle.files)
        text += std::to_string(file.content.size()) + "\t" + file.name + "\n";
    for (const std::string& missing : bundle.missing)
        text += "missing\t" + missing + "\n";
    return text;
}

}  // namespace

std::string mask_secrets(std::string_view text, bool by_word) {
    std::vector<std::string> masked;
    const char separator = by_word ? ' ' : '\n';
    for (const std::string_view piece : split(text, separator))
        masked.push_back(mask_pair(piece));
    return join(masked, std::string_view(&separator, 1));
}

void add_host(const std::string& root, const std::vector<std::string>& groups, Bundle& bundle) {
    HostReader(root, bundle).read(groups);
}

std::string pack(Bundle& bundle, std::int64_t time) {
    TarArchive archive(time);
    std::vector<BundleFile> packed;
    for (BundleFile& file : bundle.files) {
        if (const Status added = archive.add(kDirectory + file.name, file.content); !added) {
            bundle.missing.push_back(added.error().message);
        } else {
            packed.push_back(std::move(file));
        }
    }
    bundle.files = std::move(packed);
    (void)archive.add(std::string(kDirectory) + "MANIFEST", manifest_of(bundle));
    return std::move(archive).text();
}

}  // namespace cmk
