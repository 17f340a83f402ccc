// SPDX-License-Identifier: Apache-2.0
// The program under the original's name: real processes on a real directory, and by a real agent.
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "support/eventually.h"
#include "support/require.h"

namespace cmk::test {
namespace {

using Words = std::vector<std::string>;

/// A machine of cores with two CPUs each, as sysfs shows it; real CPUs need not be there.
void write_sysfs(const std::string& root, unsigned cores) {
    for (unsigned cpu = 0; cpu < 2 * cores; ++cpu) {
        const std::string dir =
            root + "/sys/devices/system/cpu/cpu" + std::to_string(cpu) + "/topology";
        std::filesystem::create_directories(dir);
        std::ofstream(dir + "/core_id") << cpu % cores << "\n";
        std::ofstream(dir + "/physical_package_id") << "0\n";
    }
    std::ofstream(root + "/sys/devices/system/cpu/online") << "0-" << 2 * cores - 1 << "\n";
}

class CompatTest : public testing::Test {
protected:
    CompatTest() {
        std::string name = (std::filesystem::temp_directory_path() / "cmk-test-XXXXXX").string();
        EXPECT_NE(::mkdtemp(name.data()), nullptr);
        root_ = name;
        std::filesystem::create_symlink(std::filesystem::absolute(built("cli/cmkctl")),
                                        root_ + "/cmk");
        write_sysfs(root_ + "/sysfs", 4);
    }
    ~CompatTest() override { std::filesystem::remove_all(root_); }

    std::string conf() const { return root_ + "/conf"; }
    Words line(Words words) const {
        const auto separator = std::find(words.begin(), words.end(), "--");
        words.insert(separator, "--conf-dir=" + conf());
        words.insert(words.begin(), root_ + "/cmk");
        return words;
    }
    Command::Options options(std::map<std::string, std::string> more = {}) const {
        more.emplace("CMK_PROC_FS", "/proc");
        more.emplace("CMK_DEV_LSCPU_SYSFS", root_ + "/sysfs");
        return {.env = std::move(more)};
    }
    Outcome cmk(Words words, std::map<std::string, std::string> more = {}) const {
        return run(line(std::move(words)), options(std::move(more)));
    }
    Command start(Words words, std::map<std::string, std::string> more = {}) const {
        return Command(line(std::move(words)), options(std::move(more)));
    }
    /// As pods call it: PID and mount namespace of their own.
    Command::Options contained() const {
        Command::Options made = options({{"CMK_PROC_FS", root_ + "/host/proc"}});
        made.clone_flags = CLONE_NEWPID | CLONE_NEWNS;
        return made;
    }
    /// Two exclusive cores (0,4 and 1,5), one shared (2,6), one infra (3,7).
    void init() const {
        const Outcome made = cmk({"init", "--num-exclusive-cores=2", "--num-shared-cores=1"});
        ASSERT_EQ(made.exit, 0) << made.err;
    }
    std::string tasks(const std::string& pool, const std::string& list) const {
        std::ostringstream text;
        text << std::ifstream(conf() + "/pools/" + pool + "/0/" + list + "/tasks").rdbuf();
        return text.str();
    }

    std::string root_;
};

/// CPUs of the made-up machine are not all there, so programs are not pinned.
Words isolate(const std::string& pool, Words command) {
    Words words{"isolate", "--pool=" + pool, "--no-affinity"};
    words.insert(words.end(), command.begin(), command.end());
    return words;
}

TEST_F(CompatTest, InitMakesTheOriginalsDirectoryOnce) {
    init();
    EXPECT_TRUE(std::filesystem::exists(conf() + "/pools/exclusive/0/0,4/tasks"));
    EXPECT_TRUE(std::filesystem::exists(conf() + "/pools/infra/0/3,7/tasks"));
    const Outcome again = cmk({"init", "--num-exclusive-cores=2", "--num-shared-cores=1"});
    EXPECT_EQ(again.exit, 0) << again.err;
    EXPECT_NE(again.err.find("INFO:root:Configuration directory already exists."),
              std::string::npos);
    const Outcome other = cmk({"init", "--num-exclusive-cores=1", "--num-shared-cores=1"});
    EXPECT_EQ(other.exit, 1);
    EXPECT_NE(other.err.find("ERROR:root:2 exclusive cores (1 requested)"), std::string::npos)
        << other.err;
}

TEST_F(CompatTest, TheProgramFindsItsCpusAndItsStatusIsPassedOn) {
    init();
    const Outcome shown = cmk(isolate("exclusive", {"env | grep ^CMK_CPUS | sort; exit 7"}));
    EXPECT_EQ(shown.exit, 7) << shown.err;
    EXPECT_EQ(shown.out,
              "CMK_CPUS_ASSIGNED=0,4\nCMK_CPUS_ASSIGNED_MASK=11\nCMK_CPUS_INFRA=3,7\n"
              "CMK_CPUS_SHARED=2,6\n");
    EXPECT_EQ(tasks("exclusive", "0,4"), "");
}

TEST_F(CompatTest, WordsAreKeptAndOneWordIsTheShells) {
    init();
    EXPECT_EQ(cmk(isolate("infra", {"echo", "--", "a   b", "$HOME"})).out, "a   b $HOME\n");
    EXPECT_EQ(cmk(isolate("infra", {"echo a   b"})).out, "a b\n");
    EXPECT_EQ(cmk(isolate("infra", {"no-such-program"})).exit, 127);
    EXPECT_EQ(cmk(isolate("infra", {"/etc/passwd"})).exit, 126);
}

TEST_F(CompatTest, SeveralCoresAndNotEnough) {
    init();
    const auto assigned = [&](const std::string& pool, const std::string& cores) {
        return cmk(isolate(pool, {"echo $CMK_CPUS_ASSIGNED"}), {{"CMK_NUM_CORES", cores}});
    };
    EXPECT_EQ(assigned("exclusive", "2").out, "0,4,1,5\n");
    EXPECT_EQ(assigned("shared", "2").out, "2,6\n");
    const Outcome refused = assigned("exclusive", "3");
    EXPECT_EQ(refused.exit, 1);
    EXPECT_NE(refused.err.find("Not enough free cpu lists in pool exclusive"), std::string::npos)
        << refused.err;
    EXPECT_EQ(assigned("exclusive", "none").exit, 1);
    EXPECT_EQ(assigned("nowhere", "1").exit, 1);
}

TEST_F(CompatTest, TheListIsTakenWhileTheProgramRuns) {
    init();
    Command program = start(isolate("exclusive", {"sh", "--", "-c", "echo ready; exec sleep 60"}));
    ASSERT_TRUE(program.wait_for_output("ready"));
    EXPECT_EQ(tasks("exclusive", "0,4"), std::to_string(program.pid()));
    EXPECT_EQ(cmk(isolate("exclusive", {"echo $CMK_CPUS_ASSIGNED"})).out, "1,5\n");
    EXPECT_EQ(cmk({"uninstall", "--install-dir=" + root_ + "/none"}).exit, 1);
    EXPECT_EQ(tasks("exclusive", "0,4"), std::to_string(program.pid()));
    program.send_signal(SIGTERM);
    EXPECT_EQ(program.finish().exit, 128 + SIGTERM);
    EXPECT_EQ(tasks("exclusive", "0,4"), "");
}

TEST_F(CompatTest, AKilledParentTakesItsChildAlongAndReconcileTidies) {
    init();
    Command program =
        start(isolate("exclusive", {"sh", "--", "-c", "echo $$ ready; exec sleep 60"}));
    ASSERT_TRUE(program.wait_for_output("ready"));
    const pid_t child = std::atoi(program.output().c_str());
    const std::string parent = std::to_string(program.pid());
    program.send_signal(SIGKILL);
    (void)program.finish();
    EXPECT_TRUE(eventually([&] { return ::kill(child, 0) < 0; }));
    EXPECT_EQ(tasks("exclusive", "0,4"), parent);
    const Outcome tidied = cmk({"reconcile"});
    EXPECT_EQ(tidied.exit, 0) << tidied.err;
    EXPECT_NE(tidied.out.find("\"pid\": " + parent), std::string::npos) << tidied.out;
    EXPECT_EQ(tasks("exclusive", "0,4"), "");
    EXPECT_EQ(cmk({"reconcile"}).out, "{\n  \"reclaimedCpuLists\": []\n}\n");
}

TEST_F(CompatTest, FiftyAtOnceNeverShareAList) {
    write_sysfs(root_ + "/sysfs", 8);
    const Outcome made = cmk({"init", "--num-exclusive-cores=6", "--num-shared-cores=1"});
    ASSERT_EQ(made.exit, 0) << made.err;
    // mkdir(1) fails for the second owner of a list.
    const std::string script = "mkdir " + root_ + "/own-$CMK_CPUS_ASSIGNED || exit 9; rmdir " +
                               root_ + "/own-$CMK_CPUS_ASSIGNED";
    std::vector<Command> programs;
    for (int number = 0; number < 50; ++number)
        programs.push_back(start(isolate("exclusive", {"sh", "--", "-c", script})));
    int served = 0;
    for (Command& program : programs) {
        const Outcome ended = program.finish();
        const bool refused = ended.exit == 1 && ended.err.find("Not enough") != std::string::npos;
        EXPECT_TRUE(ended.exit == 0 || refused) << ended.exit << ended.err;
        served += ended.exit == 0 ? 1 : 0;
    }
    EXPECT_GE(served, 6);
    for (const char* list : {"0,8", "1,9", "2,10", "3,11", "4,12", "5,13"})
        EXPECT_EQ(tasks("exclusive", list), "") << list;
}

TEST_F(CompatTest, ReportsHaveTheOriginalsShape) {
    init();
    const std::string description = cmk({"describe"}).out;
    EXPECT_EQ(description.rfind("{\n  \"path\": \"" + conf() + "\",\n  \"pools\": {\n", 0), 0U)
        << description;
    const Outcome report = cmk({"node-report"});
    EXPECT_EQ(report.exit, 0) << report.err;
    EXPECT_NE(report.out.find("\"configDirectory\": {\n      \"errors\": [],\n      \"ok\": true"),
              std::string::npos)
        << report.out;
}

TEST_F(CompatTest, InstallPutsTheBinaryThereAndUninstallTakesAllAway) {
    init();
    const std::string bin = root_ + "/opt/bin";
    EXPECT_EQ(cmk({"describe"}).exit, 0);
    ASSERT_EQ(run({root_ + "/cmk", "install", "--install-dir=" + bin}).exit, 0);
    EXPECT_EQ(run({bin + "/cmk", "--version"}).out, run({root_ + "/cmk", "--version"}).out);
    EXPECT_EQ(cmk({"uninstall", "--install-dir=" + bin}).exit, 0);
    EXPECT_TRUE(std::filesystem::is_empty(conf()));
    EXPECT_FALSE(std::filesystem::exists(bin + "/cmk"));
    EXPECT_EQ(cmk({"uninstall", "--install-dir=" + bin}).exit, 0);
}

TEST_F(CompatTest, BadDirectoriesAreRefusedByName) {
    const auto refused = [&](Words words, const std::string& said) {
        const Outcome outcome = cmk(std::move(words));
        EXPECT_EQ(outcome.exit, 1);
        EXPECT_NE(outcome.err.find(said), std::string::npos) << outcome.err;
    };
    refused({"describe"}, conf() + "/lock");
    init();
    std::ofstream(conf() + "/pools/exclusive/0/0,4/tasks") << "junk";
    refused(isolate("exclusive", {"true"}), "pools/exclusive/0/0,4/tasks");
    std::ofstream(conf() + "/pools/exclusive/0/0,4/tasks") << "";
    std::filesystem::remove(conf() + "/pools/infra/exclusive");
    refused({"describe"}, "pools/infra/exclusive");
    EXPECT_EQ(run(line({"isolate", "--pool=infra", "true"}), {}).exit, 1) << "CMK_PROC_FS";
}

/// Each is refused by its path, and nothing of the directory changes.
TEST_F(CompatTest, HandEditedDirectoriesAreRefusedOrReadAsTheyAre) {
    struct Edit {
        std::string file;  ///< below the directory
        std::string text;
        Words call;
        std::string said;
    };
    const std::string lists = "pools/exclusive/0/";
    const Edit edits[] = {
        {lists + "0,4/tasks", "12;13", isolate("exclusive", {"true"}), lists + "0,4/tasks"},
        {lists + "0,4/tasks", "-1", {"reconcile"}, lists + "0,4/tasks"},
        {lists + "0,4/tasks", "\n", {"describe"}, lists + "0,4/tasks"},
        {lists + "four/tasks", "", {"describe"}, lists + "four"},
        {lists + "9-7/tasks", "", {"describe"}, lists + "9-7"},
        {lists + "99999/tasks", "", {"describe"}, lists + "99999"},
        {"notes.txt", "mine", {"init", "--num-exclusive-cores=1"}, "2 exclusive cores"},
    };
    for (const Edit& edit : edits) {
        SCOPED_TRACE(edit.file + " " + edit.text);
        std::filesystem::remove_all(conf());
        init();
        std::filesystem::create_directories(
            std::filesystem::path(conf() + "/" + edit.file).parent_path());
        std::ofstream(conf() + "/" + edit.file) << edit.text;
        const Outcome before = run({"find", conf(), "-type", "f", "-exec", "cksum", "{}", "+"});
        const Outcome refused = cmk(edit.call);
        EXPECT_EQ(refused.exit, 1);
        EXPECT_NE(refused.err.find(edit.said), std::string::npos) << refused.err;
        EXPECT_EQ(run({"find", conf(), "-type", "f", "-exec", "cksum", "{}", "+"}).out, before.out);
    }
}

TEST_F(CompatTest, RangesOverlapsAndMissingFilesAreToldApart) {
    init();
    // Ranges, as hand-made directories of the original's documentation have them.
    std::filesystem::rename(conf() + "/pools/infra/0/3,7", conf() + "/pools/infra/0/2-3,6-7");
    EXPECT_EQ(cmk(isolate("infra", {"echo $CMK_CPUS_ASSIGNED"})).out, "2,3,6,7\n");
    const Outcome report = cmk({"node-report"});
    EXPECT_EQ(report.exit, 0) << report.err;
    EXPECT_NE(report.out.find("CPU list overlap detected in infra:2-3,6-7 and shared:2,6"),
              std::string::npos)
        << report.out;
    std::filesystem::remove(conf() + "/lock");
    for (const Words& words : {Words{"describe"}, isolate("infra", {"true"}), Words{"reconcile"}}) {
        const Outcome refused = cmk(words);
        EXPECT_EQ(refused.exit, 1);
        EXPECT_NE(refused.err.find(conf() + "/lock"), std::string::npos) << refused.err;
    }
    std::filesystem::remove_all(conf() + "/pools");
    std::ofstream(conf() + "/notes.txt") << "mine";
    const Outcome foreign = cmk({"init"});
    EXPECT_EQ(foreign.exit, 1);
    EXPECT_NE(foreign.err.find("notes.txt"), std::string::npos) << foreign.err;
}

TEST_F(CompatTest, AReadOnlyMountIsNamed) {
    CMK_NEEDS("root");
    init();
    ASSERT_EQ(::mount(conf().c_str(), conf().c_str(), nullptr, MS_BIND, nullptr), 0);
    EXPECT_EQ(::mount(nullptr, conf().c_str(), nullptr, MS_REMOUNT | MS_BIND | MS_RDONLY, nullptr),
              0);
    const Outcome refused = cmk(isolate("exclusive", {"true"}));
    EXPECT_EQ(refused.exit, 1);
    EXPECT_NE(refused.err.find(conf() + "/lock"), std::string::npos) << refused.err;
    EXPECT_NE(refused.err.find("Read-only"), std::string::npos) << refused.err;
    EXPECT_EQ(::umount2(conf().c_str(), MNT_DETACH), 0);
}

TEST_F(CompatTest, FurtherChecksAreMadeWhenAskedFor) {
    init();
    Command program = start({"isolate", "--pool=exclusive", "--no-affinity", "--", "sh", "-c",
                             "echo ready; exec sleep 60"});
    ASSERT_TRUE(program.wait_for_output("ready"));
    EXPECT_EQ(cmk({"node-report"}).out.find("task"), cmk({"node-report"}).out.find("tasks"));
    const std::string report = cmk({"node-report", "--further-checks"}).out;
    const std::string list = "exclusive:0,4: process ";
    EXPECT_NE(report.find("\"taskAffinity\": {\n      \"errors\": [\n        \"" + list),
              std::string::npos)
        << report;
    EXPECT_NE(report.find("\"cpuOnline\": {\n      \"errors\": []"), std::string::npos);
    const std::string parent = std::to_string(program.pid());
    program.send_signal(SIGKILL);
    (void)program.finish();
    EXPECT_NE(cmk({"node-report", "--further-checks"})
                  .out.find("\"" + list + parent + " is not running\""),
              std::string::npos);
}

TEST_F(CompatTest, AnAgentThatIsAwayIsNeverReplacedByTheDirectory) {
    init();
    std::ofstream(conf() + "/agent.sock").close();
    const Outcome refused = cmk(isolate("exclusive", {"true"}));
    EXPECT_EQ(refused.exit, 1);
    EXPECT_NE(refused.err.find("agent.sock"), std::string::npos) << refused.err;
}

TEST_F(CompatTest, ClusterSubcommandsSayWhatIsMissing) {
    const Outcome refused = run({root_ + "/cmk", "discover"}, {.env = {{"PATH", root_}}});
    EXPECT_EQ(refused.exit, 1);
    EXPECT_NE(refused.err.find("cmk-k8s"), std::string::npos) << refused.err;
}

/// As pods call it: a PID and a mount namespace of their own, the host's procfs at another place.
TEST_F(CompatTest, PodsRecordTheIdsOfTheHost) {
    CMK_NEEDS("root");
    init();
    std::filesystem::create_directories(root_ + "/host/proc");
    ASSERT_EQ(::mount("/proc", (root_ + "/host/proc").c_str(), nullptr, MS_BIND, nullptr), 0);
    Command pod(line(isolate("infra", {"sh", "--", "-c", "echo ready; exec sleep 60"})),
                contained());
    EXPECT_TRUE(pod.wait_for_output("ready"));
    EXPECT_EQ(tasks("infra", "3,7"), std::to_string(pod.pid()));
    pod.send_signal(SIGTERM);
    EXPECT_EQ(pod.finish().exit, 128 + SIGTERM);
    EXPECT_EQ(tasks("infra", "3,7"), "");
    EXPECT_EQ(::umount2((root_ + "/host/proc").c_str(), MNT_DETACH), 0);
}

/// The same subcommands where an agent's socket is in the directory.
class CompatAgent : public CompatTest {
protected:
    void SetUp() override {
        CMK_NEEDS("root");
        CMK_NEEDS("cpuset1");
        ASSERT_TRUE(agent_.start());
        std::filesystem::create_directories(conf());
        std::filesystem::create_symlink(agent_.socket(), conf() + "/agent.sock");
        const Outcome made = cmk({"init", "--num-exclusive-cores=1", "--num-shared-cores=0"});
        ASSERT_EQ(made.exit, 0) << made.err;
    }
    // `cmk init` would have the agent offer its socket in this machine's /etc/cmk.
    AgentProcess agent_{{.config = "[compat]\nconf_dir = \"" + root_ + "/offered\"\n"}};
};

TEST_F(CompatAgent, IsolateBecomesTheProgram) {
    Command program = start({"isolate", "--pool=exclusive", "--", "sh", "-c",
                             "echo $$ $CMK_CPUS_ASSIGNED; exec sleep 60"});
    ASSERT_TRUE(program.wait_for_output("\n"));
    const std::string pid = std::to_string(program.pid());
    EXPECT_EQ(program.output(), pid + " 0\n");
    EXPECT_NE(cmk({"describe"}).out.find("            " + pid + "\n"), std::string::npos);
    EXPECT_FALSE(std::filesystem::exists(conf() + "/pools"));
    EXPECT_EQ(cmk({"isolate", "--pool=exclusive", "true"}).exit, 1);
    EXPECT_EQ(cmk({"uninstall", "--install-dir=" + root_}).exit, 1);
    program.send_signal(SIGKILL);
    EXPECT_EQ(program.finish().signal, SIGKILL);
    EXPECT_EQ(cmk({"isolate", "--pool=exclusive", "exit 5; :"}).exit, 5);
}

TEST_F(CompatAgent, InitAgainIsNothingAndAnotherOneIsRefused) {
    const Outcome again = cmk({"init", "--num-exclusive-cores=1", "--num-shared-cores=0"});
    EXPECT_EQ(again.exit, 0) << again.err;
    EXPECT_NE(again.err.find("already initialised"), std::string::npos) << again.err;
    const Outcome other = cmk({"init"});
    EXPECT_EQ(other.exit, 1);
    EXPECT_NE(other.err.find("/run/cmk-admin"), std::string::npos) << other.err;
    EXPECT_EQ(cmk({"reconfigure", "--num-exclusive-cores=0", "--num-shared-cores=1"}).exit, 0);
    EXPECT_NE(cmk({"describe"}).out.find("\"0\": {"), std::string::npos);
}

TEST_F(CompatAgent, PodsAreServedWithTheirUnchangedCommandLines) {
    const auto pod = [&](Words words) { return run(line(std::move(words)), contained()); };
    Command sleeper(line({"isolate", "--pool=infra", "sleep", "--", "10000"}), contained());
    const std::string pid = std::to_string(sleeper.pid());
    EXPECT_TRUE(eventually([&] { return cmk({"describe"}).out.find(pid) != std::string::npos; }));
    EXPECT_EQ(pod({"isolate", "--pool=exclusive", "test $CMK_CPUS_ASSIGNED = 0"}).exit, 0);
    sleeper.send_signal(SIGKILL);
    EXPECT_EQ(sleeper.finish().signal, SIGKILL);
}

TEST_F(CompatAgent, InitInAContainerOnlyComparesThePools) {
    const auto init = [&](const std::string& cores) {
        return run(line({"init", "--num-exclusive-cores=" + cores, "--num-shared-cores=0"}),
                   contained());
    };
    const Outcome same = init("1");
    EXPECT_EQ(same.exit, 0) << same.err;
    EXPECT_NE(same.err.find("already initialised"), std::string::npos) << same.err;
    const Outcome other = init("0");
    EXPECT_EQ(other.exit, 1);
    EXPECT_NE(other.err.find("/run/cmk-admin"), std::string::npos) << other.err;
    // And where there are none yet, it is the host's to make them.
    EXPECT_EQ(cmk({"uninstall", "--install-dir=" + root_ + "/none"}).exit, 0);
    const Outcome first = init("1");
    EXPECT_EQ(first.exit, 1);
    EXPECT_NE(first.err.find("/run/cmk-admin"), std::string::npos) << first.err;
}

TEST_F(CompatAgent, AModeThatIsNoneIsPackedWithAWarning) {
    const Outcome made = cmk({"reconfigure", "--num-exclusive-cores=1", "--num-shared-cores=0",
                              "--exclusive-mode=vertical"});
    EXPECT_EQ(made.exit, 0) << made.err;
    EXPECT_NE(made.err.find("WARNING:root:Wrong mode has been selected.Fallback to vertical"),
              std::string::npos)
        << made.err;
}

TEST_F(CompatAgent, ReportsAndReconcileKeepTheirShapes) {
    EXPECT_EQ(cmk({"reconcile"}).out, "{\n  \"reclaimedCpuLists\": []\n}\n");
    EXPECT_NE(cmk({"node-report"}).out.find("\"topology\": {"), std::string::npos);
    EXPECT_EQ(cmk({"uninstall", "--install-dir=" + root_ + "/none"}).exit, 0);
    EXPECT_NE(cmk({"describe"}).out.find("\"pools\": {}"), std::string::npos);
}

}  // namespace
}  // namespace cmk::test
