// SPDX-License-Identifier: Apache-2.0
#include "k8s/yaml.h"

#include <yaml-cpp/yaml.h>

#include <nlohmann/json.hpp>

namespace cmk::k8s {

namespace {

constexpr unsigned kMaxDepth = 64;
constexpr unsigned kMaxValues = 100'000;

class Converter {
public:
    Result<nlohmann::json> convert(const YAML::Node& node, unsigned depth) {
        if (depth > kMaxDepth || ++values_ > kMaxValues) {
            return refuse(node, "it is nested too deeply or has too many values");
        }
        switch (node.Type()) {
            case YAML::NodeType::Scalar: return scalar(node);
            case YAML::NodeType::Sequence: return sequence(node, depth);
            case YAML::NodeType::Map: return map(node, depth);
            default: return nlohmann::json();
        }
    }

private:
    static Error refuse(const YAML::Node& node, const std::string& why) {
        const YAML::Mark mark = node.Mark();
        return make_error(Errc::invalid_argument, "line " + std::to_string(mark.line + 1) +
                                                      ", column " +
                                                      std::to_string(mark.column + 1) + ": " + why);
    }

    /// A quoted or tagged scalar is a string; yaml-cpp gives quoted ones the tag "!".
    static nlohmann::json scalar(const YAML::Node& node) {
        const std::string& text = node.Scalar();
        if (!node.Tag().empty() && node.Tag() != "?") return text;
        if (text.empty() || text == "~" || text == "null" || text == "Null" || text == "NULL") {
            return nullptr;
        }
        if (text == "true" || text == "True" || text == "TRUE") return true;
        if (text == "false" || text == "False" || text == "FALSE") return false;
        if (const auto number = as_number(text); !number.is_null()) return number;
        return text;
    }

    /// JSON's own numbers, and no other of YAML's many forms: those stay text.
    static nlohmann::json as_number(const std::string& text) {
        const std::size_t digit = text[0] == '-' ? 1 : 0;
        if (digit >= text.size() || text[digit] < '0' || text[digit] > '9') return nullptr;
        auto number = nlohmann::json::parse(text, nullptr, false);
        return number.is_number() ? number : nlohmann::json();
    }

    Result<nlohmann::json> sequence(const YAML::Node& node, unsigned depth) {
        auto list = nlohmann::json::array();
        for (const YAML::Node& item : node) {
            CMK_TRY_ASSIGN(auto value, convert(item, depth + 1));
            list.push_back(std::move(value));
        }
        return list;
    }

    Result<nlohmann::json> map(const YAML::Node& node, unsigned depth) {
        auto object = nlohmann::json::object();
        for (const auto& entry : node) {
            if (!entry.first.IsScalar()) return refuse(entry.first, "a key must be plain text");
            CMK_TRY_ASSIGN(auto value, convert(entry.second, depth + 1));
            object[entry.first.Scalar()] = std::move(value);
        }
        return object;
    }

    unsigned values_ = 0;
};

}  // namespace

Result<nlohmann::json> parse_yaml(const std::string& text) {
    try {
        return Converter().convert(YAML::Load(text), 0);
    } catch (const YAML::Exception& error) {
        return make_error(Errc::invalid_argument,
                          "line " + std::to_string(error.mark.line + 1) + ", column " +
                              std::to_string(error.mark.column + 1) + ": " + error.msg);
    }
}

}  // namespace cmk::k8s
