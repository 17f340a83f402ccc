// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <fstream>
#include <map>
#include <regex>
#include <sstream>
#include <string>

namespace cmk::test {

/// The families of a page for Prometheus: name to type.
inline std::map<std::string, std::string> families_of(const std::string& page) {
    std::map<std::string, std::string> families;
    std::istringstream lines(page);
    for (std::string word, name, type; std::getline(lines, word);) {
        std::istringstream line(word);
        if (word.starts_with("# TYPE ") && line >> word >> word >> name >> type) {
            families[name] = type;
        }
    }
    return families;
}

/// What docs/monitoring.md lists below the heading `### <program>`: name to type.
inline std::map<std::string, std::string> documented_families(const std::string& source,
                                                              const std::string& program) {
    std::ifstream file(source + "/docs/monitoring.md");
    static const std::regex row(R"(^\| `(cmk_\w+)` \| (\w+) \|.*)");
    std::map<std::string, std::string> families;
    bool is_below = false;
    for (std::string line; std::getline(file, line);) {
        if (line.starts_with("#")) is_below = line == "### " + program;
        std::smatch cells;
        if (is_below && std::regex_match(line, cells, row)) families[cells[1]] = cells[2];
    }
    return families;
}

/// The value of a series as it is written, "" for none.
inline std::string value_in(const std::string& page, const std::string& series) {
    const std::size_t at = ("\n" + page).find("\n" + series + " ");
    if (at == std::string::npos) return "";
    const std::size_t begin = at + series.size() + 1;
    return page.substr(begin, page.find('\n', begin) - begin);
}

}  // namespace cmk::test
