// SPDX-License-Identifier: Apache-2.0
#include "agent/dbus_codec.h"

#include <gtest/gtest.h>
#include <sys/socket.h>

#include "base/handle.h"
#include "base/unique_fd.h"
#include "support/ledgers.h"

namespace cmk {
namespace {

using BusHandle = Handle<sd_bus, sd_bus_close_unref>;
using BusMessage = Handle<sd_bus_message, sd_bus_message_unref>;

class DbusCodecTest : public ::testing::Test {
protected:
    void SetUp() override {
        int ends[2];
        ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
        other_.reset(ends[1]);
        sd_bus* made = nullptr;
        ASSERT_GE(::sd_bus_new(&made), 0);
        bus_.reset(made);
        ASSERT_GE(::sd_bus_set_fd(made, ends[0], ends[0]), 0);
        ASSERT_GE(::sd_bus_start(made), 0);
    }

    BusMessage message() const {
        sd_bus_message* made = nullptr;
        EXPECT_GE(::sd_bus_message_new_signal(bus_.get(), &made, "/a", "a.b", "C"), 0);
        return BusMessage(made);
    }
    /// What a receiver of these arguments has.
    template <typename... Args>
    BusMessage sent(const char* types, Args... args) const {
        BusMessage made = message();
        EXPECT_GE(::sd_bus_message_append(made.get(), types, args...), 0);
        EXPECT_GE(::sd_bus_message_seal(made.get(), 1, 0), 0);
        return made;
    }
    template <typename Value>
    BusMessage written(const Value& value) const {
        BusMessage made = message();
        BusWriter writer(made.get());
        write(writer, value);
        EXPECT_EQ(writer.error(), 0);
        EXPECT_GE(::sd_bus_message_seal(made.get(), 1, 0), 0);
        return made;
    }
    static DictReader dict(const BusMessage& message) {
        auto reader = DictReader::read(message.get());
        EXPECT_TRUE(reader);
        return *std::move(reader);
    }
    /// The error of a number read from a dictionary of one entry.
    template <typename... Args>
    std::string number_error(const char* type, Args... value) const {
        DictReader reader = dict(sent("a{sv}", 1, "n", type, value...));
        reader.number("n", 100);
        return reader.ok() ? "" : reader.error().message;
    }
    std::string specs_error(const BusMessage& message) const {
        const auto specs = read_pool_specs(message.get());
        EXPECT_TRUE(!specs && specs.error().code == Errc::invalid_argument);
        return specs ? "" : specs.error().message;
    }

    UniqueFd other_;
    BusHandle bus_;
};

TEST(ValidUtf8, GoodTextStays) {
    for (const char* text :
         {"", "abc", "gr\xc3\xbc\xc3\x9f", "\xe2\x82\xac", "\xf0\x9f\x98\x80", "\xef\xbf\xbd",
          "\xf4\x8f\xbf\xbd", "\xef\xb7\x8f", "\xef\xb7\xb0", "\xf0\xaf\xbf\xbd", "a\x01\n"}) {
        EXPECT_EQ(valid_utf8(text), text);
    }
}

TEST(ValidUtf8, BytesThatAreNoneAreReplaced) {
    const std::pair<std::string_view, const char*> rows[] = {{"a\xff", "a?"},
                                                             {"\x80", "?"},
                                                             {"\xc3", "?"},
                                                             {"\xc3(", "?("},
                                                             {"\xc0\xaf", "??"},
                                                             {"\xe0\x80\xaf", "???"},
                                                             {"\xed\xa0\x80", "???"},
                                                             {"\xf0\x80\x80\xaf", "????"},
                                                             {"\xf4\x90\x80\x80", "????"},
                                                             {"\xf5\x80\x80\x80", "????"},
                                                             {"\xe2\x82", "??"},
                                                             {"\xe2\x82\xc3\xbc", "??\xc3\xbc"},
                                                             {std::string_view("a\0b", 3), "a?b"}};
    for (const auto& [text, expected] : rows)
        EXPECT_EQ(valid_utf8(text), expected);
}

TEST_F(DbusCodecTest, WhateverAProcessIsCalledCanBeRead) {
    // Those after the first are well-formed: U+FFFE, U+FFFF, U+FDD0, U+10FFFF and U+1FFFE.
    for (const char* name : {"a\xff", "\xef\xbf\xbe", "\xef\xbf\xbf", "\xef\xb7\x90",
                             "\xf4\x8f\xbf\xbf", "\xf0\x9f\xbf\xbe"}) {
        Lease lease = test::lease_of("l1", "exclusive", "1");
        lease.owner.command = name;
        DictReader reader = dict(written(lease));
        EXPECT_EQ(reader.text("command").back(), '?');
        EXPECT_TRUE(reader.ok());
    }
}

TEST_F(DbusCodecTest, ALeaseIsWrittenWithEveryKey) {
    Lease lease = test::lease_of("l1", "exclusive", "1-2");
    lease.created = 1700000000;
    lease.owner.uid = UINT32_MAX;
    lease.owner.cgroup = "/a";
    lease.owner.container = true;
    DictReader reader = dict(written(lease));
    EXPECT_EQ(reader.text("id"), "l1");
    EXPECT_EQ(reader.text("pool"), "exclusive");
    EXPECT_EQ(reader.cpus("cpus").to_cpulist(), "1-2");
    EXPECT_EQ(reader.text("hold"), "cpuset");
    EXPECT_EQ(reader.text("grade"), "D");
    EXPECT_EQ(reader.text("status"), "intent");
    EXPECT_EQ(reader.number("created", UINT64_MAX), 1700000000U);
    EXPECT_EQ(reader.number("pid", UINT64_MAX), 1000U);
    EXPECT_EQ(reader.number("uid", UINT64_MAX), UINT32_MAX);
    EXPECT_EQ(reader.text("user"), "alice");
    EXPECT_EQ(reader.text("command"), "worker");
    EXPECT_EQ(reader.text("cgroup"), "/a");
    EXPECT_TRUE(reader.flag("container"));
    reader.allow_only({"id", "pool", "cpus", "hold", "place", "grade", "status", "created", "pid",
                       "uid", "user", "command", "cgroup", "container", "unit", "pod"});
    EXPECT_TRUE(reader.ok());
}

TEST_F(DbusCodecTest, PoolsAndReportsHaveTheirSignatures) {
    const auto is = [](const BusMessage& message, const char* signature) {
        return ::sd_bus_message_has_signature(message.get(), signature) > 0;
    };
    EXPECT_TRUE(is(written(std::vector<PoolReport>{}), "aa{sv}"));
    EXPECT_TRUE(is(written(std::vector<PoolReport>(2)), "aa{sv}"));
    const LeaseVerdict verdict{.lease = test::lease_of("l1", "a", "1"),
                               .checks = {{"x", true, ""}}};
    EXPECT_TRUE(is(written(verdict), "a{sv}"));
    EXPECT_TRUE(is(written(ReconfigureReport{.pools = {{}}}), "a{sv}"));
    EXPECT_TRUE(is(written(Grant{}), "a{sv}"));
    DictReader reader = dict(written(ReconcileReport{.leases = 3, .repaired = {"a", "b"}}));
    EXPECT_EQ(reader.number("leases", 10), 3U);
    EXPECT_EQ(reader.texts("repaired"), (std::vector<std::string>{"a", "b"}));
    EXPECT_TRUE(reader.texts("problems").empty());
    EXPECT_TRUE(reader.ok());
}

TEST_F(DbusCodecTest, NumbersOfEveryTypeAreRead) {
    for (const char* type : {"y", "n", "q", "i", "u"})
        EXPECT_EQ(number_error(type, 100), "") << type;
    for (const char* type : {"x", "t"})
        EXPECT_EQ(number_error(type, std::int64_t{100}), "") << type;
}

TEST_F(DbusCodecTest, NumbersOutOfRangeAreRefused) {
    const std::string why = "n: must be a whole number from 0 to 100, not ";
    EXPECT_EQ(number_error("u", 101), why + "101");
    EXPECT_EQ(number_error("t", UINT64_MAX), why + "18446744073709551615");
    EXPECT_EQ(number_error("i", -1), why + "a negative number");
    EXPECT_EQ(number_error("n", -1), why + "a negative number");
    EXPECT_EQ(number_error("x", INT64_MIN), why + "a negative number");
    EXPECT_EQ(number_error("d", 1.0), why + "a value of type d");
    EXPECT_EQ(number_error("s", "1"), "n: must be a whole number from 0 to 100");
}

TEST_F(DbusCodecTest, ValuesOfOtherTypesAreNamed) {
    DictReader reader = dict(sent("a{sv}", 4, "o", "o", "/a", "s", "(su)", "x", 5, "v", "v", "s",
                                  "inner", "n", "ay", 0));
    EXPECT_EQ(reader.text("o"), "");
    EXPECT_EQ(reader.error().message, "o: must be a string (s), not a value of type o");
    for (const auto& [key, type] : {std::pair("s", "(su)"), {"v", "v"}, {"n", "ay"}}) {
        DictReader each =
            dict(sent("a{sv}", 3, "s", "(su)", "x", 5, "v", "v", "s", "inner", "n", "ay", 0));
        each.flag(key);
        EXPECT_EQ(each.error().message,
                  std::string(key) + ": must be true or false (b), not a value of type " + type);
    }
}

TEST_F(DbusCodecTest, KeysAreReadStrictly) {
    DictReader reader = dict(sent("a{sv}", 2, "known", "s", "a", "un\nknown", "b", 1));
    reader.allow_only({"known"});
    ASSERT_FALSE(reader.ok());
    EXPECT_EQ(reader.error().code, Errc::invalid_argument);
    EXPECT_EQ(reader.error().message, "\"un\\x0aknown\": is not known");
    DictReader twice = dict(sent("a{sv}", 2, "a", "s", "1", "a", "s", "2"));
    EXPECT_EQ(twice.error().message, "a: is there twice");
    DictReader empty = dict(sent("a{sv}", 0));
    empty.texts("names");
    EXPECT_EQ(empty.error().message, "names: is missing");
}

TEST_F(DbusCodecTest, WhatIsNoDictionaryIsMalformed) {
    const auto reader = DictReader::read(sent("s", "a").get());
    ASSERT_FALSE(reader);
    EXPECT_EQ(reader.error().code, Errc::invalid_argument);
    EXPECT_EQ(reader.error().message, "the message is malformed");
    EXPECT_EQ(specs_error(sent("a{sv}", 0)), "the message is malformed");
}

TEST_F(DbusCodecTest, PoolSpecsAreRead) {
    const auto specs = read_pool_specs(
        sent("aa{sv}", 2,                                                                  //
             8, "name", "s", "e", "kind", "s", "exclusive", "cores", "u", 3, "mode", "s",  //
             "spread", "isolation", "s", "cpuset", "require_grade", "s", "C",              //
             "allow_users", "as", 2, "alice", "bob", "allow_containers", "b", 0,           //
             3, "name", "s", "r", "kind", "s", "shared", "rest", "b", 1)
            .get());
    ASSERT_TRUE(specs) << specs.error().message;
    const PoolSpec first{.name = "e",
                         .kind = PoolKind::exclusive,
                         .size = 3U,
                         .mode = PoolMode::spread,
                         .isolation = Isolation::cpuset,
                         .require_grade = Grade::C,
                         .access = {{"alice", "bob"}, {}, false}};
    EXPECT_EQ(*specs, (std::vector<PoolSpec>{first, {.name = "r"}}));
    EXPECT_TRUE(read_pool_specs(sent("aa{sv}", 0).get())->empty());
}

TEST_F(DbusCodecTest, BadPoolSpecsAreNamedByTheirPlace) {
    EXPECT_EQ(specs_error(sent("aa{sv}", 2, 3, "name", "s", "a", "kind", "s", "shared", "cores",
                               "i", 1, 3, "name", "s", "b", "kind", "s", "both", "cores", "i", 1)),
              "pools[1]: kind: \"both\" is not one of exclusive, shared");
    EXPECT_EQ(specs_error(sent("aa{sv}", 1, 2, "name", "s", "a", "kind", "s", "shared")),
              "pools[0]: cores: a pool has exactly one of cores, cpus and rest");
    EXPECT_EQ(specs_error(sent("aa{sv}", 1, 4, "name", "s", "a", "kind", "s", "shared", "cores",
                               "i", 1, "rest", "b", 1)),
              "pools[0]: cores: a pool has exactly one of cores, cpus and rest");
    EXPECT_EQ(specs_error(sent("aa{sv}", 1, 3, "name", "s", "a", "kind", "s", "shared", "cores",
                               "u", kMaxCpus + 1)),
              "pools[0]: cores: must be a whole number from 0 to 8192, not 8193");
    EXPECT_EQ(specs_error(sent("aa{sv}", 1, 2, "kind", "s", "shared", "cores", "u", 1)),
              "pools[0]: name: is missing");
    EXPECT_EQ(specs_error(sent("aa{sv}", 1, 1, "size", "u", 1)),
              "pools[0]: \"size\": is not known");
    EXPECT_EQ(specs_error(
                  sent("aa{sv}", 1, 3, "name", "s", "a", "kind", "s", "shared", "cpus", "s", "4-2"))
                  .find("pools[0]: cpus: "),
              0U);
}

}  // namespace
}  // namespace cmk
