// SPDX-License-Identifier: Apache-2.0
// A real agent on a real bus, with a polkit that the test answers for.
#include <grp.h>
#include <signal.h>
#include <sys/wait.h>
#include <systemd/sd-bus.h>

#include <atomic>
#include <mutex>
#include <thread>

#include "ipc/names.h"
#include "support/eventually.h"
#include "support/require.h"
#include "support/test_bus.h"

namespace cmk::test {
namespace {

constexpr unsigned kNobody = 65534;

/// org.freedesktop.PolicyKit1 as far as the agent needs it, in a thread.
class FakePolkit {
public:
    enum class Reply { yes, no, challenge, silence };

    FakePolkit(const std::string& address, Reply reply)
        : bus_(connect_to_bus(address)), reply_(reply), thread_([this] { run(); }) {
        while (!serving_)
            std::this_thread::yield();
    }
    ~FakePolkit() {
        stop_ = true;
        thread_.join();
    }

    /// "action flags" of each question.
    std::vector<std::string> questions() {
        const std::lock_guard<std::mutex> lock(mutex_);
        return questions_;
    }

private:
    static int on_check(sd_bus_message* message, void* userdata, sd_bus_error*) {
        return static_cast<FakePolkit*>(userdata)->check(message);
    }

    int check(sd_bus_message* message) {
        const char* kind = nullptr;
        const char* key = nullptr;
        const char* sender = nullptr;
        const char* action = nullptr;
        std::uint32_t flags = 0;
        ::sd_bus_message_read(message, "(sa{sv})", &kind, 1, &key, "s", &sender);
        ::sd_bus_message_read_basic(message, SD_BUS_TYPE_STRING, &action);
        ::sd_bus_message_skip(message, "a{ss}");
        ::sd_bus_message_read_basic(message, SD_BUS_TYPE_UINT32, &flags);
        const bool known = std::string(kind) == "system-bus-name" && sender[0] == ':';
        {
            const std::lock_guard<std::mutex> lock(mutex_);
            questions_.push_back(std::string(action) + " " + std::to_string(flags));
        }
        if (reply_ == Reply::silence) return 1;
        return ::sd_bus_reply_method_return(message, "(bba{ss})", known && reply_ == Reply::yes,
                                            reply_ == Reply::challenge, 0);
    }

    void run() {
        static const sd_bus_vtable kTable[] = {
            SD_BUS_VTABLE_START(0),
            SD_BUS_METHOD("CheckAuthorization", "(sa{sv})sa{ss}us", "(bba{ss})", on_check,
                          SD_BUS_VTABLE_UNPRIVILEGED),
            SD_BUS_VTABLE_END};
        ::sd_bus_add_object_vtable(bus_.get(), nullptr, "/org/freedesktop/PolicyKit1/Authority",
                                   "org.freedesktop.PolicyKit1.Authority", kTable, this);
        ::sd_bus_request_name(bus_.get(), "org.freedesktop.PolicyKit1", 0);
        serving_ = true;
        while (!stop_) {
            if (::sd_bus_process(bus_.get(), nullptr) == 0) ::sd_bus_wait(bus_.get(), 20000);
        }
    }

    BusHandle bus_;
    const Reply reply_;
    std::mutex mutex_;
    std::vector<std::string> questions_;
    std::atomic<bool> serving_ = false;
    std::atomic<bool> stop_ = false;
    std::thread thread_;
};

/// Calls a method as an ordinary user, in a process that lives until the object ends.
class UserCall {
public:
    UserCall(const std::string& address, const std::string& method, bool interactive = false) {
        int report[2] = {-1, -1};
        if (::pipe(report) < 0) return;
        report_.reset(report[0]);
        child_ = ::fork();
        if (child_ == 0) ::_exit(call(address, method, interactive, report[1]));
        ::close(report[1]);
    }
    ~UserCall() {
        ::kill(child_, SIGKILL);
        ::waitpid(child_, nullptr, 0);
    }

    /// "done" or the error's name.
    std::string answer() const {
        char buffer[128] = {};
        (void)!::read(report_.get(), buffer, sizeof buffer - 1);
        return buffer;
    }

private:
    static int call(const std::string& address, const std::string& method, bool interactive,
                    int report) {
        if (::setgroups(0, nullptr) < 0 || ::setgid(kNobody) < 0 || ::setuid(kNobody) < 0) return 1;
        const BusHandle bus = connect_to_bus(address);
        sd_bus_message* message = nullptr;
        ::sd_bus_message_new_method_call(bus.get(), &message, kBusName, kBusPath, kBusInterface,
                                         method.c_str());
        if (method == "Isolate") ::sd_bus_message_append(message, "su", "exclusive", 1U);
        if (method == "Release") ::sd_bus_message_append(message, "s", "nothing");
        ::sd_bus_message_append(message, "a{sv}", 0);
        ::sd_bus_message_set_allow_interactive_authorization(message, interactive ? 1 : 0);
        sd_bus_error error{};
        const int result = ::sd_bus_call(bus.get(), message, 0, &error, nullptr);
        const std::string text = result < 0 ? error.name : "done";
        (void)!::write(report, text.data(), text.size());
        ::pause();
        return 0;
    }

    UniqueFd report_;
    pid_t child_ = -1;
};

constexpr char kRefused[] = "org.cmk.Agent1.Error.NotPermitted";

class PolkitTest : public testing::Test {
protected:
    void SetUp() override {
        CMK_NEEDS("root");
        CMK_NEEDS("cpuset1");
        CMK_NEEDS("dbus");
        bus_ = std::make_unique<TestBus>();
        ASSERT_NE(bus_->address(), "");
        agent_ = std::make_unique<AgentProcess>(AgentProcess::Setup{.bus = bus_->address()});
        ASSERT_TRUE(agent_->start());
        ASSERT_EQ(agent_->init(1, 0).exit, 0);
    }
    std::string call(const std::string& method, bool interactive = false) const {
        return UserCall(bus_->address(), method, interactive).answer();
    }

    std::unique_ptr<TestBus> bus_;
    std::unique_ptr<AgentProcess> agent_;
};

TEST_F(PolkitTest, AllowsWhatTheListsDoNot) {
    FakePolkit polkit(bus_->address(), FakePolkit::Reply::yes);
    EXPECT_EQ(call("Reconcile"), "done");
    EXPECT_EQ(call("Reload", true), "done");
    EXPECT_EQ(polkit.questions(),
              (std::vector<std::string>{"org.cmk.Agent1.manage 0", "org.cmk.Agent1.manage 1"}));
}

TEST_F(PolkitTest, AUserMayLeaseWithIt) {
    FakePolkit polkit(bus_->address(), FakePolkit::Reply::yes);
    const UserCall user(bus_->address(), "Isolate");
    EXPECT_EQ(user.answer(), "done");
    EXPECT_EQ(agent_->lease_groups("exclusive").size(), 1U);
    EXPECT_EQ(polkit.questions(), std::vector<std::string>{"org.cmk.Agent1.lease 0"});
}

TEST_F(PolkitTest, IsNotAskedForRootNorForWhatIsNotThere) {
    FakePolkit polkit(bus_->address(), FakePolkit::Reply::no);
    const BusHandle root = connect_to_bus(bus_->address());
    EXPECT_GE(::sd_bus_call_method(root.get(), kBusName, kBusPath, kBusInterface, "Reconcile",
                                   nullptr, nullptr, "a{sv}", 0),
              0);
    EXPECT_EQ(call("Release"), "org.cmk.Agent1.Error.UnknownLease");
    EXPECT_TRUE(polkit.questions().empty());
}

TEST_F(PolkitTest, ItsRefusalIsOne) {
    for (const auto reply : {FakePolkit::Reply::no, FakePolkit::Reply::challenge}) {
        FakePolkit polkit(bus_->address(), reply);
        EXPECT_EQ(call("Reconcile"), kRefused);
        EXPECT_EQ(call("Isolate"), kRefused);
        EXPECT_EQ(polkit.questions().size(), 2U);
    }
    EXPECT_TRUE(agent_->lease_groups("exclusive").empty());
}

TEST_F(PolkitTest, WithoutItTheListsDecide) {
    EXPECT_EQ(call("Reconcile"), kRefused);
    EXPECT_EQ(call("Isolate"), kRefused);
}

TEST_F(PolkitTest, NobodyWaitsWhileItThinks) {
    FakePolkit polkit(bus_->address(), FakePolkit::Reply::silence);
    const UserCall user(bus_->address(), "Reconcile");
    EXPECT_TRUE(eventually([&] { return polkit.questions().size() == 1; }));
    EXPECT_EQ(agent_->ctl({"isolate", "--pool", "exclusive", "--", "true"}).exit, 0);
}

}  // namespace
}  // namespace cmk::test
