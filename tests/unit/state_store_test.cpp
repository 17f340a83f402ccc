// SPDX-License-Identifier: Apache-2.0
#include "agent/state_store.h"

#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <set>

#include "ipc/state_codec.h"
#include "support/ledgers.h"

namespace cmk {
namespace {

namespace fs = std::filesystem;
using Names = std::set<std::string>;

class StateStoreTest : public ::testing::Test {
protected:
    void SetUp() override {
        std::string name = (fs::temp_directory_path() / "cmk-test-XXXXXX").string();
        ASSERT_NE(::mkdtemp(name.data()), nullptr);
        parent_ = name;
        auto opened = StateStore::open(dir());
        ASSERT_TRUE(opened) << opened.error().message;
        store_.emplace(*std::move(opened));
    }
    void TearDown() override { fs::remove_all(parent_); }

    std::string dir() const { return parent_ + "/state"; }
    Names names() const {
        Names found;
        for (const auto& entry : fs::directory_iterator(dir()))
            found.insert(entry.path().filename().string());
        return found;
    }
    void put(const std::string& name, const std::string& text) const {
        std::ofstream(dir() + "/" + name) << text;
    }
    unsigned mode_of(const std::string& path) const {
        struct stat info {};
        EXPECT_EQ(::stat(path.c_str(), &info), 0) << path;
        return info.st_mode & 07777;
    }
    StoredState load() const {
        auto state = store_->load();
        EXPECT_TRUE(state) << state.error().message;
        return state ? *std::move(state) : StoredState{};
    }
    static Lease lease(const std::string& id) { return test::lease_of(id, "exclusive", "2-3"); }

    std::string parent_;
    std::optional<StateStore> store_;
};

TEST_F(StateStoreTest, TheDirectoryIsForTheAgentAlone) {
    EXPECT_EQ(mode_of(dir()), 0700U);
    ASSERT_TRUE(store_->save_intent(lease("l1")));
    ASSERT_TRUE(store_->save_pools({}));
    ASSERT_TRUE(store_->save_boot_id("b"));
    for (const std::string& name : names())
        EXPECT_EQ(mode_of(dir() + "/" + name), 0600U) << name;
}

TEST_F(StateStoreTest, AnEmptyDirectoryIsAnEmptyState) {
    const StoredState state = load();
    EXPECT_TRUE(state.leases.empty());
    EXPECT_TRUE(state.pools.empty());
    EXPECT_EQ(state.boot_id, "");
    EXPECT_TRUE(state.bad.empty());
}

TEST_F(StateStoreTest, ALeaseIsAnIntentUntilItIsCommitted) {
    Lease expected = lease("l1");
    expected.status = LeaseStatus::committed;  // what counts is the name of the file
    ASSERT_TRUE(store_->save_intent(expected));
    EXPECT_EQ(names(), Names{"l1.intent"});
    expected.status = LeaseStatus::intent;
    EXPECT_EQ(load().leases, std::vector<Lease>{expected});
    ASSERT_TRUE(store_->commit("l1"));
    EXPECT_EQ(names(), Names{"l1.lease"});
    expected.status = LeaseStatus::committed;
    EXPECT_EQ(load().leases, std::vector<Lease>{expected});
    ASSERT_TRUE(store_->revoke("l1"));
    EXPECT_EQ(names(), Names{"l1.intent"});
    expected.status = LeaseStatus::intent;
    EXPECT_EQ(load().leases, std::vector<Lease>{expected});
}

TEST_F(StateStoreTest, ALeaseIsRemovedInEitherState) {
    ASSERT_TRUE(store_->save_intent(lease("l1")));
    ASSERT_TRUE(store_->save_intent(lease("l2")));
    ASSERT_TRUE(store_->commit("l2"));
    store_->remove("l1");
    store_->remove("l2");
    store_->remove("l3");
    EXPECT_EQ(names(), Names{});
}

TEST_F(StateStoreTest, OnlyWhatWasBegunIsCommittedOrRevoked) {
    for (const Status& status : {store_->commit("l1"), store_->revoke("l1")}) {
        ASSERT_FALSE(status);
        EXPECT_EQ(status.error().code, Errc::io);
        EXPECT_NE(status.error().message.find("l1.lease"), std::string::npos);
    }
}

TEST_F(StateStoreTest, AnIntentReplacesALongerOne) {
    Lease longer = lease("l1");
    longer.owner.command = std::string(1000, 'x');
    ASSERT_TRUE(store_->save_intent(longer));
    ASSERT_TRUE(store_->save_intent(lease("l1")));
    EXPECT_EQ(load().leases, std::vector<Lease>{lease("l1")});
}

TEST_F(StateStoreTest, PoolsAndTheBootIdAreReplaced) {
    const std::vector<Pool> pools{test::exclusive_pool("0-3"), test::shared_pool("4")};
    ASSERT_TRUE(store_->save_pools({test::shared_pool("7")}));
    ASSERT_TRUE(store_->save_pools(pools));
    ASSERT_TRUE(store_->save_boot_id("a longer boot id"));
    ASSERT_TRUE(store_->save_boot_id("boot-2"));
    const StoredState state = load();
    EXPECT_EQ(state.pools, pools);
    EXPECT_EQ(state.boot_id, "boot-2");
    EXPECT_EQ(names(), (Names{"pools", "boot"}));
}

TEST_F(StateStoreTest, BadFilesAreToldByNameAndTheOthersLoaded) {
    const std::string good = encode_lease_state(lease("good"));
    put("good.lease", good);
    put("torn.intent", encode_lease_state(lease("torn")).substr(0, 50));
    put("other.lease", good);
    put("foreign.lease", "hello\n");
    put("pools", "cmk-pools 1 0\n{}\n");
    const StoredState state = load();
    ASSERT_EQ(state.leases.size(), 1U);
    EXPECT_EQ(state.leases[0].id, "good");
    ASSERT_EQ(state.bad.size(), 4U);
    EXPECT_EQ(state.bad[0], "foreign.lease: not a cmk-lease file: it starts with \"hello\\x0a\"");
    EXPECT_EQ(state.bad[1], "other.lease: it is the file of lease \"good\"");
    EXPECT_EQ(state.bad[2], "pools: its checksum does not match: it is damaged");
    EXPECT_EQ(state.bad[3], "torn.intent: it is truncated");
}

TEST_F(StateStoreTest, WhatIsNoStateFileIsLeftAlone) {
    put("pools.new", "half");
    put("notes", "mine");
    put("l1.lease.bad", "kept");
    const StoredState state = load();
    EXPECT_TRUE(state.leases.empty());
    EXPECT_TRUE(state.bad.empty());
}

TEST_F(StateStoreTest, ADirectoryInAFilesPlaceIsBad) {
    fs::create_directory(dir() + "/d.lease");
    const StoredState state = load();
    ASSERT_EQ(state.bad.size(), 1U);
    EXPECT_EQ(state.bad[0].find("d.lease: "), 0U);
}

TEST_F(StateStoreTest, ABadFileIsKeptForPeople) {
    put("l1.lease", "damaged");
    store_->set_aside("l1.lease");
    store_->set_aside("not.there");
    EXPECT_EQ(names(), Names{"l1.lease.bad"});
    EXPECT_TRUE(load().bad.empty());
}

TEST_F(StateStoreTest, AnotherAgentIsKeptOut) {
    const auto second = StateStore::open(dir());
    ASSERT_FALSE(second);
    EXPECT_EQ(second.error().code, Errc::conflict);
    EXPECT_EQ(second.error().message, "another agent holds the state directory " + dir() +
                                          "; end it, or use another --state-dir");
    store_.reset();
    EXPECT_TRUE(StateStore::open(dir()));
}

TEST_F(StateStoreTest, ADirectoryThatCannotBeMadeIsNamed) {
    const auto store = StateStore::open(parent_ + "/missing/state");
    ASSERT_FALSE(store);
    EXPECT_EQ(store.error().code, Errc::io);
    EXPECT_NE(store.error().message.find(parent_ + "/missing/state"), std::string::npos);
}

}  // namespace
}  // namespace cmk
