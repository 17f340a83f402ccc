// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <fstream>
#include <initializer_list>
#include <map>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "confdir/directory.h"

namespace cmk::test {

/// pool -> socket -> names of lists
using PoolTree = std::map<std::string, std::map<std::string, std::set<std::string>>>;

/// A temporary directory with room for a configuration directory in it.
class ConfdirTest : public ::testing::Test {
protected:
    ConfdirTest() {
        std::string name = (std::filesystem::temp_directory_path() / "cmk-test-XXXXXX").string();
        EXPECT_NE(::mkdtemp(name.data()), nullptr);
        parent_ = name;
    }
    ~ConfdirTest() override {
        std::error_code ignored;
        std::filesystem::remove_all(parent_, ignored);
    }

    std::string path() const { return parent_ + "/cmk"; }
    ConfDir directory() const { return ConfDir(path()); }

    void put(const std::string& name, const std::string& text) const {
        const std::filesystem::path file = std::filesystem::path(path()) / name;
        std::filesystem::create_directories(file.parent_path());
        std::ofstream(file) << text;
    }
    std::string get(const std::string& name) const {
        std::ostringstream text;
        text << std::ifstream(path() + "/" + name).rdbuf();
        return text.str();
    }
    bool exists(const std::string& name) const {
        return std::filesystem::exists(path() + "/" + name);
    }
    /// `lists` are "list" or "list:pid,pid", all on socket 0.
    void put_pool(const std::string& pool, bool exclusive,
                  std::initializer_list<std::string> lists) const {
        put("lock", "");
        put("pools/" + pool + "/exclusive", exclusive ? "1" : "0");
        std::filesystem::create_directories(path() + "/pools/" + pool + "/0");
        for (const std::string& list : lists) {
            const std::size_t colon = list.find(':');
            put("pools/" + pool + "/0/" + list.substr(0, colon) + "/tasks",
                colon == std::string::npos ? "" : list.substr(colon + 1));
        }
    }
    /// Four exclusive lists, one shared, one infra, all in use.
    void put_reference_pools() const {
        put_pool("exclusive", true, {"4,12:2000", "5,13:2001", "6,14:2002", "7,15:2003"});
        put_pool("infra", false, {"0-2,8-10:3000,3001,3002"});
        put_pool("shared", false, {"3,11:1000,1001,1002,1003"});
    }
    /// One exclusive and one shared list of the same CPU.
    void put_minimal_pools() const {
        put_pool("exclusive", true, {"0"});
        put_pool("shared", false, {"0"});
    }
    /// A procfs with processes of these ids, started at `start`.
    std::string put_procfs(std::initializer_list<int> pids, unsigned start = 5) const {
        for (const int pid : pids)
            put_process(pid, start);
        return parent_ + "/proc";
    }
    void put_process(int pid, unsigned start) const {
        const std::string dir = parent_ + "/proc/" + std::to_string(pid);
        std::filesystem::create_directories(dir);
        std::ofstream(dir + "/stat") << pid << " (fake (one) x) R 1 1 1 0 -1 4194304 0 0 0 0 0 0 0 "
                                     << "0 20 0 1 0 " << start << " 1000 100\n";
    }
    /// Everything below the directory, files with what is in them.
    std::map<std::string, std::string> snapshot() const {
        std::map<std::string, std::string> found;
        if (!std::filesystem::exists(parent_)) return found;
        for (const auto& entry : std::filesystem::recursive_directory_iterator(parent_)) {
            const std::string name = entry.path().string().substr(parent_.size() + 1);
            if (entry.is_regular_file()) {
                std::ostringstream text;
                text << std::ifstream(entry.path()).rdbuf();
                found[name] = "file:" + text.str();
            } else {
                found[name] = "directory";
            }
        }
        return found;
    }
    PoolTree tree() const {
        PoolTree pools;
        for (const auto& pool : std::filesystem::directory_iterator(path() + "/pools")) {
            auto& sockets = pools[pool.path().filename().string()];
            for (const auto& socket : std::filesystem::directory_iterator(pool.path())) {
                if (!socket.is_directory()) continue;
                auto& lists = sockets[socket.path().filename().string()];
                for (const auto& list : std::filesystem::directory_iterator(socket.path()))
                    lists.insert(list.path().filename().string());
            }
        }
        return pools;
    }
    DirectoryContent content() const {
        auto read = directory().read();
        EXPECT_TRUE(read) << read.error().message;
        return read ? *std::move(read) : DirectoryContent{};
    }
    std::vector<int> pids_of(const std::string& pool, const std::string& list) const {
        std::vector<int> pids;
        const DirectoryContent now = content();
        for (const CpuList* each : now.lists()) {
            if (each->pool != pool || each->name != list) continue;
            for (const Task& task : each->tasks)
                pids.push_back(task.pid);
        }
        return pids;
    }

    std::string parent_;
};

}  // namespace cmk::test
