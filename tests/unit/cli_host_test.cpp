// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <map>

#include "cli/host_facts.h"
#include "cli/interference.h"
#include "cli/neighbours.h"
#include "hw/kernel_work.h"
#include "support/machines.h"

namespace cmk {
namespace {

namespace fs = std::filesystem;

/// A directory with hand-made /proc files.
class CliHost : public ::testing::Test {
protected:
    CliHost() {
        char name[] = "/tmp/cmk-host-XXXXXX";
        root_ = ::mkdtemp(name);
    }
    ~CliHost() override { fs::remove_all(root_); }

    void write(const std::string& path, const std::string& text) {
        const fs::path file = root_ + "/" + path;
        fs::create_directories(file.parent_path());
        std::ofstream(file) << text;
    }

    void add_process(int pid, int parent, const std::string& name, const std::string& allowed,
                     const std::string& cpuset = "/") {
        const std::string base = "proc/" + std::to_string(pid);
        const std::string status = "Name:\t" + name + "\nPPid:\t" + std::to_string(parent) +
                                   "\nCpus_allowed_list:\t" + allowed + "\n";
        write(base + "/comm", name + "\n");
        write(base + "/status", status);
        write(base + "/cpuset", cpuset + "\n");
        write(base + "/task/" + std::to_string(pid) + "/status", status);
    }

    std::string evidence(Grade grade, bool* passed = nullptr) {
        Lease lease = testing::make_lease("1", "exclusive", "2-3", 100, "owner");
        lease.grade = grade;
        std::vector<LeaseVerdict> verdicts{{lease, true}};
        add_neighbours(root_ + "/proc", verdicts);
        if (passed != nullptr) *passed = verdicts[0].passed;
        return verdicts[0].checks.empty() ? "" : verdicts[0].checks[0].evidence;
    }

    std::string root_;
};

TEST_F(CliHost, CountsNeighboursButNotTheLeasesOwn) {
    add_process(2, 0, "kthreadd", "0-3");
    add_process(9, 2, "ksoftirqd/2", "2");
    add_process(10, 2, "ksoftirqd/0", "0");
    add_process(100, 1, "owner", "2-3", "/cmk/exclusive/1");
    add_process(101, 100, "child", "2-3");
    add_process(102, 1, "stray", "2-3", "/cmk/exclusive/1");
    add_process(200, 1, "sshd", "0-3");
    add_process(201, 1, "cron", "0-1");
    bool passed = false;
    EXPECT_EQ(evidence(Grade::C, &passed),
              "1 other user thread (sshd) and 2 kernel threads (kthreadd, ksoftirqd/2) may run on "
              "2-3; expected at grade C");
    EXPECT_TRUE(passed);
    evidence(Grade::B, &passed);
    EXPECT_FALSE(passed);
}

TEST_F(CliHost, SaysNothingInsideAContainer) {
    add_process(2, 1, "sleep", "0-3");
    add_process(100, 1, "owner", "2-3");
    EXPECT_EQ(evidence(Grade::C), "");
}

TEST_F(CliHost, TellsWhatTakesTimeOnTheCpus) {
    write("proc/irq/7/smp_affinity_list", "0-3\n");  // nobody uses it
    write("proc/irq/25/smp_affinity_list", "0-3\n");
    write("proc/irq/25/effective_affinity_list", "3\n");
    fs::create_directories(root_ + "/proc/irq/25/virtio0-input.0");
    write("proc/irq/26/effective_affinity_list", "1\n");
    fs::create_directories(root_ + "/proc/irq/26/virtio0-output.0");
    write("sys/devices/virtual/workqueue/cpumask", "0000,00000007\n");
    write("sys/devices/system/cpu/nohz_full", "3\n");
    write("sys/devices/system/cpu/cpu2/topology/thread_siblings_list", "2,6\n");
    write("sys/devices/system/cpu/cpu3/topology/thread_siblings_list", "3,7\n");
    Lease lease = testing::make_lease("1", "exclusive", "2-3,7", 100, "owner");
    lease.grade = Grade::B;
    std::vector<LeaseVerdict> verdicts{{lease, true}};
    add_interference(root_, verdicts);
    std::map<std::string, Check> checks;
    for (const Check& check : verdicts[0].checks)
        checks[check.what] = check;
    EXPECT_NE(checks["interrupts"].evidence.find("is directed to its CPUs: 25 virtio0-input.0;"),
              std::string::npos)
        << checks["interrupts"].evidence;
    EXPECT_NE(checks["workqueues"].evidence.find("may run on 2;"), std::string::npos);
    EXPECT_NE(checks["timer tick"].evidence.find("runs on 2,7;"), std::string::npos);
    EXPECT_NE(checks["siblings"].evidence.find("CPUs 6 share"), std::string::npos);
    EXPECT_FALSE(checks["siblings"].passed);
    EXPECT_FALSE(verdicts[0].passed);
}

TEST_F(CliHost, GradeAIsForQuietCpusAlone) {
    EXPECT_TRUE(quiet_of({0, 1, 2, 3}, root_).empty()) << "what cannot be read is not quiet";
    write("proc/irq/25/effective_affinity_list", "3\n");
    fs::create_directories(root_ + "/proc/irq/25/virtio0-input.0");
    write("sys/devices/virtual/workqueue/cpumask", "1\n");
    EXPECT_EQ(quiet_of({0, 1, 2, 3}, root_), CpuSet({1, 2}));
    Lease lease = testing::make_lease("1", "exclusive", "2", 100, "owner");
    lease.grade = Grade::A;
    std::vector<LeaseVerdict> verdicts{{lease, true}};
    add_interference(root_, verdicts);
    EXPECT_TRUE(verdicts[0].passed);
    write("proc/irq/25/effective_affinity_list", "2\n");
    verdicts = {{lease, true}};
    add_interference(root_, verdicts);
    EXPECT_FALSE(verdicts[0].passed);
}

TEST_F(CliHost, AnInterruptThatIsShutDownComesNowhere) {
    write("proc/irq/25/smp_affinity_list", "0-3\n");
    fs::create_directories(root_ + "/proc/irq/25/virtio0-input.0");
    ASSERT_EQ(read_interrupts(root_).size(), 1U);
    EXPECT_EQ(read_interrupts(root_)[0].cpus, CpuSet({0, 1, 2, 3}));
    write("proc/irq/25/effective_affinity_list", "\n");
    EXPECT_TRUE(read_interrupts(root_).empty());
}

TEST_F(CliHost, AMaskThatCannotBeParsedIsNotAnEmptyOne) {
    for (const char* bad : {"", "\n", "0x7\n", "0000 0007\n"}) {
        write("sys/devices/virtual/workqueue/cpumask", bad);
        EXPECT_FALSE(read_unbound_cpus(root_)) << bad;
    }
    write("sys/devices/virtual/workqueue/cpumask", "0\n");
    EXPECT_EQ(read_unbound_cpus(root_), CpuSet{});
}

TEST_F(CliHost, NothingIsSaidOfWhatCannotBeRead) {
    std::vector<LeaseVerdict> verdicts{
        {testing::make_lease("1", "exclusive", "2-3", 100, "owner"), true}};
    add_interference(root_, verdicts);
    for (const Check& check : verdicts[0].checks)
        EXPECT_NE(check.what, "workqueues");
    EXPECT_TRUE(verdicts[0].passed);
    const Status sampled = add_switches(root_, 1, verdicts);
    ASSERT_FALSE(sampled);
    EXPECT_NE(sampled.error().message.find("tracefs"), std::string::npos);
}

TEST_F(CliHost, FindsWhatBearsOnDedicatedCores) {
    EXPECT_TRUE(find_host_facts(root_).empty());
    write("proc/cmdline", "ro isolcpus=2-3 nohz_full=2-3 quiet\n");
    write("proc/77/comm", "irqbalance\n");
    write("var/lib/kubelet/cpu_manager_state", "{ \"policyName\": \"static\" }");
    const auto facts = find_host_facts(root_);
    ASSERT_EQ(facts.size(), 4U);
    EXPECT_NE(facts[0].find("isolcpus=2-3"), std::string::npos);
    EXPECT_NE(facts[1].find("nohz_full=2-3"), std::string::npos);
    EXPECT_NE(facts[2].find("irqbalance"), std::string::npos);
    EXPECT_NE(facts[3].find("static"), std::string::npos);
    write("var/lib/kubelet/cpu_manager_state", "{\"policyName\":\"none\"}");
    EXPECT_EQ(find_host_facts(root_).size(), 3U);
}

}  // namespace
}  // namespace cmk
