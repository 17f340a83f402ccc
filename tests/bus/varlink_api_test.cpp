// SPDX-License-Identifier: Apache-2.0
// The Varlink side over a socketpair, client and server in one thread.
#include "agent/varlink_api.h"

#include <fcntl.h>
#include <sys/eventfd.h>
#include <sys/socket.h>

#include <cstdlib>
#include <cstring>
#include <thread>

#include "base/file_io.h"
#include "base/text.h"
#include "support/manager_fixture.h"
#include "support/metrics_page.h"

namespace cmk {
namespace {

constexpr char kListPools[] = R"({"method":"org.cmk.Agent.ListPools"})";

/// The client's end of a connection.
class Wire {
public:
    explicit Wire(UniqueFd fd) : fd_(std::move(fd)) {}

    void send_raw(std::string_view bytes, const std::vector<int>& fds = {}) {
        iovec part{const_cast<char*>(bytes.data()), bytes.size()};
        msghdr message{};
        message.msg_iov = &part;
        message.msg_iovlen = 1;
        alignas(cmsghdr) char control[CMSG_SPACE(16 * sizeof(int))] = {};
        if (!fds.empty()) {
            message.msg_control = control;
            message.msg_controllen = CMSG_SPACE(fds.size() * sizeof(int));
            cmsghdr* header = CMSG_FIRSTHDR(&message);
            header->cmsg_level = SOL_SOCKET;
            header->cmsg_type = SCM_RIGHTS;
            header->cmsg_len = CMSG_LEN(fds.size() * sizeof(int));
            std::memcpy(CMSG_DATA(header), fds.data(), fds.size() * sizeof(int));
        }
        sent_ = ::sendmsg(fd_.get(), &message, MSG_NOSIGNAL | MSG_DONTWAIT);
    }
    void send(std::string text, const std::vector<int>& fds = {}) {
        text.push_back('\0');
        send_raw(text, fds);
    }
    void call(const wire::Method& method, const std::vector<int>& fds = {}) {
        send(wire::encode(wire::Call{.method = method}), fds);
    }

    /// The next reply that has come, "" for none.
    std::string reply() {
        char bytes[65536];
        for (;;) {
            if (auto message = input_.take()) return *std::move(message);
            const ssize_t count = ::recv(fd_.get(), bytes, sizeof bytes, MSG_DONTWAIT);
            if (count <= 0) return "";
            EXPECT_TRUE(input_.feed({bytes, static_cast<std::size_t>(count)}));
        }
    }
    template <typename T>
    Result<T> reply_as() {
        return wire::decode_reply<T>(reply());
    }
    /// True when the agent has closed and everything was read.
    bool is_closed() {
        char byte = 0;
        return ::recv(fd_.get(), &byte, 1, MSG_DONTWAIT | MSG_PEEK) == 0 || errno == ECONNRESET;
    }
    void close() { fd_.reset(); }
    void half_close() const { ::shutdown(fd_.get(), SHUT_WR); }
    ssize_t sent() const { return sent_; }

private:
    UniqueFd fd_;
    MessageBuffer input_{kMaxReply};
    ssize_t sent_ = 0;
};

class VarlinkApiTest : public ManagerFixture {
protected:
    void SetUp() override {
        ManagerFixture::SetUp();
        sd_event* made = nullptr;
        ASSERT_GE(::sd_event_new(&made), 0);
        event.reset(made);
        api = std::make_unique<VarlinkApi>(*manager, processes);
        server = std::make_unique<VarlinkServer>(
            VarlinkServer::Ports{event.get(), processes, cgroups, log}, limits,
            [this](VarlinkConnection& connection, const std::string& message,
                   std::vector<UniqueFd> fds) { api->handle(connection, message, std::move(fds)); },
            [this](VarlinkConnection& connection) { api->closing(connection); });
        api->serve_on(*server);
    }
    void TearDown() override {
        server.reset();
        event.reset();
        ManagerFixture::TearDown();
    }

    Wire connect(Peer who) {
        int ends[2];
        EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
        UniqueFd client(ends[1]);
        EXPECT_TRUE(server->adopt(UniqueFd(ends[0]), std::move(who)));
        return Wire(std::move(client));
    }
    /// Runs the loop until there is nothing left to do.
    void pump() {
        while (::sd_event_run(event.get(), 0) > 0) {
        }
    }
    template <typename T>
    Result<T> ask(Wire& client, const wire::Method& method) {
        client.call(method);
        pump();
        return client.reply_as<T>();
    }
    static wire::Isolate isolate_call(unsigned cores = 1, std::uint64_t wait_ms = 0) {
        wire::Isolate call;
        call.what.pool = "exclusive";
        call.what.cores = cores;
        call.wait_ms = wait_ms;
        return call;
    }
    static std::string name_in(const std::string& reply) {
        const std::size_t at = reply.find("\"error\":\"");
        return at == std::string::npos ? ""
                                       : reply.substr(at + 9, reply.find('"', at + 9) - at - 9);
    }

    Limits limits;
    EventHandle event;
    std::unique_ptr<VarlinkApi> api;
    std::unique_ptr<VarlinkServer> server;
};

TEST_F(VarlinkApiTest, AnswersInOneTurn) {
    Wire client = connect(peer(100));
    const auto pools = ask<std::vector<PoolReport>>(client, wire::ListPools{});
    ASSERT_TRUE(pools) << pools.error().message;
    EXPECT_EQ(pools->size(), 3U);
    const auto host = ask<HostReport>(client, wire::GetTopology{});
    ASSERT_TRUE(host);
    EXPECT_EQ(host->topology.cores().size(), 8U);
}

TEST_F(VarlinkApiTest, MessagesMayComeInPieces) {
    Wire client = connect(peer(100));
    const std::string text = std::string(kListPools) + '\0';
    for (const char byte : text) {
        client.send_raw({&byte, 1});
        pump();
    }
    EXPECT_TRUE(client.reply_as<std::vector<PoolReport>>());
}

TEST_F(VarlinkApiTest, SeveralMessagesInOneWriteAreAnsweredInOrder) {
    Wire client = connect(peer(100));
    const std::string list(kListPools, sizeof kListPools);
    client.send_raw(list + wire::encode(wire::Call{.method = wire::GetTopology{}}) + '\0' + list);
    pump();
    EXPECT_TRUE(client.reply_as<std::vector<PoolReport>>());
    EXPECT_TRUE(client.reply_as<HostReport>());
    EXPECT_TRUE(client.reply_as<std::vector<PoolReport>>());
    EXPECT_EQ(client.reply(), "");
}

TEST_F(VarlinkApiTest, AMessageBeyondTheBoundIsRefusedAndEndsTheConnection) {
    Wire client = connect(peer(100));
    const std::string piece(8192, 'x');
    for (unsigned i = 0; i <= kMaxRequest / piece.size(); ++i) {
        client.send_raw(piece);
        pump();
    }
    EXPECT_EQ(name_in(client.reply()), "org.cmk.Agent.InvalidArgument");
    EXPECT_TRUE(client.is_closed());
    EXPECT_EQ(server->connections(), 0U);
}

TEST_F(VarlinkApiTest, BadJsonIsAnsweredAndTheConnectionGoesOn) {
    Wire client = connect(peer(100));
    for (const char* text : {"", "{", "[]", "null", "{\"method\":5}", "{\"parameters\":{}}"}) {
        client.send(text);
        pump();
        EXPECT_EQ(name_in(client.reply()), "org.cmk.Agent.InvalidArgument") << text;
    }
    EXPECT_TRUE(ask<std::vector<PoolReport>>(client, wire::ListPools{}));
}

TEST_F(VarlinkApiTest, UnknownMethodsAndParametersHaveTheirVarlinkErrors) {
    Wire client = connect(peer(100));
    client.send(R"({"method":"org.cmk.Agent.Nothing"})");
    pump();
    EXPECT_EQ(name_in(client.reply()), "org.varlink.service.MethodNotFound");
    client.send(R"({"method":"org.cmk.Agent.Release","parameters":{"lease":"a","force":true}})");
    pump();
    const std::string reply = client.reply();
    EXPECT_EQ(name_in(reply), "org.varlink.service.InvalidParameter");
    EXPECT_NE(reply.find("force"), std::string::npos);
    client.send(R"({"method":"org.cmk.Agent.Monitor"})");
    pump();
    EXPECT_EQ(name_in(client.reply()), "org.varlink.service.ExpectedMore");
}

TEST_F(VarlinkApiTest, IntrospectionDescribesBothInterfaces) {
    Wire client = connect(peer(100));
    client.call(wire::GetInfo{});
    pump();
    EXPECT_NE(client.reply().find("org.cmk.Agent"), std::string::npos);
    for (const char* interface : {"org.cmk.Agent", "org.varlink.service"}) {
        client.call(wire::GetInterfaceDescription{interface});
        pump();
        EXPECT_NE(client.reply().find(std::string("interface ") + interface), std::string::npos);
    }
    client.call(wire::GetInterfaceDescription{"org.example"});
    pump();
    EXPECT_EQ(name_in(client.reply()), "org.varlink.service.InterfaceNotFound");
}

TEST_F(VarlinkApiTest, GetMetricsCountsTheCallsOfVarlink) {
    Wire client = connect(peer(100));
    ASSERT_TRUE(ask<std::vector<PoolReport>>(client, wire::ListPools{}));
    client.send(R"({"method":"org.cmk.Agent.Destroy"})");
    pump();
    EXPECT_EQ(name_in(client.reply()), "org.varlink.service.MethodNotFound");
    const auto page = ask<wire::MetricsPage>(client, wire::GetMetrics{});
    ASSERT_TRUE(page) << page.error().message;
    const auto calls = [&](const std::string& method) {
        return test::value_in(
            page->text,
            "cmk_agent_requests_total{interface=\"varlink\",method=\"" + method + "\"}");
    };
    EXPECT_EQ(calls("ListPools"), "1");
    EXPECT_EQ(calls("GetMetrics"), "1");
    EXPECT_EQ(calls("Isolate"), "0");
    EXPECT_EQ(calls("Destroy"), "");
    Peer inside = peer(101);
    inside.container = true;
    Wire container = connect(std::move(inside));
    container.call(wire::GetMetrics{});
    pump();
    EXPECT_EQ(name_in(container.reply()), "org.cmk.Agent.NotPermitted");
}

TEST_F(VarlinkApiTest, TheInterfaceFileIsWhatTheAgentServes) {
    const char* source = std::getenv("CMK_SOURCE_DIR");
    ASSERT_NE(source, nullptr);
    const auto text =
        read_file_at(AT_FDCWD, std::string(source) + "/lib/ipc/org.cmk.Agent.varlink");
    ASSERT_TRUE(text) << text.error().message;
    Wire client = connect(peer(100));
    client.call(wire::GetInterfaceDescription{"org.cmk.Agent"});
    pump();
    EXPECT_EQ(client.reply(), wire::encode_description(*text));
    unsigned methods = 0;
    for (const std::string_view line : split(*text, '\n')) {
        if (!line.starts_with("method ")) continue;
        const auto name = std::string(line.substr(7, line.find('(') - 7));
        client.send(R"({"method":"org.cmk.Agent.)" + name + R"(","parameters":{"?":0}})");
        pump();
        EXPECT_EQ(client.reply().find("MethodNotFound"), std::string::npos) << name;
        ++methods;
    }
    EXPECT_GE(methods, 10U);
}

TEST_F(VarlinkApiTest, IsolateTakesTheCallersOwnPidfd) {
    Wire client = connect(peer(100));
    wire::Isolate call = isolate_call();
    call.has_pidfd = true;
    client.call(call, {processes.pidfd(100).get()});
    pump();
    const auto grant = client.reply_as<Grant>();
    ASSERT_TRUE(grant) << grant.error().message;
    EXPECT_EQ(leases()[0].owner.pid, 100);
    EXPECT_TRUE(ask<wire::Nothing>(client, wire::Release{grant->lease}));
    EXPECT_TRUE(leases().empty());
}

TEST_F(VarlinkApiTest, IsolateWithoutAPidfdTakesThePeer) {
    Wire client = connect(peer(100));
    EXPECT_TRUE(ask<Grant>(client, isolate_call()));
}

TEST_F(VarlinkApiTest, MissingAndSurplusDescriptorsAreRefused) {
    Wire client = connect(peer(100));
    wire::Isolate call = isolate_call();
    call.has_pidfd = true;
    const UniqueFd pidfd = processes.pidfd(100);
    client.call(call);
    pump();
    EXPECT_EQ(client.reply_as<Grant>().error().code, Errc::invalid_argument);
    client.call(call, {pidfd.get(), pidfd.get()});
    pump();
    EXPECT_EQ(client.reply_as<Grant>().error().code, Errc::invalid_argument);
    client.call(wire::ListPools{}, {pidfd.get()});
    pump();
    EXPECT_EQ(client.reply_as<std::vector<PoolReport>>().error().code, Errc::invalid_argument);
    client.call(wire::ListPools{}, std::vector<int>(16, pidfd.get()));
    pump();
    EXPECT_EQ(client.reply_as<std::vector<PoolReport>>().error().code, Errc::invalid_argument);
    EXPECT_TRUE(leases().empty());
}

TEST_F(VarlinkApiTest, OtherDescriptorsAndOtherProcessesAreRefused) {
    Wire client = connect(peer(100));
    processes.add(200, 0);
    wire::Isolate call = isolate_call();
    call.has_pidfd = true;
    const UniqueFd file(::open("/dev/null", O_RDONLY | O_CLOEXEC));
    client.call(call, {file.get()});
    pump();
    EXPECT_EQ(client.reply_as<Grant>().error().code, Errc::invalid_argument);
    client.call(call, {processes.pidfd(200).get()});
    pump();
    EXPECT_EQ(client.reply_as<Grant>().error().code, Errc::not_permitted);
    EXPECT_TRUE(leases().empty());
}

TEST_F(VarlinkApiTest, APidfdOfALaterProcessOfThePeersIdIsRefused) {
    Wire client = connect(peer(100));
    processes.end(100);
    processes.add(100, 1000);
    wire::Isolate call = isolate_call();
    call.has_pidfd = true;
    client.call(call, {processes.pidfd(100).get()});
    pump();
    EXPECT_FALSE(client.reply_as<Grant>());
    EXPECT_TRUE(leases().empty());
}

TEST_F(VarlinkApiTest, OnewayCallsHaveNoReply) {
    Wire client = connect(peer(100));
    client.send(R"({"method":"org.cmk.Agent.ListPools","oneway":true})");
    client.send(R"({"method":"org.cmk.Agent.Release","oneway":true,"parameters":{"lease":"x"}})");
    client.call(wire::GetTopology{});
    pump();
    EXPECT_TRUE(client.reply_as<HostReport>());
    EXPECT_EQ(client.reply(), "");
}

TEST_F(VarlinkApiTest, MonitorStreamsEvents) {
    Wire watcher = connect(peer(100));
    watcher.send(wire::encode(wire::Call{.method = wire::Monitor{}, .more = true}));
    pump();
    auto first = watcher.reply_as<std::optional<Event>>();
    ASSERT_TRUE(first);
    EXPECT_FALSE(*first);
    const auto grant = isolate(200);
    ASSERT_TRUE(grant);
    ASSERT_TRUE(manager->release(Peer{}, grant->lease));
    pump();
    const auto added = watcher.reply_as<std::optional<Event>>();
    ASSERT_TRUE(added && *added);
    EXPECT_EQ((*added)->kind, Event::Kind::lease_added);
    EXPECT_EQ((*added)->lease->id, grant->lease);
    const auto removed = watcher.reply_as<std::optional<Event>>();
    ASSERT_TRUE(removed && *removed);
    EXPECT_EQ((*removed)->kind, Event::Kind::lease_removed);
}

TEST_F(VarlinkApiTest, AContainersMonitorSeesItsOwnLeasesAlone) {
    Wire watcher = connect(peer(100, 0, "/system.slice/docker-0123456789abcdef.scope"));
    Peer inside = peer(100);
    inside.container = true;
    Wire contained = connect(std::move(inside));
    contained.send(wire::encode(wire::Call{.method = wire::Monitor{}, .more = true}));
    pump();
    (void)contained.reply();
    ASSERT_TRUE(isolate(200));
    pump();
    EXPECT_EQ(contained.reply(), "");
}

TEST_F(VarlinkApiTest, AContainersMonitorIsNotToldOfTheHost) {
    Peer inside = peer(100, 0, "/system.slice/docker-0123456789abcdef.scope");
    inside.container = true;
    Wire contained = connect(std::move(inside));
    Wire host = connect(peer(101));
    for (Wire* each : {&contained, &host}) {
        each->send(wire::encode(wire::Call{.method = wire::Monitor{}, .more = true}));
        pump();
        (void)each->reply();
    }
    kubelet = {.policy = "static", .given = {3, 11}};
    manager->kubelet_changed();
    EXPECT_FALSE(isolate(200, "exclusive", 5));
    pump();
    for (const auto kind : {Event::Kind::pools_changed, Event::Kind::lease_refused}) {
        const auto whole = host.reply_as<std::optional<Event>>();
        ASSERT_TRUE(whole && *whole);
        EXPECT_EQ((*whole)->kind, kind);
        EXPECT_NE((*whole)->reason, "");
        const auto bare = contained.reply_as<std::optional<Event>>();
        ASSERT_TRUE(bare && *bare);
        EXPECT_EQ((*bare)->kind, kind);
        EXPECT_EQ((*bare)->reason, "");
    }
}

TEST_F(VarlinkApiTest, AMonitorThatNeverReadsIsDropped) {
    Wire watcher = connect(peer(100));
    watcher.send(wire::encode(wire::Call{.method = wire::Monitor{}, .more = true}));
    pump();
    Event event_to_send;
    Lease lease;
    lease.owner.command = std::string(1U << 20, 'x');
    for (int i = 0; i < 20 && server->connections() > 0; ++i) {
        ASSERT_TRUE(isolate(200));
        processes.info(200).command = lease.owner.command;
        ASSERT_TRUE(manager->release(Peer{}, leases()[0].id));
        pump();
    }
    EXPECT_EQ(server->connections(), 0U);
}

TEST_F(VarlinkApiTest, WaitingIsolateIsAnsweredLater) {
    const auto holder = isolate(90, "exclusive", 4);
    ASSERT_TRUE(holder);
    Wire client = connect(peer(100));
    client.call(isolate_call(2, 1000));
    client.call(wire::ListPools{});
    pump();
    EXPECT_EQ(client.reply(), "");
    ASSERT_TRUE(manager->release(Peer{}, holder->lease));
    pump();
    const auto grant = client.reply_as<Grant>();
    ASSERT_TRUE(grant) << grant.error().message;
    EXPECT_EQ(grant->cpus.count(), 4U);
    // What was sent behind it is answered behind it.
    EXPECT_TRUE(client.reply_as<std::vector<PoolReport>>());
}

TEST_F(VarlinkApiTest, WhoIsNotAnsweredYetHearsThatTheAgentEnds) {
    Wire fresh = connect(peer(100));
    Wire partial = connect(peer(101));
    partial.send_raw("{\"method\":");
    Wire idle = connect(peer(102));
    ASSERT_TRUE(ask<std::vector<PoolReport>>(idle, wire::ListPools{}));
    Wire late = connect(peer(103));
    ASSERT_TRUE(ask<std::vector<PoolReport>>(late, wire::ListPools{}));
    late.call(wire::ListPools{});  // nobody has read it
    server->stop();
    for (Wire* client : {&fresh, &partial, &late}) {
        EXPECT_EQ(client->reply_as<wire::Nothing>().error().code, Errc::restarting);
    }
    EXPECT_EQ(idle.reply(), "");
}

TEST_F(VarlinkApiTest, WaitingIsolateTimesOut) {
    ASSERT_TRUE(isolate(90, "exclusive", 4));
    Wire client = connect(peer(100));
    client.call(isolate_call(1, 1000));
    pump();
    loop.advance(1000);
    EXPECT_EQ(client.reply_as<Grant>().error().code, Errc::timed_out);
}

TEST_F(VarlinkApiTest, AClientThatGoesStopsWaiting) {
    const auto holder = isolate(90, "exclusive", 4);
    ASSERT_TRUE(holder);
    Wire client = connect(peer(100));
    client.call(isolate_call(1, 1000));
    pump();
    EXPECT_EQ(manager->list_pools()[0].waiting, 1U);
    client.close();
    pump();
    EXPECT_EQ(manager->list_pools()[0].waiting, 0U);
    ASSERT_TRUE(manager->release(Peer{}, holder->lease));
    EXPECT_TRUE(leases().empty());
}

TEST_F(VarlinkApiTest, AMonitoringClientThatGoesUnnoticedWhileItWaits) {
    const auto holder = isolate(90, "exclusive", 4);
    ASSERT_TRUE(holder);
    Wire client = connect(peer(100));
    client.send(wire::encode(wire::Call{.method = wire::Monitor{}, .more = true}));
    client.call(isolate_call(1, 1000));
    pump();
    Wire next = connect(peer(101));
    next.call(isolate_call(1, 1000));
    pump();
    // The agent learns of it by the event that it cannot send.
    client.close();
    ASSERT_TRUE(manager->release(Peer{}, holder->lease));
    pump();
    EXPECT_TRUE(next.reply_as<Grant>());
    EXPECT_EQ(manager->list_pools()[0].waiting, 0U);
    EXPECT_EQ(server->connections(), 1U);
}

TEST_F(VarlinkApiTest, AWaitingClientCannotFillTheAgentsMemory) {
    ASSERT_TRUE(isolate(90, "exclusive", 4));
    Wire client = connect(peer(100));
    client.call(isolate_call(1, 1000));
    pump();
    const std::string list(kListPools, sizeof kListPools);
    std::string many;
    for (int i = 0; i < 200; ++i)
        many += list;
    std::size_t total = 0;
    for (int i = 0; i < 200 && server->connections() > 0; ++i) {
        client.send_raw(many);
        if (client.sent() < 0) break;  // the agent has stopped reading
        total += static_cast<std::size_t>(client.sent());
        pump();
    }
    EXPECT_LT(total, 1000000U);
}

TEST_F(VarlinkApiTest, AnIncompleteRequestHasADeadline) {
    limits.request_seconds = 0;
    Wire client = connect(peer(100));
    client.send_raw("{\"meth");
    for (int i = 0; i < 200 && server->connections() > 0; ++i) {
        std::this_thread::sleep_for(std::chrono::milliseconds(5));
        pump();
    }
    EXPECT_EQ(name_in(client.reply()), "org.cmk.Agent.TimedOut");
    EXPECT_TRUE(client.is_closed());
}

TEST_F(VarlinkApiTest, AnIdleConnectionThatHasAskedOnceStays) {
    limits.request_seconds = 0;
    int ends[2];
    ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
    Wire client((UniqueFd(ends[1])));
    client.call(wire::ListPools{});
    ASSERT_TRUE(server->adopt(UniqueFd(ends[0]), peer(100)));
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
    pump();
    EXPECT_TRUE(client.reply_as<std::vector<PoolReport>>());
    EXPECT_EQ(server->connections(), 1U);
}

TEST_F(VarlinkApiTest, RepliesStillReachAClientThatClosedItsSendingSide) {
    Wire client = connect(peer(100));
    client.call(wire::ListPools{});
    client.half_close();
    pump();
    EXPECT_TRUE(client.reply_as<std::vector<PoolReport>>());
    EXPECT_EQ(server->connections(), 0U);
}

TEST_F(VarlinkApiTest, AdministrationIsForRoot) {
    Wire client = connect(peer(100, 1000));
    const auto refused = ask<ReconfigureReport>(client, wire::Reconfigure{three_pools(), false});
    EXPECT_EQ(refused.error().code, Errc::not_permitted);
    EXPECT_EQ(ask<ReconcileReport>(client, wire::Reconcile{}).error().code, Errc::not_permitted);
    EXPECT_EQ(ask<ReconfigureReport>(client, wire::Reload{}).error().code, Errc::not_permitted);
    Wire root = connect(peer(101));
    EXPECT_TRUE(ask<ReconfigureReport>(root, wire::Reconfigure{three_pools(), true}));
    EXPECT_TRUE(ask<ReconcileReport>(root, wire::Reconcile{}));
    EXPECT_TRUE(ask<std::vector<LeaseVerdict>>(root, wire::Verify{}));
    EXPECT_TRUE(ask<std::vector<Lease>>(root, wire::ListLeases{}));
}

}  // namespace
}  // namespace cmk
