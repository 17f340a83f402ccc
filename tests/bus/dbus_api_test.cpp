// SPDX-License-Identifier: Apache-2.0
// The D-Bus side over a socketpair, client and server in one thread and without a daemon.
#include "agent/dbus_api.h"

#include <fcntl.h>
#include <sys/socket.h>

#include <deque>

#include "agent/sd_loop.h"
#include "ipc/names.h"
#include "support/manager_fixture.h"
#include "support/metrics_page.h"

namespace cmk {
namespace {

constexpr char kProperties[] = "org.freedesktop.DBus.Properties";

/// A signal that reached the client.
struct Signal {
    std::string name;
    BusMessage message;
};

class DbusApiTest : public ManagerFixture {
protected:
    void SetUp() override {
        ManagerFixture::SetUp();
        sd_event* made = nullptr;
        ASSERT_GE(::sd_event_new(&made), 0);
        event.reset(made);
        connect();
    }
    void TearDown() override {
        client.reset();
        manager.reset();
        api.reset();
        event.reset();
        ManagerFixture::TearDown();
    }

    /// Serves the manager on one end of a socketpair and makes a client of the other.
    void connect() {
        int ends[2];
        ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
        BusHandle server = new_bus(ends[0]);
        sd_id128_t id;
        ASSERT_GE(::sd_id128_randomize(&id), 0);
        ASSERT_GE(::sd_bus_set_server(server.get(), 1, id), 0);
        sd_bus* raw = server.get();
        auto served = DbusApi::serve_on(std::move(server), *manager, processes, cgroups,
                                        [this](sd_bus_message*) { return identify(); });
        ASSERT_TRUE(served) << served.error().message;
        api = *std::move(served);
        start(raw);
        client = new_bus(ends[1]);
        ASSERT_GE(::sd_bus_add_filter(client.get(), nullptr, on_message, this), 0);
        start(client.get());
        pump();
    }
    static BusHandle new_bus(int fd) {
        sd_bus* made = nullptr;
        EXPECT_GE(::sd_bus_new(&made), 0);
        EXPECT_GE(::sd_bus_set_fd(made, fd, fd), 0);
        return BusHandle(made);
    }
    void start(sd_bus* bus) const {
        ASSERT_GE(::sd_bus_start(bus), 0);
        ASSERT_GE(::sd_bus_attach_event(bus, event.get(), SD_EVENT_PRIORITY_NORMAL), 0);
    }
    /// Runs the loop until there is nothing left to do.
    void pump() const {
        while (::sd_event_run(event.get(), 0) > 0) {
        }
    }

    static int on_message(sd_bus_message* message, void* userdata, sd_bus_error*) noexcept {
        if (::sd_bus_message_is_signal(message, nullptr, nullptr) > 0) {
            static_cast<DbusApiTest*>(userdata)->signals.push_back(
                {::sd_bus_message_get_member(message), BusMessage(::sd_bus_message_ref(message))});
        }
        return 0;
    }
    static int on_reply(sd_bus_message* message, void* userdata, sd_bus_error*) noexcept {
        static_cast<BusMessage*>(userdata)->reset(::sd_bus_message_ref(message));
        return 0;
    }

    /// Sends a call; its reply appears in what is returned, which lives as long as the test.
    template <typename... Args>
    BusMessage& send(const char* interface, const char* method, const char* types, Args... args) {
        sd_bus_message* raw = nullptr;
        EXPECT_GE(::sd_bus_message_new_method_call(client.get(), &raw, nullptr, kBusPath, interface,
                                                   method),
                  0);
        const BusMessage message(raw);
        EXPECT_GE(::sd_bus_message_append(raw, types, args...), 0);
        replies.emplace_back();
        EXPECT_GE(
            ::sd_bus_call_async(client.get(), nullptr, raw, on_reply, &replies.back(), 60'000'000),
            0);
        pump();
        return replies.back();
    }
    template <typename... Args>
    sd_bus_message* call(const char* method, const char* types, Args... args) {
        sd_bus_message* reply = send(kBusInterface, method, types, args...).get();
        if (reply == nullptr) {
            ADD_FAILURE() << method << " was not answered";
        } else if (const sd_bus_error* error = ::sd_bus_message_get_error(reply)) {
            ADD_FAILURE() << method << ": " << error->name << ": " << error->message;
        }
        return reply;
    }
    /// The name of the error that a call is answered with, without its prefix; "" for success.
    template <typename... Args>
    std::string error_of(const char* method, const char* types, Args... args) {
        return short_error(send(kBusInterface, method, types, args...));
    }
    std::string short_error(const BusMessage& reply) {
        static constexpr std::string_view kPrefix = "org.cmk.Agent1.Error.";
        if (!reply) return "no answer";
        const sd_bus_error* error = ::sd_bus_message_get_error(reply.get());
        if (error == nullptr) return "";
        error_text = error->message;
        const std::string_view name = error->name;
        return std::string(name.starts_with(kPrefix) ? name.substr(kPrefix.size()) : name);
    }

    static std::string text(sd_bus_message* reply) {
        const char* value = nullptr;
        EXPECT_GT(::sd_bus_message_read_basic(reply, SD_BUS_TYPE_STRING, &value), 0);
        return value == nullptr ? "" : value;
    }
    static DictReader dict(sd_bus_message* reply) {
        auto reader = DictReader::read(reply);
        EXPECT_TRUE(reader);
        return reader ? *std::move(reader) : DictReader();
    }
    /// All dictionaries of an aa{sv}.
    static std::vector<DictReader> dicts(sd_bus_message* reply) {
        std::vector<DictReader> all;
        EXPECT_GT(::sd_bus_message_enter_container(reply, SD_BUS_TYPE_ARRAY, "a{sv}"), 0);
        while (::sd_bus_message_at_end(reply, 0) == 0 && all.size() < 100)
            all.push_back(dict(reply));
        EXPECT_GE(::sd_bus_message_exit_container(reply), 0);
        return all;
    }
    /// A property as text; of a number or list too.
    std::string property(const char* name) {
        sd_bus_message* reply = send(kProperties, "Get", "ss", kBusInterface, name).get();
        if (reply == nullptr || ::sd_bus_message_is_method_error(reply, nullptr) != 0) return "?";
        const char* type = nullptr;
        EXPECT_GT(::sd_bus_message_peek_type(reply, nullptr, &type), 0);
        const std::string kept = type;
        EXPECT_GT(::sd_bus_message_enter_container(reply, SD_BUS_TYPE_VARIANT, type), 0);
        if (kept == "s") return text(reply);
        if (kept == "u") {
            std::uint32_t number = 0;
            ::sd_bus_message_read_basic(reply, SD_BUS_TYPE_UINT32, &number);
            return std::to_string(number);
        }
        std::string list;
        EXPECT_GT(::sd_bus_message_enter_container(reply, SD_BUS_TYPE_ARRAY, "s"), 0);
        while (::sd_bus_message_at_end(reply, 0) == 0)
            list += (list.empty() ? "" : " ") + text(reply);
        return list;
    }
    /// Names of the signals since the last time; of PropertiesChanged those of the properties.
    std::vector<std::string> take_signals() {
        pump();
        std::vector<std::string> names;
        for (const Signal& signal : signals) {
            if (signal.name != "PropertiesChanged") {
                names.push_back(signal.name);
                continue;
            }
            EXPECT_EQ(text(signal.message.get()), kBusInterface);
            DictReader changed = dict(signal.message.get());
            for (const char* name : {"Version", "Pools", "LeaseCount", "LowestGrade"}) {
                if (changed.has(name)) names.push_back(std::string("changed ") + name);
            }
        }
        signals.clear();
        return names;
    }

    Result<Peer> identify() {
        if (!known) return make_error(Errc::unavailable, "the bus does not know the caller");
        Peer made = peer(caller, uid, cgroup);
        return made;
    }
    BusMessage& isolate_call(unsigned cores, std::uint64_t wait_ms) {
        return send(kBusInterface, "Isolate", "sua{sv}", "exclusive", cores, 1, "wait_ms", "t",
                    wait_ms);
    }

    // Who the next caller is.
    int caller = 100;
    unsigned uid = 0;
    std::string cgroup = "/user.slice";
    bool known = true;

    EventHandle event;
    std::unique_ptr<DbusApi> api;
    BusHandle client;
    std::deque<BusMessage> replies;
    std::vector<Signal> signals;
    std::string error_text;
};

TEST_F(DbusApiTest, IsolateAnswersWithTheLeaseAndConfinesTheCaller) {
    sd_bus_message* reply = call("Isolate", "sua{sv}", "exclusive", 2, 0);
    ASSERT_NE(reply, nullptr);
    const std::string lease = text(reply);
    EXPECT_EQ(text(reply), "0-1,8-9");
    DictReader info = dict(reply);
    EXPECT_EQ(info.text("grade"), "C");
    EXPECT_EQ(info.texts("notes").size(), 1U);
    EXPECT_EQ(info.text("shared"), "4,12");
    EXPECT_EQ(info.text("infra"), "5-7,13-15");
    EXPECT_TRUE(info.ok());
    ASSERT_EQ(leases().size(), 1U);
    EXPECT_EQ(leases()[0].id, lease);
    EXPECT_EQ(leases()[0].owner.pid, 100);
    EXPECT_EQ(processes.masks(100).front().cpus.to_cpulist(), "0-1,8-9");
}

TEST_F(DbusApiTest, IsolateTakesItsOptions) {
    EXPECT_EQ(error_of("Isolate", "sua{sv}", "exclusive", 1, 1, "package", "u", 1),
              "NotEnoughCpus");
    sd_bus_message* reply =
        call("Isolate", "sua{sv}", "exclusive", 1, 2, "package", "u", 0, "pin", "b", 0);
    ASSERT_NE(reply, nullptr);
    EXPECT_EQ(leases()[0].hold, Hold::none);
    EXPECT_EQ(processes.masks(100).front().cpus, CpuSet::first(16));
}

TEST_F(DbusApiTest, UnknownAndBadOptionsAreRefused) {
    EXPECT_EQ(error_of("Isolate", "sua{sv}", "exclusive", 1, 1, "nice", "u", 1), "InvalidArgument");
    EXPECT_EQ(error_text, "\"nice\": is not known");
    EXPECT_EQ(error_of("Isolate", "sua{sv}", "exclusive", 1, 1, "pin", "u", 1), "InvalidArgument");
    EXPECT_EQ(error_text, "pin: must be true or false (b)");
    EXPECT_EQ(error_of("Isolate", "sua{sv}", "exclusive", 1, 1, "wait_ms", "i", -1),
              "InvalidArgument");
    EXPECT_EQ(error_text,
              "wait_ms: must be a whole number from 0 to 316224000000, not a negative number");
    EXPECT_EQ(error_of("Release", "sa{sv}", "l1", 1, "force", "b", 1), "InvalidArgument");
    EXPECT_EQ(error_of("Verify", "sa{sv}", "", 1, "deep", "b", 1), "InvalidArgument");
    EXPECT_EQ(error_of("Reconcile", "a{sv}", 1, "deep", "b", 1), "InvalidArgument");
    EXPECT_EQ(error_of("Reload", "a{sv}", 1, "deep", "b", 1), "InvalidArgument");
    EXPECT_TRUE(leases().empty());
}

TEST_F(DbusApiTest, OtherMethodsAndSignaturesAreLibsystemdsErrors) {
    EXPECT_EQ(error_of("Destroy", ""), SD_BUS_ERROR_UNKNOWN_METHOD);
    EXPECT_EQ(error_of("Isolate", "s", "exclusive"), SD_BUS_ERROR_INVALID_ARGS);
}

TEST_F(DbusApiTest, ErrorsHaveNames) {
    EXPECT_EQ(error_of("Isolate", "sua{sv}", "nowhere", 1, 0), "UnknownPool");
    EXPECT_EQ(error_text, "no pool \"nowhere\"; there are \"exclusive\", \"shared\", \"infra\"");
    EXPECT_EQ(error_of("Isolate", "sua{sv}", "exclusive", 0, 0), "InvalidArgument");
    EXPECT_EQ(error_of("Isolate", "sua{sv}", "exclusive", 5, 0), "NotEnoughCpus");
    EXPECT_EQ(error_of("Release", "sa{sv}", "l9", 0), "UnknownLease");
    EXPECT_EQ(error_of("Verify", "sa{sv}", "l9", 0), "UnknownLease");
    cgroups.fail_call(1, EIO);
    EXPECT_EQ(error_of("Isolate", "sua{sv}", "exclusive", 1, 0), "Io");
    known = false;
    EXPECT_EQ(error_of("Isolate", "sua{sv}", "exclusive", 1, 0), "Unavailable");
    EXPECT_EQ(error_text, "the bus does not know the caller");
    EXPECT_TRUE(leases().empty());
}

TEST_F(DbusApiTest, BoundsAreErrorsToo) {
    config.limits.leases = 1;
    config.limits.waiting = 0;
    client.reset();
    ASSERT_TRUE(start_manager(kBoot));
    connect();
    EXPECT_EQ(short_error(isolate_call(5, 1000)), "TooMany");
    EXPECT_NE(error_text.find("requests wait already"), std::string::npos);
    call("Isolate", "sua{sv}", "exclusive", 1, 0);
    EXPECT_EQ(error_of("Isolate", "sua{sv}", "exclusive", 1, 0), "TooMany");
    EXPECT_NE(error_text.find("1 leases already"), std::string::npos);
}

TEST_F(DbusApiTest, WhoIsNotAllowedIsRefused) {
    const auto holder = isolate(90);
    ASSERT_TRUE(holder);
    uid = 1000;
    EXPECT_EQ(error_of("Isolate", "sua{sv}", "exclusive", 1, 0), "NotPermitted");
    EXPECT_NE(error_text, "");
    EXPECT_EQ(error_of("Release", "sa{sv}", holder->lease.c_str(), 0), "NotPermitted");
    EXPECT_EQ(error_of("Reconfigure", "aa{sv}b", 0, 0), "NotPermitted");
    EXPECT_EQ(error_of("Reload", "a{sv}", 0), "NotPermitted");
    EXPECT_EQ(error_of("Reconcile", "a{sv}", 0), "NotPermitted");
    EXPECT_EQ(error_of("IsolateProcess", "hsua{sv}", processes.pidfd(90).get(), "exclusive", 1, 0),
              "NotPermitted");
    EXPECT_EQ(leases().size(), 1U);
    EXPECT_EQ(manager->list_pools().size(), 3U);
}

TEST_F(DbusApiTest, RootInAContainerIsNobody) {
    const auto holder = isolate(90);
    ASSERT_TRUE(holder);
    caller = 101;
    cgroup = "/system.slice/docker-0123456789abcdef.scope";
    EXPECT_EQ(error_of("Reconfigure", "aa{sv}b", 0, 0), "NotPermitted");
    EXPECT_EQ(error_of("IsolateProcess", "hsua{sv}", processes.pidfd(90).get(), "exclusive", 1, 0),
              "NotPermitted");
    // The lease of another is not even seen.
    EXPECT_EQ(error_of("Release", "sa{sv}", holder->lease.c_str(), 0), "UnknownLease");
    EXPECT_TRUE(dicts(call("ListLeases", "")).empty());
}

TEST_F(DbusApiTest, ReleaseEndsALease) {
    const std::string lease = text(call("Isolate", "sua{sv}", "exclusive", 1, 0));
    sd_bus_message* reply = call("Release", "sa{sv}", lease.c_str(), 0);
    EXPECT_TRUE(::sd_bus_message_is_empty(reply));
    EXPECT_TRUE(leases().empty());
    EXPECT_EQ(error_of("Release", "sa{sv}", lease.c_str(), 0), "UnknownLease");
}

TEST_F(DbusApiTest, IsolateProcessTakesTheProcessOfThePidfd) {
    processes.add(200, 1000, "/system.slice/a.service");
    const UniqueFd pidfd = processes.pidfd(200);
    call("IsolateProcess", "hsua{sv}", pidfd.get(), "exclusive", 1, 0);
    ASSERT_EQ(leases().size(), 1U);
    EXPECT_EQ(leases()[0].owner.pid, 200);
    EXPECT_EQ(leases()[0].owner.uid, 1000U);
    EXPECT_EQ(leases()[0].owner.cgroup, "/system.slice/a.service");
    const UniqueFd file(::open("/dev/null", O_RDONLY | O_CLOEXEC));
    EXPECT_EQ(error_of("IsolateProcess", "hsua{sv}", file.get(), "exclusive", 1, 0),
              "InvalidArgument");
}

TEST_F(DbusApiTest, ListsPools) {
    ASSERT_TRUE(isolate(90));
    auto pools = dicts(call("ListPools", ""));
    ASSERT_EQ(pools.size(), 3U);
    EXPECT_EQ(pools[0].text("name"), "exclusive");
    EXPECT_EQ(pools[0].text("kind"), "exclusive");
    EXPECT_EQ(pools[0].text("cpus"), "0-3,8-11");
    EXPECT_EQ(pools[0].text("free"), "1-3,9-11");
    EXPECT_EQ(pools[0].number("cores", 100), 4U);
    EXPECT_EQ(pools[0].number("free_cores", 100), 3U);
    EXPECT_EQ(pools[0].number("leases", 100), 1U);
    EXPECT_EQ(pools[0].number("waiting", 100), 0U);
    EXPECT_FALSE(pools[0].flag("boot_isolated"));
    EXPECT_TRUE(pools[0].ok());
    EXPECT_EQ(pools[2].text("name"), "infra");
}

TEST_F(DbusApiTest, ListsLeases) {
    ASSERT_TRUE(isolate(90));
    processes.info(90).command = "a\xff program";
    ASSERT_TRUE(isolate(91, "infra"));
    auto found = dicts(call("ListLeases", ""));
    ASSERT_EQ(found.size(), 2U);
    EXPECT_EQ(found[0].text("id"), "lease1");
    EXPECT_EQ(found[0].text("command"), "a? program");
    EXPECT_EQ(found[0].number("pid", 1000), 90U);
    EXPECT_EQ(found[0].text("status"), "committed");
    EXPECT_EQ(found[1].text("pool"), "infra");
    EXPECT_TRUE(found[0].ok() && found[1].ok());
}

TEST_F(DbusApiTest, GetTopologyDescribesTheHost) {
    sd_bus_message* reply = call("GetTopology", "");
    auto cpus = dicts(reply);
    ASSERT_EQ(cpus.size(), 16U);
    EXPECT_EQ(cpus[12].number("cpu", 100), 12U);
    EXPECT_EQ(cpus[12].number("core", 100), 4U);
    EXPECT_EQ(cpus[12].number("package", 100), 1U);
    DictReader host = dict(reply);
    EXPECT_EQ(host.text("mechanism"), "cgroup v1 cpuset");
    EXPECT_EQ(host.text("version"), "1.2.3");
    EXPECT_EQ(host.text("isolated"), "");
}

TEST_F(DbusApiTest, GetMetricsCountsTheCallsOfTheBus) {
    call("ListPools", "");
    EXPECT_NE(error_of("Nonsense", ""), "");
    const std::string page = text(call("GetMetrics", ""));
    const auto calls = [&](const std::string& method) {
        return test::value_in(
            page, "cmk_agent_requests_total{interface=\"bus\",method=\"" + method + "\"}");
    };
    EXPECT_EQ(calls("ListPools"), "1");
    EXPECT_EQ(calls("GetMetrics"), "1");
    EXPECT_EQ(calls("Isolate"), "0");
    EXPECT_EQ(calls("Nonsense"), "");
}

TEST_F(DbusApiTest, VerifyChecksOneLeaseOrAll) {
    const auto first = isolate(90);
    ASSERT_TRUE(first && isolate(91));
    auto one = dicts(call("Verify", "sa{sv}", first->lease.c_str(), 0));
    ASSERT_EQ(one.size(), 1U);
    EXPECT_TRUE(one[0].flag("passed"));
    EXPECT_TRUE(one[0].has("lease"));
    EXPECT_TRUE(one[0].has("checks"));
    EXPECT_EQ(dicts(call("Verify", "sa{sv}", "", 0)).size(), 2U);
}

TEST_F(DbusApiTest, ReconcileTellsWhatItMended) {
    ASSERT_TRUE(isolate(90));
    cgroups.tree.pools["exclusive"].cpus = CpuSet::first(2);
    DictReader report = dict(call("Reconcile", "a{sv}", 0));
    EXPECT_EQ(report.number("leases", 100), 1U);
    EXPECT_EQ(report.texts("repaired").size(), 1U);
    EXPECT_TRUE(report.texts("problems").empty());
}

TEST_F(DbusApiTest, ReconfigureDryRunOnlyTells) {
    const auto tree = cgroups.tree;
    DictReader report = dict(call("Reconfigure", "aa{sv}b", 1, 3, "name", "s", "exclusive", "kind",
                                  "s", "exclusive", "cores", "u", 2, 1));
    EXPECT_TRUE(report.flag("changed"));
    EXPECT_EQ(report.texts("changes").size(), 3U);
    EXPECT_TRUE(report.texts("warnings").empty());
    EXPECT_TRUE(report.has("pools"));
    EXPECT_EQ(cgroups.tree, tree);
    EXPECT_EQ(manager->list_pools().size(), 3U);
    EXPECT_TRUE(take_signals().empty());
}

TEST_F(DbusApiTest, ReconfigureChangesThePools) {
    DictReader report = dict(call("Reconfigure", "aa{sv}b", 1, 3, "name", "s", "one", "kind", "s",
                                  "shared", "rest", "b", 1, 0));
    EXPECT_TRUE(report.flag("changed"));
    EXPECT_EQ(manager->list_pools().size(), 1U);
    EXPECT_EQ(property("Pools"), "one");
    EXPECT_EQ(take_signals(), (std::vector<std::string>{"PoolsChanged", "changed Pools"}));
}

TEST_F(DbusApiTest, ReconfigureSaysWhatStandsInTheWay) {
    ASSERT_TRUE(isolate(90));
    EXPECT_EQ(error_of("Reconfigure", "aa{sv}b", 0, 0), "Conflict");
    EXPECT_NE(error_text.find("\"lease1\""), std::string::npos);
    EXPECT_EQ(error_of("Reconfigure", "aa{sv}b", 1, 2, "name", "s", "a", "kind", "s", "shared", 0),
              "InvalidArgument");
    EXPECT_EQ(error_text, "pools[0]: cores: a pool has exactly one of cores, cpus and rest");
    EXPECT_EQ(error_of("Reconfigure", "aa{sv}b", 1, 3, "name", "s", "a", "kind", "s", "shared",
                       "cores", "u", 9, 0),
              "NotEnoughCpus");
}

TEST_F(DbusApiTest, ReloadReadsTheConfiguration) {
    DictReader same = dict(call("Reload", "a{sv}", 0));
    EXPECT_FALSE(same.flag("changed"));
    config.pools.pop_back();
    DictReader other = dict(call("Reload", "a{sv}", 0));
    EXPECT_TRUE(other.flag("changed"));
    EXPECT_EQ(property("Pools"), "exclusive shared");
    read_config = [] {
        return Result<Config>(make_error(Errc::invalid_argument, "a.toml:3: wrong"));
    };
    EXPECT_EQ(error_of("Reload", "a{sv}", 0), "InvalidArgument");
    EXPECT_EQ(error_text, "a.toml:3: wrong");
}

TEST_F(DbusApiTest, PropertiesTellTheState) {
    EXPECT_EQ(property("Version"), "1.2.3");
    EXPECT_EQ(property("Pools"), "exclusive shared infra");
    EXPECT_EQ(property("LeaseCount"), "0");
    EXPECT_EQ(property("LowestGrade"), "");
    EXPECT_EQ(property("Colour"), "?");
    ASSERT_TRUE(isolate(90));
    EXPECT_EQ(property("LeaseCount"), "1");
    EXPECT_EQ(property("LowestGrade"), "C");
    call("Isolate", "sua{sv}", "exclusive", 1, 1, "pin", "b", 0);
    EXPECT_EQ(property("LeaseCount"), "2");
    EXPECT_EQ(property("LowestGrade"), "D");
}

TEST_F(DbusApiTest, LeasesFromBeforeTheBusAreCounted) {
    ASSERT_TRUE(isolate(90));
    client.reset();
    ASSERT_TRUE(start_manager(kBoot));
    connect();
    EXPECT_EQ(property("LeaseCount"), "1");
    EXPECT_EQ(property("LowestGrade"), "C");
    end_process(90);
    EXPECT_EQ(property("LeaseCount"), "0");
    EXPECT_EQ(property("LowestGrade"), "");
}

TEST_F(DbusApiTest, SignalsTellOfLeases) {
    const auto grant = isolate(90);
    ASSERT_TRUE(grant);
    pump();
    ASSERT_FALSE(signals.empty());
    sd_bus_message* added = signals[0].message.get();
    EXPECT_EQ(text(added), grant->lease);
    DictReader info = dict(added);
    EXPECT_EQ(info.text("pool"), "exclusive");
    EXPECT_EQ(info.text("cpus"), "0,8");
    EXPECT_EQ(take_signals(), (std::vector<std::string>{"LeaseAdded", "changed LeaseCount",
                                                        "changed LowestGrade"}));
    ASSERT_TRUE(isolate(91));
    EXPECT_EQ(take_signals(), (std::vector<std::string>{"LeaseAdded", "changed LeaseCount"}));
    end_process(91);
    pump();
    ASSERT_FALSE(signals.empty());
    EXPECT_EQ(text(signals[0].message.get()), "lease2");
    EXPECT_EQ(text(signals[0].message.get()), "nobody is left in it");
    EXPECT_EQ(take_signals(), (std::vector<std::string>{"LeaseRemoved", "changed LeaseCount"}));
    ASSERT_TRUE(manager->release(Peer{}, grant->lease));
    EXPECT_EQ(take_signals(), (std::vector<std::string>{"LeaseRemoved", "changed LeaseCount",
                                                        "changed LowestGrade"}));
}

TEST_F(DbusApiTest, AWaitingIsolateIsAnsweredLater) {
    const auto holder = isolate(90, "exclusive", 4);
    ASSERT_TRUE(holder);
    const BusMessage& reply = isolate_call(1, 1000);
    EXPECT_FALSE(reply);
    // Others are served meanwhile.
    auto pools = dicts(call("ListPools", ""));
    EXPECT_EQ(pools[0].number("waiting", 10), 1U);
    ASSERT_TRUE(manager->release(Peer{}, holder->lease));
    pump();
    ASSERT_TRUE(reply);
    EXPECT_EQ(text(reply.get()), "lease2");
    EXPECT_EQ(text(reply.get()), "0,8");
    EXPECT_EQ(dicts(call("ListPools", ""))[0].number("waiting", 10), 0U);
}

TEST_F(DbusApiTest, AWaitThatIsOverIsAnError) {
    ASSERT_TRUE(isolate(90, "exclusive", 4));
    const BusMessage& reply = isolate_call(1, 1000);
    loop.advance(999);
    pump();
    EXPECT_FALSE(reply);
    loop.advance(1);
    pump();
    EXPECT_EQ(short_error(reply), "TimedOut");
    EXPECT_EQ(manager->list_pools()[0].waiting, 0U);
}

TEST_F(DbusApiTest, AClientThatGoesStopsWaiting) {
    const auto holder = isolate(90, "exclusive", 4);
    ASSERT_TRUE(holder);
    isolate_call(1, 1000);
    isolate_call(2, 1000);
    EXPECT_EQ(manager->list_pools()[0].waiting, 2U);
    EXPECT_TRUE(api->is_connected());
    client.reset();
    pump();
    EXPECT_FALSE(api->is_connected());
    EXPECT_EQ(manager->list_pools()[0].waiting, 0U);
    // Events go nowhere then, and nothing breaks.
    ASSERT_TRUE(manager->release(Peer{}, holder->lease));
    EXPECT_TRUE(leases().empty());
}

}  // namespace
}  // namespace cmk
