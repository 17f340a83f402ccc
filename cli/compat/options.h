// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>

#include "base/result.h"

namespace cmk::compat {

/// In the order of the help text.
enum class Subcommand : unsigned {
    cluster_init,
    init,
    discover,
    describe,
    reconcile,
    isolate,
    install,
    node_report,
    uninstall,
    webhook,
    reconfigure,
    reconfigure_setup,
    reaffinitize,
};

struct SubcommandRow {
    Subcommand id;
    const char* name;
    const char* help;
};

/// Every subcommand, in the order of the enumeration.
std::span<const SubcommandRow> subcommands();

/// The values of all options, as they were written or else the defaults. Numbers stay text until
/// somebody needs them: a subcommand must not fail over one that it does not read.
struct Options {
    std::optional<std::string> host_list = {};
    bool all_hosts = false;
    std::string cmk_cmd_list = {};
    std::string cmk_img = {};
    std::string cmk_img_pol = {};
    std::string conf_dir = {};
    bool conf_dir_named = false;  ///< conf_dir is from the command line
    std::optional<std::string> conf_file = {};
    std::string install_dir = {};
    std::string interval = {};
    std::string num_exclusive_cores = {};
    std::string num_shared_cores = {};
    std::optional<std::string> pool = {};
    std::string shared_mode = {};
    std::string exclusive_mode = {};
    bool publish = false;
    std::optional<std::string> pull_secret = {};
    std::string saname = {};
    std::string socket_id = {};
    bool no_affinity = false;
    std::string name_space = {};
    std::string excl_non_isolcpus = {};
    std::optional<std::string> node_name = {};
    std::string cafile = {};
    std::string insecure = {};
    bool no_taint = false;
    bool no_webhook = false;
    bool further_checks = false;  ///< of node-report; not the original's

    /// All options at their defaults.
    static Options defaults();

    /// The counts; a negative one is an error. Errors of these functions: invalid_argument, naming
    /// the option.
    Result<unsigned> exclusive_cores() const;
    Result<unsigned> shared_cores() const;
    /// Seconds between two runs; 0 and less mean to run once.
    Result<long> interval_seconds() const;
    /// The socket asked for; nothing for any ("-1" or "").
    Result<std::optional<unsigned>> socket() const;
    /// "True" or "False", in any case.
    Result<bool> is_insecure() const;
};

using OptionMember =
    std::variant<bool Options::*, std::string Options::*, std::optional<std::string> Options::*>;

struct OptionRow {
    std::string_view name;    ///< "--conf-dir"
    std::string_view value;   ///< what the help calls its value, "dir"; "" for a flag
    std::string_view preset;  ///< the default; "" for none
    std::string_view help;    ///< lines of the help text
    OptionMember member;
    std::uint32_t takers;  ///< the subcommands that take it, a bit each

    bool takes_value() const { return !value.empty(); }
    bool is_for(Subcommand subcommand) const {
        return (takers >> static_cast<unsigned>(subcommand) & 1U) != 0;
    }
};

/// Every option but --help and --version, in the order of the help text.
std::span<const OptionRow> option_rows();

/// A whole number as the original takes it: blanks around it and a sign are allowed. `option` is
/// named in the error (invalid_argument).
Result<long> to_integer(std::string_view option, std::string_view text);

}  // namespace cmk::compat
