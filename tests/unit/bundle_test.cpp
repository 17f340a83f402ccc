// SPDX-License-Identifier: Apache-2.0
#include "cli/bundle.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>

#include "cli/tar.h"

namespace cmk {
namespace {

namespace fs = std::filesystem;

class BundleTest : public ::testing::Test {
protected:
    BundleTest() : root_(::testing::TempDir() + "cmk-bundle-" + std::to_string(::getpid())) {
        fs::create_directories(root_);
    }
    ~BundleTest() override { fs::remove_all(root_); }

    void write(const std::string& path, const std::string& text) {
        fs::create_directories(fs::path(root_ + path).parent_path());
        std::ofstream(root_ + path) << text;
    }

    Bundle collect(const std::vector<std::string>& groups = {}) {
        Bundle bundle;
        add_host(root_, groups, bundle);
        return bundle;
    }

    static std::string content(const Bundle& bundle, const std::string& name) {
        const auto at = std::find_if(bundle.files.begin(), bundle.files.end(),
                                     [&](const BundleFile& file) { return file.name == name; });
        return at == bundle.files.end() ? "(none)" : at->content;
    }

    std::string root_;
};

TEST_F(BundleTest, CollectsKernelAndConfiguration) {
    write("/proc/cmdline", "quiet isolcpus=2-3 luks.key=abc root=/dev/sda\n");
    write("/proc/version", "Linux version 6.12\n");
    write("/proc/self/mountinfo",
          "1 0 0:1 / /home rw - ext4 /dev/sdb rw\n2 0 0:2 / /sys/fs/cgroup rw - cgroup2 none rw\n");
    write("/etc/cmk-agent/agent.toml", "[x]\nhook_token = \"abc\"\ncores = 4\n");
    write("/etc/cmk-agent/agent.toml.d/50-init.toml", "url = \"https://me:pw@host/x\"\n");
    const Bundle bundle = collect();
    EXPECT_EQ(content(bundle, "proc/cmdline"), "quiet isolcpus=2-3 luks.key=*** root=/dev/sda\n");
    EXPECT_EQ(content(bundle, "proc/version"), "Linux version 6.12\n");
    EXPECT_EQ(content(bundle, "proc/self/mountinfo"),
              "2 0 0:2 / /sys/fs/cgroup rw - cgroup2 none rw\n");
    EXPECT_EQ(content(bundle, "etc/cmk-agent/agent.toml"), "[x]\nhook_token = ***\ncores = 4\n");
    EXPECT_EQ(content(bundle, "etc/cmk-agent/agent.toml.d/50-init.toml"),
              "url = \"https://***@host/x\"\n");
    EXPECT_NE(content(bundle, "host-facts.txt").find("isolcpus=2-3"), std::string::npos);
    EXPECT_TRUE(bundle.missing.empty());
}

TEST_F(BundleTest, CollectsGroupsOfOursAlone) {
    const std::string groups = "/sys/fs/cgroup";
    write(groups + "/cpuset.cpus.effective", "0-7\n");
    write(groups + "/cmk.slice/cmk-leases.service/exclusive/aa11/cpuset.cpus", "2-3\n");
    write(groups + "/cmk.slice/memory.max", "max\n");
    write(groups + "/kubepods.slice/pod1/c1/cmk-bb22/cpuset.cpus", "4\n");
    write(groups + "/user.slice/cpuset.cpus", "0-7\n");
    write(groups + "/cpuset/cmk-leases/cpuset.mems", "0\n");
    const Bundle bundle = collect();
    EXPECT_EQ(content(bundle, "sys/fs/cgroup/cpuset.cpus.effective"), "0-7\n");
    EXPECT_EQ(
        content(bundle, "sys/fs/cgroup/cmk.slice/cmk-leases.service/exclusive/aa11/cpuset.cpus"),
        "2-3\n");
    EXPECT_EQ(content(bundle, "sys/fs/cgroup/kubepods.slice/pod1/c1/cmk-bb22/cpuset.cpus"), "4\n");
    EXPECT_EQ(content(bundle, "sys/fs/cgroup/cpuset/cmk-leases/cpuset.mems"), "0\n");
    EXPECT_EQ(content(bundle, "sys/fs/cgroup/user.slice/cpuset.cpus"), "(none)");
    EXPECT_EQ(content(collect({"/user.slice"}), "sys/fs/cgroup/user.slice/cpuset.cpus"), "0-7\n");
    EXPECT_EQ(content(bundle, "sys/fs/cgroup/cmk.slice/memory.max"), "(none)");
}

TEST_F(BundleTest, SaysWhatItCouldNotHave) {
    fs::create_directories(root_ + "/proc/version");  // no file
    const Bundle bundle = collect();
    ASSERT_EQ(bundle.missing.size(), 1U);
    EXPECT_NE(bundle.missing.front().find("/proc/version"), std::string::npos);
}

TEST_F(BundleTest, PacksWhatFitsAndListsIt) {
    Bundle bundle;
    bundle.files = {{"a.txt", "A"}, {std::string(101, 'n'), "B"}};
    bundle.missing = {"c.txt: not there"};
    const std::string text = pack(bundle, 0);
    EXPECT_EQ(bundle.files.size(), 1U);
    EXPECT_EQ(bundle.missing.size(), 2U);
    EXPECT_NE(text.find("1\ta.txt\nmissing\tc.txt: not there\n"), std::string::npos);
}

TEST(MaskSecrets, MasksValuesOfSecretsAlone) {
    EXPECT_EQ(mask_secrets("a=1 API_KEY=x b=2 Password= c", true),
              "a=1 API_KEY=*** b=2 Password=*** c");
    EXPECT_EQ(mask_secrets("cores = 4\nauth_token = \"a = b\"\n# x", false),
              "cores = 4\nauth_token = ***\n# x");
    EXPECT_EQ(mask_secrets("see http://a@b c://d e", true), "see http://***@b c://d e");
}

TEST(Tar, RefusesNamesThatDoNotFit) {
    TarArchive archive(0);
    EXPECT_TRUE(archive.add(std::string(100, 'a'), ""));
    EXPECT_FALSE(archive.add(std::string(101, 'a'), ""));
    EXPECT_TRUE(archive.add(std::string(155, 'p') + "/" + std::string(100, 'a'), ""));
    EXPECT_FALSE(archive.add(std::string(156, 'p') + "/" + std::string(100, 'a'), ""));
    EXPECT_FALSE(archive.add("", ""));
}

TEST(Tar, PadsToBlocks) {
    TarArchive archive(1000);
    ASSERT_TRUE(archive.add("a", std::string(513, 'x')));
    const std::string text = std::move(archive).text();
    EXPECT_EQ(text.size(), 512U + 1024U + 1024U);
    EXPECT_EQ(text.substr(257, 8), std::string("ustar\00000", 8));
    EXPECT_EQ(text.substr(136, 11), "00000001750");
}

}  // namespace
}  // namespace cmk
