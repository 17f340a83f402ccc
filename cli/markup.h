// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace cmk {

/// `text` safe in XML's text and quoted attributes: markup characters become references, and what
/// printable() hides is hidden, line ends excepted.
std::string escape_xml(std::string_view text);

using Attributes = std::vector<std::pair<std::string_view, std::string>>;

/// Writes XML. Names are constants of the caller's; all text and all values are escaped.
class Markup {
public:
    /// Opens an element, which end() closes.
    void begin(std::string_view name, const Attributes& attributes = {});
    void end();
    /// An element without content.
    void add(std::string_view name, const Attributes& attributes);
    /// An element with text alone.
    void add(std::string_view name, const Attributes& attributes, std::string_view text);
    /// Markup that is already written.
    void raw(std::string_view markup) { out_ += markup; }

    std::string text() && { return std::move(out_); }

private:
    void open(std::string_view name, const Attributes& attributes);

    std::string out_;
    std::vector<std::string> open_;
};

}  // namespace cmk
