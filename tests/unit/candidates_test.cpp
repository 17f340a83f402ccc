// SPDX-License-Identifier: Apache-2.0
#include "cli/candidates.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "base/text.h"
#include "cli/manual.h"
#include "cli/session.h"

namespace cmk {
namespace {

using WordList = std::vector<std::string>;

class Candidates : public ::testing::Test {
protected:
    Completion complete(WordList words) {
        asked_.clear();
        const LiveNames names{
            .pools =
                [this] {
                    asked_ += "pools ";
                    return std::vector<Candidate>{
                        {"exclusive", "4 cores"}, {"extra", "1 core"}, {"shared", "2 cores"}};
                },
            .leases =
                [this] {
                    asked_ += "leases ";
                    return std::vector<Candidate>{{"aa11", "make"}, {"bb22", "web"}};
                }};
        return complete_words(std::move(words), names);
    }

    WordList words_of(const WordList& words) {
        WordList found;
        for (const Candidate& each : complete(words).candidates)
            found.push_back(each.word);
        return found;
    }

    Completion::Rest rest_of(const WordList& words) { return complete(words).rest; }

    std::string asked_;
};

TEST_F(Candidates, Verbs) {
    EXPECT_EQ(words_of({"st"}), WordList{"status"});
    EXPECT_EQ(complete({"st"}).candidates.front().help, "show the machine, its pools and leases");
    EXPECT_EQ(words_of({}).size(), verbs().size() + 1);  // and "help"
    EXPECT_EQ(words_of({""}), words_of({}));
    EXPECT_EQ(words_of({"help", "rel"}), WordList{"release"});
    EXPECT_TRUE(words_of({"help", "release", ""}).empty());
    EXPECT_EQ(words_of({"-o", "json", "pool"}), WordList{"pools"});
    EXPECT_EQ(words_of({"--v"}), WordList{"--version"});
    EXPECT_TRUE(words_of({"odd", ""}).empty());
    EXPECT_TRUE(words_of({"compl"}).empty()) << "hidden verbs are not offered";
    EXPECT_EQ(asked_, "");
}

TEST_F(Candidates, EveryOptionOfEveryVerb) {
    for (const Verb& verb : verbs()) {
        const WordList offered = words_of({verb.name, "-"});
        for (const Option& option : syntax_of(verb.run).options) {
            for (const std::string_view name : split(option.names, ',')) {
                EXPECT_EQ(std::count(offered.begin(), offered.end(), name), 1)
                    << verb.name << " " << name;
            }
            for (const std::string& choice : option.choices) {
                EXPECT_EQ(words_of({verb.name, long_name(option), choice}), WordList{choice});
            }
        }
    }
}

TEST_F(Candidates, NamesThatTheAgentKnows) {
    EXPECT_EQ(words_of({"isolate", "--pool", "ex"}), (WordList{"exclusive", "extra"}));
    EXPECT_EQ(asked_, "pools ");
    EXPECT_EQ(words_of({"explain", "--cores", "2", "--pool", ""}).size(), 3U);
    EXPECT_EQ(words_of({"release", "aa11", ""}), (WordList{"aa11", "bb22"}));
    EXPECT_EQ(asked_, "leases ");
    EXPECT_EQ(words_of({"verify", "b"}), WordList{"bb22"});
    EXPECT_EQ(words_of({"release", "--", "b"}), WordList{"bb22"});
    EXPECT_EQ(words_of({"release", "--a"}), WordList{"--all"});
    EXPECT_EQ(asked_, "");
}

TEST_F(Candidates, ValuesAfterAnEqualsSign) {
    EXPECT_EQ(words_of({"isolate", "--pool=exc"}), WordList{"--pool=exclusive"});
    EXPECT_EQ(words_of({"isolate", "--pool", "=", "exc"}), WordList{"exclusive"});
    EXPECT_EQ(words_of({"topology", "--format", "="}), (WordList{"text", "svg", "html"}));
    EXPECT_EQ(words_of({"-o", "=", "js"}), WordList{"json"});
    EXPECT_EQ(words_of({"--output=y"}), WordList{"--output=yaml"});
    EXPECT_TRUE(words_of({"isolate", "--odd=exc"}).empty());
}

TEST_F(Candidates, WhatTheShellLooksForItself) {
    EXPECT_EQ(rest_of({"simulate", "--topology", ""}), Completion::Rest::files);
    EXPECT_EQ(rest_of({"status", "--socket", "/run"}), Completion::Rest::files);
    EXPECT_EQ(rest_of({"bundle", ""}), Completion::Rest::files);
    EXPECT_EQ(rest_of({"isolate", "--pool", "x", "gr"}), Completion::Rest::programs);
    EXPECT_EQ(rest_of({"isolate", "--", ""}), Completion::Rest::programs);
    EXPECT_EQ(rest_of({"isolate", "grep", "--po"}), Completion::Rest::files);
    EXPECT_TRUE(words_of({"isolate", "grep", "--po"}).empty());
    EXPECT_EQ(rest_of({"isolate", "--cores", ""}), Completion::Rest::none);
}

TEST(Manual, TellsAllThatTheHelpTells) {
    for (const Verb& verb : verbs()) {
        const Syntax syntax = syntax_of(verb.run);
        const std::string page = verb_manual(verb, syntax);
        EXPECT_EQ(syntax.verb, verb.name);
        for (const Option& option : syntax.options) {
            std::string name = long_name(option);
            for (std::size_t at = name.find('-'); at != std::string::npos;
                 at = name.find('-', at + 2))
                name.insert(at, "\\");
            EXPECT_NE(page.find(name), std::string::npos) << verb.name << " " << name;
        }
        EXPECT_NE(page.find(".SH EXAMPLES"), std::string::npos) << verb.name;
        EXPECT_NE(main_manual().find(std::string(".B ") + verb.name + "\n"), std::string::npos);
    }
}

}  // namespace
}  // namespace cmk
