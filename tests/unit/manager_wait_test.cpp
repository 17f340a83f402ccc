// SPDX-License-Identifier: Apache-2.0
// Requests that wait for cores.
#include "support/manager_fixture.h"

namespace cmk {
namespace {

class ManagerWaitTest : public ManagerFixture {
protected:
    void SetUp() override {
        ManagerFixture::SetUp();
        holder = isolate(90, "exclusive", 4);
        ASSERT_TRUE(holder);
    }
    void free_all() { ASSERT_TRUE(manager->release(Peer{}, holder->lease)); }
    bool answered(int pid) const { return answers.find(pid) != answers.end(); }
    const Result<Grant>& answer(int pid) const { return answers.at(pid); }

    Result<Grant> holder = make_error(Errc::internal, "");
};

TEST_F(ManagerWaitTest, IsAnsweredWhenCoresComeFree) {
    EXPECT_NE(wait_for(100), 0U);
    EXPECT_FALSE(answered(100));
    EXPECT_EQ(manager->list_pools()[0].waiting, 1U);
    free_all();
    ASSERT_TRUE(answered(100));
    EXPECT_TRUE(answer(100));
    EXPECT_EQ(loop.timers(), 0U);
    EXPECT_EQ(manager->list_pools()[0].waiting, 0U);
}

TEST_F(ManagerWaitTest, FirstComeFirstServed) {
    wait_for(100, 3);
    wait_for(101, 2);
    wait_for(102, 1);
    free_all();
    ASSERT_TRUE(answered(100));
    EXPECT_TRUE(answer(100));
    // One core is free, but 101 is first and needs two.
    EXPECT_FALSE(answered(101));
    EXPECT_FALSE(answered(102));
    end_process(100);
    EXPECT_TRUE(answered(101));
    EXPECT_TRUE(answered(102));
}

TEST_F(ManagerWaitTest, NobodyOvertakesTheQueue) {
    wait_for(100, 4);
    const auto refused = isolate(101, "exclusive", 1);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, Errc::not_enough_cpus);
}

TEST_F(ManagerWaitTest, TimesOut) {
    wait_for(100, 1, 500);
    loop.advance(499);
    EXPECT_FALSE(answered(100));
    loop.advance(1);
    ASSERT_TRUE(answered(100));
    EXPECT_EQ(answer(100).error().code, Errc::timed_out);
    EXPECT_EQ(loop.exits(), 1U);  // the holder's
    free_all();
    EXPECT_TRUE(leases().empty());
}

TEST_F(ManagerWaitTest, TimeoutOfTheFirstServesTheNext) {
    ASSERT_TRUE(manager->release(Peer{}, holder->lease));
    const auto three = isolate(91, "exclusive", 3);
    ASSERT_TRUE(three);
    wait_for(100, 2, 500);
    wait_for(101, 1, 10000);
    loop.advance(500);
    EXPECT_EQ(answer(100).error().code, Errc::timed_out);
    ASSERT_TRUE(answered(101));
    EXPECT_TRUE(answer(101));
}

TEST_F(ManagerWaitTest, AtTheEndOfTheAgentAllAreToldToAskTheNext) {
    wait_for(100);
    wait_for(101);
    manager->stop_waiting();
    EXPECT_EQ(answer(100).error().code, Errc::restarting);
    EXPECT_EQ(answer(101).error().code, Errc::restarting);
    EXPECT_EQ(loop.timers(), 0U);
    EXPECT_EQ(manager->list_pools()[0].waiting, 0U);
    EXPECT_EQ(leases().size(), 1U);
}

TEST_F(ManagerWaitTest, CancelledIsForgottenWithoutAnAnswer) {
    const Ticket ticket = wait_for(100);
    manager->cancel(ticket);
    free_all();
    EXPECT_FALSE(answered(100));
    EXPECT_TRUE(leases().empty());
    EXPECT_EQ(loop.timers(), 0U);
    manager->cancel(ticket);
    manager->cancel(0);
}

TEST_F(ManagerWaitTest, CallerThatEndsLeavesTheQueue) {
    wait_for(100);
    end_process(100);
    free_all();
    EXPECT_FALSE(answered(100));
    EXPECT_TRUE(leases().empty());
}

TEST_F(ManagerWaitTest, IsBounded) {
    config.limits.waiting = 2;
    ASSERT_TRUE(start_manager(kBoot));
    wait_for(100);
    wait_for(101);
    EXPECT_EQ(wait_for(102), 0U);
    ASSERT_TRUE(answered(102));
    EXPECT_EQ(answer(102).error().code, Errc::too_many);
    EXPECT_FALSE(answered(100));
}

TEST_F(ManagerWaitTest, ACallerThatCannotBeWatchedIsRefused) {
    loop.refuse_watches = true;
    EXPECT_EQ(wait_for(100), 0U);
    ASSERT_TRUE(answered(100));
    EXPECT_FALSE(answer(100));
    EXPECT_EQ(manager->list_pools()[0].waiting, 0U);
}

TEST_F(ManagerWaitTest, OtherErrorsDoNotWait) {
    EXPECT_EQ(manager->isolate(peer(100), order("nothing", 1, 1000),
                               [this](Result<Grant> result) {
                                   answers.insert_or_assign(100, std::move(result));
                               }),
              0U);
    EXPECT_EQ(answer(100).error().code, Errc::unknown_pool);
}

TEST_F(ManagerWaitTest, ListenersMayCancelTheRequestThatIsBeingServed) {
    const Ticket ticket = wait_for(100);
    wait_for(101);
    manager->listen([&](const Event& event) {
        if (event.kind == Event::Kind::lease_added) manager->cancel(ticket);
    });
    free_all();
    EXPECT_TRUE(answered(101));
    // Whoever was given a lease was told so.
    EXPECT_EQ(leases().size(), answers.size());
}

}  // namespace
}  // namespace cmk
