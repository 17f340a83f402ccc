// SPDX-License-Identifier: Apache-2.0
#include "confdir/checks.h"

#include <unistd.h>

#include "support/confdirs.h"
#include "support/topologies.h"

namespace cmk {
namespace {

using Errors = std::vector<std::string>;

class ConfdirChecks : public test::ConfdirTest {
protected:
    Checks checks(Recorded recorded = Recorded::parent, const CpuSet& isolated = {}) const {
        const auto procfs = ProcFs::open(parent_ + "/proc");
        EXPECT_TRUE(procfs) << procfs.error().message;
        return further_checks(content(), test::single_socket_smt(), isolated, &procfs.value(),
                              recorded);
    }
    /// A process that may run on these CPUs and has these children.
    void put_running(int pid, const std::string& cpus, const std::string& children) const {
        put_process(pid, 5);
        const std::string dir = parent_ + "/proc/" + std::to_string(pid);
        std::ofstream(dir + "/status") << "Name:\tx\nCpus_allowed_list:\t" << cpus << "\n";
        std::filesystem::create_directories(dir + "/task/" + std::to_string(pid));
        std::ofstream(dir + "/task/" + std::to_string(pid) + "/children") << children;
    }
};

TEST_F(ConfdirChecks, NothingIsWrongWithSoundPools) {
    put_pool("exclusive", true, {"0,4:100"});
    put_pool("infra", false, {"1,5,2,6,3,7"});
    put_running(100, "0-7", "101 ");
    put_running(101, "0,4", "");
    const Checks wanted{
        {"bootIsolation", {}}, {"cpuOnline", {}}, {"taskAffinity", {}}, {"taskLiveness", {}}};
    EXPECT_EQ(checks(), wanted);
}

TEST_F(ConfdirChecks, EndedTasksAndAbsentCpusAreNamed) {
    put_pool("exclusive", true, {"0,4:100,200", "8,12"});
    put_running(100, "0,4", "");
    EXPECT_EQ(checks().at("taskLiveness"), Errors{"exclusive:0,4: process 200 is not running"});
    EXPECT_EQ(checks().at("cpuOnline"), Errors{"exclusive:8,12: CPUs 8,12 are not online"});
}

TEST_F(ConfdirChecks, TheProgramsPlaceIsComparedWithAllItsLists) {
    put_pool("exclusive", true, {"0,4:100", "1,5:100"});
    put_running(100, "0-7", "101 102 ");
    put_running(101, "0-1,4-5", "");
    put_running(102, "3", "");
    EXPECT_EQ(checks().at("taskAffinity"),
              (Errors{"exclusive:0,4: process 102 may run on CPUs 3",
                      "exclusive:1,5: process 102 may run on CPUs 3"}));
    EXPECT_EQ(checks(Recorded::program).at("taskAffinity"),
              (Errors{"exclusive:0,4: process 100 may run on CPUs 0-7",
                      "exclusive:1,5: process 100 may run on CPUs 0-7"}));
}

TEST_F(ConfdirChecks, AllowedCpusComeFromTheStatus) {
    put_running(7, "0,1,2,3", "");
    const auto procfs = ProcFs::open(parent_ + "/proc");
    ASSERT_TRUE(procfs);
    const auto allowed = procfs->allowed_cpus(7);
    EXPECT_TRUE(allowed && *allowed == (CpuSet{0, 1, 2, 3}));
    std::ofstream(parent_ + "/proc/7/status") << "Name:\tx\n";
    EXPECT_EQ(procfs->allowed_cpus(7).error().code, Errc::invalid_argument);
    EXPECT_EQ(procfs->allowed_cpus(8).error().code, Errc::io);
}

TEST_F(ConfdirChecks, PoolsLieWhereBootIsolationWantsThem) {
    put_pool("exclusive", true, {"0,4", "1,5"});
    put_pool("infra", false, {"2,6,3,7"});
    put_procfs({1});
    EXPECT_EQ(checks(Recorded::parent, {0, 4, 2, 6}).at("bootIsolation"),
              (Errors{"exclusive:1,5: CPUs 1,5 are not isolated at boot",
                      "infra:2,6,3,7: CPUs 2,6 are isolated at boot"}));
    // No core is isolated whole, so none counts.
    EXPECT_EQ(checks(Recorded::parent, {0}).at("bootIsolation"), Errors{});
}

TEST_F(ConfdirChecks, WithoutAProcfsNothingIsSaidOfProcesses) {
    put_pool("exclusive", true, {"0,4:100"});
    const Checks made =
        further_checks(content(), test::single_socket_smt(), {}, nullptr, Recorded::program);
    EXPECT_EQ(made.count("taskLiveness") + made.count("taskAffinity"), 0U);
    EXPECT_EQ(made.count("cpuOnline"), 1U);
}

}  // namespace
}  // namespace cmk
