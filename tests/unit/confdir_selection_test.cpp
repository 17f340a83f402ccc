// SPDX-License-Identifier: Apache-2.0
#include "confdir/selection.h"

#include "confdir/environment.h"
#include "support/confdirs.h"

namespace cmk {
namespace {

using Names = std::vector<std::string>;

class ConfdirSelection : public test::ConfdirTest {
protected:
    Names select(const ListRequest& request) const {
        const DirectoryContent now = content();
        const auto lists = select_lists(now, request);
        EXPECT_TRUE(lists) << lists.error().message;
        Names names;
        if (lists) {
            for (const CpuList* list : *lists)
                names.push_back(list->name);
        }
        return names;
    }
    Error refusal(const ListRequest& request) const {
        const DirectoryContent now = content();
        const auto lists = select_lists(now, request);
        EXPECT_FALSE(lists);
        return lists ? Error{} : lists.error();
    }
};

TEST_F(ConfdirSelection, OfAnExclusivePoolIsTheFirstFreeInNumericOrder) {
    put_pool("exclusive", true, {"0,12:99", "1,13", "10,22", "2,14"});
    EXPECT_EQ(select({.pool = "exclusive"}), Names{"1,13"});
    EXPECT_EQ(select({.pool = "exclusive", .count = 3}), (Names{"1,13", "2,14", "10,22"}));
}

TEST_F(ConfdirSelection, OfACountTooLargeSaysWhatIsFree) {
    put_pool("exclusive", true, {"0:7,8", "1", "2:9"});
    const Error error = refusal({.pool = "exclusive", .count = 2});
    EXPECT_EQ(error.code, Errc::not_enough_cpus);
    EXPECT_EQ(error.message,
              "Not enough free cpu lists in pool exclusive: 2 wanted, free: 1, in use: 0 (process "
              "7, 8), 2 (process 9); `reconcile` frees what processes that have ended left behind");
    EXPECT_EQ(refusal({.pool = "exclusive", .count = 0}).code, Errc::invalid_argument);
}

TEST_F(ConfdirSelection, OfAnUnknownPoolNamesThePools) {
    put_minimal_pools();
    const Error error = refusal({.pool = "gold"});
    EXPECT_EQ(error.code, Errc::unknown_pool);
    EXPECT_EQ(error.message,
              "Requested pool gold does not exist; pools in " + path() + ": exclusive shared");
}

TEST_F(ConfdirSelection, OfAPoolWithoutListsIsRefused) {
    put_pool("shared", false, {});
    const Error error = refusal({.pool = "shared"});
    EXPECT_EQ(error.code, Errc::not_enough_cpus);
    EXPECT_TRUE(error.message.starts_with("No cpu lists in pool shared")) << error.message;
}

TEST_F(ConfdirSelection, OfAnyOtherPoolIsTheLeastLoadedList) {
    put_pool("shared", false, {"2:7,8", "10:9", "4:6"});
    EXPECT_EQ(select({.pool = "shared"}), Names{"4"});
    EXPECT_EQ(select({.pool = "shared", .count = 3}), Names{"4"}) << "the count does not count";
    EXPECT_EQ(select({.pool = "shared", .count = 0}), Names{"4"});
    put("pools/shared/0/4/tasks", "6,5,4");
    EXPECT_EQ(select({.pool = "shared"}), Names{"10"});
}

TEST_F(ConfdirSelection, KeepsToTheSocketInThreePools) {
    for (const std::string pool : {"exclusive", "shared", "exclusive-non-isolcpus", "infra"}) {
        put_pool(pool, pool.starts_with("exclusive"), {"0"});
        put("pools/" + pool + "/1/4/tasks", "");
    }
    for (const std::string pool : {"exclusive", "shared", "exclusive-non-isolcpus"}) {
        EXPECT_EQ(select({.pool = pool, .socket = "1"}), Names{"4"}) << pool;
        EXPECT_EQ(select({.pool = pool, .socket = "01"}), Names{"4"}) << pool;
        EXPECT_EQ(select({.pool = pool, .socket = "-1"}), Names{"0"}) << pool;
        EXPECT_EQ(select({.pool = pool, .socket = ""}), Names{"0"}) << pool;
        const Error error = refusal({.pool = pool, .socket = "7"});
        EXPECT_EQ(error.code, Errc::invalid_argument);
        EXPECT_NE(error.message.find("its sockets: 0 1"), std::string::npos) << error.message;
    }
    EXPECT_EQ(select({.pool = "infra", .socket = "1"}), Names{"0"});
    const Error error = refusal({.pool = "exclusive", .count = 2, .socket = "1"});
    EXPECT_NE(error.message.find("2 wanted on socket 1, free: 4"), std::string::npos);
}

TEST_F(ConfdirSelection, MaySpanSocketsWithoutOne) {
    put_pool("exclusive", true, {"0"});
    put("pools/exclusive/1/4/tasks", "");
    EXPECT_EQ(select({.pool = "exclusive", .count = 2}), (Names{"0", "4"}));
}

/// Directories edited by hand.
TEST_F(ConfdirSelection, GivesNoCpuOfAnExclusiveListInUse) {
    put_pool("exclusive", true, {"0,8:5", "0-1", "2"});
    put_pool("gold", true, {"2-3:6"});
    const Error error = refusal({.pool = "exclusive"});
    EXPECT_NE(error.message.find("0-1 (a list with the same CPUs is in use)"), std::string::npos)
        << error.message;
    put("pools/gold/0/2-3/tasks", "");
    EXPECT_EQ(select({.pool = "exclusive"}), Names{"2"});
    put("pools/exclusive/0/0,8/tasks", "");
    EXPECT_EQ(select({.pool = "exclusive", .count = 2}), (Names{"0,8", "2"}));
}

TEST_F(ConfdirSelection, IsPassedOnInTheEnvironment) {
    put_pool("exclusive", true, {"0,12", "1,13", "10,22", "2,14"});
    put_pool("infra", false, {"5-6", "11,23,9"});
    const DirectoryContent now = content();
    EXPECT_EQ(assigned_cpus(now.lists()), "0,12,1,13,2,14,5,6,10,22,11,23,9");
    std::vector<const CpuList*> exclusive;
    for (const CpuList& list : now.find("exclusive")->lists)
        exclusive.push_back(&list);
    EXPECT_EQ(assigned_cpus(exclusive), "0,12,1,13,2,14,10,22");
    EXPECT_EQ(pool_cpus(now, "infra"), "11,23,9,5,6");
    EXPECT_EQ(pool_cpus(now, "shared"), std::nullopt);
    put_pool("shared", false, {});
    EXPECT_EQ(pool_cpus(content(), "shared"), "");
}

TEST_F(ConfdirSelection, IsAMaskInUpperCase) {
    const auto mask = [](std::vector<unsigned> cpus) {
        const CpuList list{.pool = "p", .socket = "0", .name = "", .cpus = cpus, .tasks = {}};
        return assigned_mask({&list});
    };
    EXPECT_EQ(mask({0, 8}), "101");
    EXPECT_EQ(mask({2, 38, 3, 39}), "C00000000C");
}

}  // namespace
}  // namespace cmk
