// SPDX-License-Identifier: Apache-2.0
#include "ipc/state_codec.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "base/text.h"
#include "support/ledgers.h"

namespace cmk {
namespace {

using test::cpu_set;

Lease full_lease() {
    Lease lease = test::lease_of("lease-1", "exclusive", "2-3,8191");
    lease.status = LeaseStatus::committed;
    lease.hold = Hold::affinity;
    lease.grade = Grade::C;
    lease.created = 1700000000;
    lease.owner = {.pid = 4194303,
                   .start_time = UINT64_MAX,
                   .uid = UINT32_MAX,
                   .user = "alice",
                   .command = "a \"program\"\n",
                   .cgroup = "/user.slice/a b",
                   .container = true};
    lease.old_masks = {{4194303, cpu_set("0-7")}, {12, cpu_set("")}};
    return lease;
}

std::vector<Pool> some_pools() {
    Pool counted = test::exclusive_pool("0-3");
    counted.spec.size = 2U;
    counted.spec.mode = PoolMode::spread;
    counted.spec.isolation = Isolation::affinity;
    counted.spec.require_grade = Grade::B;
    counted.spec.access = {{"alice"}, {"users", "root"}, false};
    counted.boot_isolated = true;
    Pool rest = test::shared_pool("4-7");
    rest.spec.size = RestOfCores{};
    return {counted, rest, test::pool_of("named", PoolKind::shared, "9")};
}

/// A state file of that kind and version with a fitting checksum.
std::string sealed(const std::string& kind, const std::string& body,
                   const std::string& version = "1") {
    static constexpr char kHex[] = "0123456789abcdef";
    std::string sum;
    for (int shift = 60; shift >= 0; shift -= 4)
        sum += kHex[fnv1a(body) >> shift & 15];
    return "cmk-" + kind + " " + version + " " + sum + "\n" + body + "\n";
}

/// The lease's body with one piece of text replaced.
std::string lease_with(const std::string& from, const std::string& to) {
    const std::string text = encode_lease_state(full_lease());
    std::string body = text.substr(text.find('\n') + 1);
    body.pop_back();
    const std::size_t at = body.find(from);
    EXPECT_NE(at, std::string::npos) << from;
    return sealed("lease", body.replace(at, from.size(), to));
}

void expect_refused(Errc code, const std::string& text, const std::string& why) {
    const auto lease = decode_lease_state(text);
    ASSERT_FALSE(lease) << why;
    EXPECT_EQ(lease.error().code, code) << why;
    EXPECT_NE(lease.error().message.find(why), std::string::npos) << lease.error().message;
}

void expect_corrupt(const std::string& text, const std::string& why) {
    expect_refused(Errc::corrupt_state, text, why);
}

TEST(StateCodec, ALeaseComesBackWhole) {
    const std::string text = encode_lease_state(full_lease());
    const auto lease = decode_lease_state(text);
    ASSERT_TRUE(lease) << lease.error().message;
    EXPECT_EQ(*lease, full_lease());
    EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 2);
}

TEST(StateCodec, PoolsComeBackWhole) {
    for (const auto& pools : {some_pools(), std::vector<Pool>{}}) {
        const auto decoded = decode_pools_state(encode_pools_state(pools));
        ASSERT_TRUE(decoded) << decoded.error().message;
        EXPECT_EQ(*decoded, pools);
    }
}

TEST(StateCodec, TheChecksumIsAsDocumented) {
    const std::string text = encode_lease_state(full_lease());
    const std::string body = text.substr(text.find('\n') + 1);
    EXPECT_EQ(text, sealed("lease", body.substr(0, body.size() - 1)));
}

TEST(StateCodec, EveryTruncationIsRefused) {
    const std::string text = encode_lease_state(full_lease());
    for (std::size_t size = 0; size < text.size(); ++size) {
        const auto lease = decode_lease_state(text.substr(0, size));
        ASSERT_FALSE(lease) << size;
        EXPECT_EQ(lease.error().code, Errc::corrupt_state);
    }
    expect_corrupt(text.substr(0, text.size() - 1), "it is truncated");
    expect_corrupt("", "not a cmk-lease file: it starts with \"\"");
}

TEST(StateCodec, EveryFlippedBitIsFound) {
    const std::string text = encode_lease_state(full_lease());
    for (std::size_t at = 0; at < text.size(); ++at) {
        std::string damaged = text;
        damaged[at] = static_cast<char>(damaged[at] ^ 1);
        EXPECT_FALSE(decode_lease_state(damaged)) << "byte " << at;
    }
    std::string damaged = text;
    damaged[text.find("lease-1")] = 'k';
    expect_corrupt(damaged, "its checksum does not match: it is damaged");
    expect_corrupt(text + "x", "it is truncated");
    expect_corrupt(text + "\n", "its checksum does not match");
}

TEST(StateCodec, ForeignFilesAreRefusedByWhatTheyStartWith) {
    expect_corrupt("#!/bin/sh\nexit 0\n", "not a cmk-lease file: it starts with \"#!/bin/sh\\x0a");
    expect_corrupt(std::string(100000, 'x'), "it starts with \"xxxxxxxxxxxxxxxxxxxxxxxx\"");
    expect_corrupt(encode_pools_state(some_pools()), "not a cmk-lease file");
    EXPECT_EQ(decode_pools_state(encode_lease_state(full_lease())).error().code,
              Errc::corrupt_state);
}

/// The body of a state file as the next version of the format may have it.
std::string later_body(const std::string& text, const std::string& before) {
    std::string body = text.substr(text.find('\n') + 1);
    body.pop_back();
    const std::size_t at = body.find(before);
    EXPECT_NE(at, std::string::npos) << before;
    return body.insert(at, R"("added_later":{"a":[1,null]},)");
}

TEST(StateCodec, TheNextVersionIsReadWithoutWhatItAdded) {
    const std::string lease = later_body(encode_lease_state(full_lease()), "\"cpus\"");
    EXPECT_EQ(*decode_lease_state(sealed("lease", lease, "2")), full_lease());
    for (const char* before : {"\"allow_containers\"", "\"boot_isolated\"", "\"pools\""}) {
        const std::string pools = later_body(encode_pools_state(some_pools()), before);
        const auto decoded = decode_pools_state(sealed("pools", pools, "2"));
        ASSERT_TRUE(decoded) << decoded.error().message;
        EXPECT_EQ(*decoded, some_pools());
    }
}

TEST(StateCodec, AVersionFurtherAwayIsRefusedByNumber) {
    expect_refused(Errc::conflict, sealed("lease", "{}", "3"),
                   "its format is version 3, this agent reads up to 2");
    for (const char* word : {"0", "01", "", "-1", "x"}) {
        expect_corrupt(sealed("lease", "{}", word), "which is no version");
    }
    std::string damaged = sealed("lease", "{}", "3");
    damaged[damaged.size() - 2] = ']';
    expect_corrupt(damaged, "its checksum does not match");
}

TEST(StateCodec, BodiesThatAreNoLeaseAreRefusedByName) {
    expect_corrupt(sealed("lease", "[]"), "not a JSON object");
    expect_corrupt(sealed("lease", "{"), "not JSON");
    expect_corrupt(sealed("lease", "{}"), "id: is missing");
    expect_corrupt(lease_with("\"lease-1\"", "\"../lease\""), "id: is not usable as a file name");
    expect_corrupt(lease_with("\"exclusive\"", "\"a/b\""), "pool: is not usable as a file name");
    expect_corrupt(lease_with("\"pid\":4194303", "\"pid\":-1"),
                   "pid: must be a whole number from 0 to 4194304, not \"-1\"");
    expect_corrupt(lease_with("\"hold\":\"affinity\"", "\"hold\":\"glue\""),
                   "hold: \"glue\" is not one of cpuset, affinity, none");
    expect_corrupt(lease_with("\"cpus\":\"2-3,8191\"", "\"cpus\":\"8192\""), "cpus: ");
    expect_corrupt(lease_with("\"start_time\"", "\"start\""), "start_time: is missing");
    expect_corrupt(lease_with("\"old_masks\":[", "\"old_masks\":[7,"), "expected an object");
    expect_corrupt(lease_with("\"tid\":12", "\"tid\":\"12\""), "tid: must be a whole number");
}

TEST(StateCodec, BodiesThatAreNoPoolsAreRefusedByName) {
    const auto why = [](const std::string& body) {
        const auto pools = decode_pools_state(sealed("pools", body));
        EXPECT_TRUE(!pools && pools.error().code == Errc::corrupt_state);
        return pools ? "" : pools.error().message;
    };
    EXPECT_EQ(why("{}"), "pools: is missing");
    EXPECT_EQ(why(R"({"pools":{}})"), "pools: is missing");
    EXPECT_EQ(why(R"({"pools":[1]})"), "spec: is missing");
    EXPECT_EQ(why(R"({"pools":[{"spec":{"name":"a","kind":"shared","cores":1}}]})"),
              "cpus: is missing");
    EXPECT_EQ(why(R"({"pools":[{"spec":{"name":"..","kind":"shared","cores":1},"cpus":"",)"
                  R"("boot_isolated":false}]})"),
              "name: is not usable as a file name");
}

}  // namespace
}  // namespace cmk
