// SPDX-License-Identifier: Apache-2.0
#include "cli/compat/arguments.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "base/text.h"
#include "cli/compat/usage.h"

namespace cmk::compat {

namespace {

constexpr std::string_view kHelp = "--help";
constexpr std::string_view kVersion = "--version";

struct GivenOption {
    const OptionRow* row = nullptr;
    std::string value = {};  ///< of an option that takes one
};

/// The command line in pieces, before any of them is held against a form.
struct Pieces {
    bool wants_help = false;
    bool wants_version = false;
    std::vector<GivenOption> options = {};
    std::vector<std::string> unknown = {};
    std::vector<std::string> words = {};        ///< with the first "--", if any
    std::optional<std::size_t> separator = {};  ///< where that stands among the words
};

Error wrong(std::string reason) {
    return make_error(Errc::invalid_argument, std::move(reason));
}

/// A long option's name, cut at "=".
std::string_view name_of(const std::string& word) {
    return std::string_view(word).substr(0, word.find('='));
}

/// Every option that `name` may stand for: the one that it spells out, else all it begins.
std::vector<std::string_view> candidates_for(std::string_view name) {
    std::vector<std::string_view> names{kHelp, kVersion};
    for (const OptionRow& row : option_rows())
        names.push_back(row.name);
    if (std::find(names.begin(), names.end(), name) != names.end()) return {name};
    std::erase_if(names, [&](std::string_view each) { return !each.starts_with(name); });
    return names;
}

Error ambiguous(std::string_view name, const std::vector<std::string_view>& candidates) {
    const std::vector<std::string> names(candidates.begin(), candidates.end());
    return wrong(std::string(name) + " is not a unique prefix: " + join(names, ", ") + "?");
}

const OptionRow* row_of(std::string_view name) {
    const auto rows = option_rows();
    const auto row = std::find_if(rows.begin(), rows.end(),
                                  [&](const OptionRow& each) { return each.name == name; });
    return row == rows.end() ? nullptr : &*row;
}

/// Sorts the words, one after the other.
class Reader {
public:
    explicit Reader(const std::vector<std::string>& arguments) : arguments_(arguments) {}

    Result<Pieces> read() {
        while (at_ < arguments_.size()) {
            const std::string& word = arguments_[at_++];
            if (word == "--") {
                read_rest();
            } else if (word.starts_with("--")) {
                CMK_TRY(read_long(word));
            } else if (word.size() > 1 && word[0] == '-') {
                read_short(word);
            } else {
                pieces_.words.push_back(word);
            }
        }
        return std::move(pieces_);
    }

private:
    void read_rest() {
        pieces_.separator = pieces_.words.size();
        const auto separator = arguments_.begin() + static_cast<std::ptrdiff_t>(at_ - 1);
        pieces_.words.insert(pieces_.words.end(), separator, arguments_.end());
        at_ = arguments_.size();
    }

    void read_short(const std::string& word) {
        if (word.find('h', 1) != std::string::npos) pieces_.wants_help = true;
        if (word != "-h") pieces_.unknown.push_back(word);
    }

    Status read_long(const std::string& word) {
        const std::string_view name = name_of(word);
        const bool has_value = name.size() < word.size();
        const auto candidates = candidates_for(name);
        if (candidates.size() > 1) return ambiguous(name, candidates);
        if (candidates.empty()) {
            pieces_.unknown.push_back(word);
            return {};
        }
        const OptionRow* row = row_of(candidates.front());
        if (has_value && (row == nullptr || !row->takes_value())) {
            return wrong(std::string(candidates.front()) + " must not have an argument");
        }
        if (row == nullptr) {
            (candidates.front() == kHelp ? pieces_.wants_help : pieces_.wants_version) = true;
            return {};
        }
        return store(*row, has_value ? std::optional(word.substr(name.size() + 1)) : std::nullopt);
    }

    Status store(const OptionRow& row, std::optional<std::string> value) {
        if (row.takes_value() && !value) {
            if (at_ == arguments_.size() || arguments_[at_] == "--") {
                return wrong(std::string(row.name) + " requires argument");
            }
            value = arguments_[at_++];
        }
        pieces_.options.push_back({&row, value.value_or("")});
        return {};
    }

    const std::vector<std::string>& arguments_;
    std::size_t at_ = 0;
    Pieces pieces_ = {};
};

Result<const SubcommandRow*> subcommand_of(const Pieces& pieces) {
    if (pieces.words.empty()) return wrong("no subcommand given");
    for (const SubcommandRow& row : subcommands()) {
        if (row.name == pieces.words.front() && pieces.separator != 0U) return &row;
    }
    return wrong(quote(pieces.words.front()) + " is no subcommand");
}

Status take_options(const Pieces& pieces, const SubcommandRow& subcommand, Options& options) {
    std::vector<const OptionRow*> seen;
    for (const auto& [row, value] : pieces.options) {
        const std::string name(row->name);
        if (!row->is_for(subcommand.id)) return wrong(subcommand.name + (" takes no " + name));
        if (std::find(seen.begin(), seen.end(), row) != seen.end()) {
            return wrong(name + " is given twice");
        }
        seen.push_back(row);
        if (name == "--conf-dir") options.conf_dir_named = true;
        if (const auto* flag = std::get_if<bool Options::*>(&row->member)) {
            options.*(*flag) = true;
        } else if (const auto* text = std::get_if<std::string Options::*>(&row->member)) {
            options.*(*text) = value;
        } else {
            options.*std::get<std::optional<std::string> Options::*>(row->member) = value;
        }
    }
    return {};
}

Status check_required(Subcommand subcommand, const Options& options) {
    if (subcommand == Subcommand::isolate && !options.pool) return wrong("--pool is missing");
    if (subcommand == Subcommand::cluster_init &&
        options.host_list.has_value() == options.all_hosts) {
        return wrong("give either --host-list or --all-hosts");
    }
    return {};
}

Status take_words(Pieces pieces, const SubcommandRow& subcommand, Invocation& invocation) {
    std::vector<std::string>& words = pieces.words;
    if (subcommand.id != Subcommand::isolate) {
        if (words.size() == 1) return {};
        return wrong("unexpected argument " + quote(words[1]));
    }
    if (pieces.separator && *pieces.separator <= 2) {
        words.erase(words.begin() + static_cast<std::ptrdiff_t>(*pieces.separator));
    }
    if (words.size() == 1) return wrong("isolate needs a command");
    invocation.command = std::move(words[1]);
    invocation.args.assign(std::make_move_iterator(words.begin() + 2),
                           std::make_move_iterator(words.end()));
    return {};
}

std::vector<std::string> spelt_out(const Pieces& pieces, const SubcommandRow& subcommand) {
    std::vector<std::string> words{subcommand.name};
    for (const auto& [row, value] : pieces.options)
        words.push_back(std::string(row->name) + (row->takes_value() ? "=" + value : ""));
    return words;
}

}  // namespace

Result<Invocation> parse_invocation(const std::vector<std::string>& arguments) {
    CMK_TRY_ASSIGN(Pieces pieces, Reader(arguments).read());
    Invocation invocation{.options = Options::defaults()};
    if (pieces.wants_help || pieces.wants_version) {
        invocation.action = pieces.wants_help ? Action::help : Action::version;
        return invocation;
    }
    if (!pieces.unknown.empty()) return wrong("unknown option " + quote(pieces.unknown.front()));
    CMK_TRY_ASSIGN(const SubcommandRow* subcommand, subcommand_of(pieces));
    invocation.subcommand = subcommand->id;
    CMK_TRY(take_options(pieces, *subcommand, invocation.options));
    CMK_TRY(check_required(subcommand->id, invocation.options));
    invocation.spelt = spelt_out(pieces, *subcommand);
    CMK_TRY(take_words(std::move(pieces), *subcommand, invocation));
    return invocation;
}

std::string usage_error_text(const Error& error) {
    return error.message + "\n" + usage_block();
}

}  // namespace cmk::compat
