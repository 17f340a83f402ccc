// SPDX-License-Identifier: Apache-2.0
// Configuration: what parses is dumped as a text that parses to the same.
#include "agent/config.h"
#include "base/text.h"
#include "fuzz/must.h"

namespace {

using namespace cmk;
using cmk::test::must;

constexpr char kName[] = "fuzz.toml";
/// Separates files; TOML has no use for this byte.
constexpr char kNextFile = '\x01';

void check_dump(const Config& config) {
    const std::string dump = dump_config(config);
    const auto again = parse_config({{kName, dump}});
    must(again.has_value(), "a dumped configuration parses");
    must(*again == config, "a dumped configuration parses to the same");
    must(dump_config(*again) == dump, "it is dumped the same again");
    const auto pools = parse_config({{kName, dump_dropin(config.pools, config.compat_dir)}});
    must(pools && pools->pools == config.pools, "dumped pools parse to the same");
    const auto over = parse_config({{kName, dump}, {kName, dump}});
    must(over && *over == config, "a file over its like changes nothing");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    std::vector<ConfigText> texts;
    for (const std::string_view text : split(cmk::test::text_of(data, size), kNextFile))
        texts.push_back({kName, std::string(text)});
    const auto config = parse_config(texts);
    if (config) {
        check_dump(*config);
        must(config->pools.size() > 1 || check_specs(config->pools), "a lone pool is sound");
    } else {
        must(config.error().code == Errc::invalid_argument, "a bad file is an invalid argument");
        must(config.error().message.starts_with(kName), "an error names the file");
    }
    return 0;
}
