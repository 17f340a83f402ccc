// SPDX-License-Identifier: Apache-2.0
// The recorded machines and calls of the original's `init`, through the program itself.
#include <unistd.h>

#include "base/text.h"
#include "support/command.h"
#include "support/golden_init.h"
#include "support/require.h"

namespace cmk::test {
namespace {

class CompatGolden : public ConfdirTest {
protected:
    CompatGolden() {
        std::filesystem::create_directory(parent_ + "/bin");
        std::filesystem::create_symlink(std::filesystem::absolute(built("cli/cmkctl")),
                                        parent_ + "/bin/cmk");
    }

    void write(const std::string& name, const std::string& text) const {
        const std::filesystem::path file = std::filesystem::path(parent_) / name;
        std::filesystem::create_directories(file.parent_path());
        std::ofstream(file) << text << "\n";
    }

    /// The machine as sysfs and procfs show it.
    void write_machine(const GoldenCase& golden) const {
        std::filesystem::remove_all(parent_ + "/sysfs");
        const std::string cpus = "sysfs/sys/devices/system/cpu/";
        std::string online;
        for (const std::string& row : golden.rows) {
            const auto fields = split(row, ',');
            const std::string cpu(fields[0]);
            write(cpus + "cpu" + cpu + "/topology/core_id", std::string(fields[1]));
            write(cpus + "cpu" + cpu + "/topology/physical_package_id", std::string(fields[2]));
            online += (online.empty() ? "" : ",") + cpu;
        }
        write(cpus + "online", online);
        write("proc/cmdline", golden.cmdline);
        write("proc/1/stat", "1 (init) S 0");
    }

    Outcome init(const GoldenCase& golden) const {
        std::vector<std::string> line{parent_ + "/bin/cmk", "init", "--conf-dir=" + path()};
        line.insert(line.end(), golden.args.begin(), golden.args.end());
        return run(line, {.env = {{"CMK_PROC_FS", parent_ + "/proc"},
                                  {"CMK_DEV_LSCPU_SYSFS", parent_ + "/sysfs"}}});
    }
};

/// Core ids that lscpu never prints for what sysfs says, since it numbers cores over all sockets.
bool names_repeated_cores(const GoldenCase& golden) {
    const std::set<unsigned> ids(golden.core_ids.begin(), golden.core_ids.end());
    return ids.size() < golden.core_ids.size() && golden.option("excl-non-isolcpus", "-1") != "-1";
}

TEST_F(CompatGolden, TheProgramMakesWhatTheOriginalMade) {
    for (const GoldenCase& golden : golden_cases()) {
        if (names_repeated_cores(golden)) continue;
        SCOPED_TRACE(golden.label);
        write_machine(golden);
        const InitResult& wanted = golden.difference ? golden.difference->ours : golden.theirs;
        const Outcome made = init(golden);
        EXPECT_EQ(made.exit, wanted.error.empty() ? 0 : 1) << made.err;
        if (wanted.error.empty()) {
            EXPECT_EQ(tree(), wanted.pools) << made.err;
            for (const std::string& warning : golden.warnings)
                EXPECT_NE(made.err.find("WARNING:root:" + warning), std::string::npos) << made.err;
            EXPECT_EQ(init(golden).exit, 0) << "the same call again";
        } else {
            EXPECT_FALSE(std::filesystem::exists(path()));
            const std::string said = wanted.error == kBadCount ? "-cores" : wanted.error;
            EXPECT_NE(made.err.find("ERROR:root:"), std::string::npos) << made.err;
            EXPECT_NE(made.err.find(said), std::string::npos) << made.err;
        }
        std::filesystem::remove_all(path());
    }
}

}  // namespace
}  // namespace cmk::test
