// SPDX-License-Identifier: Apache-2.0
#include "ipc/errors.h"

#include <gtest/gtest.h>

#include <map>
#include <set>
#include <string>

namespace cmk {
namespace {

/// Every code with the exit code that README.md promises.
const std::map<Errc, int>& exit_codes() {
    static const std::map<Errc, int> kCodes{
        {Errc::invalid_argument, 2}, {Errc::unknown_pool, 6},  {Errc::not_enough_cpus, 3},
        {Errc::unknown_lease, 6},    {Errc::not_permitted, 4}, {Errc::conflict, 1},
        {Errc::timed_out, 3},        {Errc::too_many, 1},      {Errc::unavailable, 5},
        {Errc::restarting, 5},       {Errc::corrupt_state, 1}, {Errc::io, 1},
        {Errc::internal, 1}};
    return kCodes;
}

TEST(Errors, EachCodeHasARowOfItsOwn) {
    std::set<std::string> names;
    std::set<std::string> texts;
    for (int number = 0; number <= static_cast<int>(Errc::internal); ++number) {
        const auto code = static_cast<Errc>(number);
        const ErrorName& row = name_of(code);
        EXPECT_EQ(row.code, code);
        EXPECT_TRUE(names.insert(row.bus).second) << row.bus;
        EXPECT_TRUE(names.insert(row.varlink).second) << row.varlink;
        EXPECT_TRUE(texts.insert(row.text).second) << row.text;
        ASSERT_EQ(exit_codes().count(code), 1U) << row.varlink;
        EXPECT_EQ(row.exit, exit_codes().at(code)) << row.varlink;
    }
}

TEST(Errors, NamesLeadBackToTheirCode) {
    for (const auto& [code, exit] : exit_codes()) {
        EXPECT_EQ(errc_from_bus(name_of(code).bus), code);
        EXPECT_EQ(errc_from_varlink(name_of(code).varlink), code);
        EXPECT_FALSE(errc_from_bus(name_of(code).varlink));
        EXPECT_FALSE(errc_from_varlink(name_of(code).bus));
    }
}

TEST(Errors, OtherNamesHaveNoCode) {
    for (const char* name : {"", "org.cmk.Agent.", "org.cmk.Agent.unknownpool",
                             "org.varlink.service.MethodNotFound", "UnknownPool"}) {
        EXPECT_FALSE(errc_from_varlink(name)) << name;
        EXPECT_FALSE(errc_from_bus(name)) << name;
    }
}

TEST(Errors, BothNamesOfARowAgree) {
    for (const auto& [code, exit] : exit_codes()) {
        const std::string bus = name_of(code).bus;
        const std::string varlink = name_of(code).varlink;
        EXPECT_EQ(bus.substr(bus.rfind('.')), varlink.substr(varlink.rfind('.')));
        EXPECT_EQ(bus.find("org.cmk.Agent1.Error."), 0U);
    }
}

}  // namespace
}  // namespace cmk
