#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes manual pages from what they describe, so that both say the same:

    docs/man/make_page.py agent TEMPLATE CMK_AGENT VERSION   cmk-agent(8), options from its --help
    docs/man/make_page.py cluster TEMPLATE CMK_K8S VERSION   cmk-k8s(1), the same of its subcommands
    docs/man/make_page.py config AGENT_TOML VERSION          agent.toml(5), from its comments
    docs/man/make_page.py bus AGENT1_XML VERSION             org.cmk.Agent1(5), from its comments

The page goes to standard output.
"""

import re
import subprocess
import sys
import textwrap
import xml.dom.minidom

SPDX = '.\\" SPDX-License-Identifier: Apache-2.0\n'
CHARACTERS = {"\\": r"\e", "-": r"\-", "~": r"\(ti", "^": r"\(ha", "'": r"\(aq", "`": r"\(ga",
              '"': r"\(dq"}


def roff(text):
    """Text as roff takes it literally; not at the start of a line."""
    return "".join(CHARACTERS.get(c, c) for c in text)


def lines(text):
    """Text whose lines may begin with anything."""
    return "".join(("\\&" if line[:1] in (".", "'") else "") + roff(line) + "\n"
                   for line in text.strip().splitlines())


def item(heading, text):
    return f".TP\n.B {roff(heading)}\n{lines(text)}"


def head(name, section, about, version, group):
    return (f'{SPDX}.TH {roff(name.upper())} {section} "" "CMK {version}" "{group}"\n'
            f".SH NAME\n{roff(name)} \\- {roff(about)}\n")


# ---- cmk-agent(8), cmk-k8s(1) ----------------------------------------------------------------


def help_of(program, *words):
    return subprocess.run([program, *words, "--help"], check=True, capture_output=True,
                          text=True).stdout


def options_of(text):
    """The options of CLI11's help, as (heading, text)."""
    found = []
    for line in text.partition("Options:\n")[2].partition("\n\n")[0].splitlines():
        # Also "--socket PATH (Env:CMK_SOCKET)" and "--wait SECONDS:INT in [0 - 60]=30".
        option = re.fullmatch(
            r"  (-\S*(?: [^\s:=]+)?)(?::\S+)?(?: in \[[^]]*\])?(=\S+)?(?: \(.*\))?(?: {2,}(.*))?",
            line)
        if option:
            found.append([option[1].replace(",", ", ") + (option[2] or ""), option[3] or ""])
        elif found:
            found[-1][1] = (found[-1][1] + " " + line.strip()).strip()
    if not found:
        sys.exit("make_page.py: the help has no options")
    return found


def option_items(said):
    options = ""
    for heading, text in options_of(said):
        name, _, default = heading.partition("=")
        options += item(name, text + (f" (default: {default})" if default else ""))
    return options


def agent_page(template, program, version):
    page = open(template, encoding="utf-8").read()
    return page.replace("@VERSION@", version).replace("@OPTIONS@\n",
                                                      option_items(help_of(program)))


def cluster_page(template, program, version):
    listed = help_of(program).partition("Subcommands:\n")[2].partition("\n\n")[0]
    names = re.findall(r"^  (\S+)", listed, flags=re.MULTILINE)
    if not names:
        sys.exit("make_page.py: the help has no subcommands")
    sections = ""
    for name in names:
        said = help_of(program, name)
        sections += f'.SH "{roff(name.upper())}"\n{lines(said.partition(chr(10))[0])}'
        sections += option_items(said)
    page = open(template, encoding="utf-8").read()
    return page.replace("@VERSION@", version).replace("@SUBCOMMANDS@\n", sections)


# ---- agent.toml(5) ---------------------------------------------------------------------------


def sections_of(path):
    """(name, comment, [(["key = default", ...], comment), ...]) of each section."""
    sections, comment = [], []
    for line in open(path, encoding="utf-8").read().splitlines():
        section = re.fullmatch(r"#\[(.+)\]", line)
        key = re.fullmatch(r"#(\w+ = .*)", line)
        if section:
            sections.append((section[1], "\n".join(comment), []))
        elif key and (comment or not sections[-1][2]):
            sections[-1][2].append(([key[1]], "\n".join(comment)))
        elif key:
            sections[-1][2][-1][0].append(key[1])  # the comment above is about this one, too
        comment = comment + [line[2:]] if line.startswith("# ") else []
    if not sections:
        sys.exit(f"make_page.py: {path} has no sections")
    return sections


def section_text(name, comment, entries):
    text = f'.SH "[{roff(name)}]"\n' + lines(comment)
    for keys, meaning in entries:
        text += "".join(f"{macro}\n.B {roff(key)}\n"
                        for macro, key in zip([".TP"] + [".TQ"] * len(keys), keys))
        text += lines(meaning)
    return text


def config_page(path, version):
    page = head("agent.toml", 5, "configuration of cmk-agent", version, "File Formats")
    page += """.SH SYNOPSIS
.nf
/usr/lib/cmk/agent.toml
/etc/cmk\\-agent/agent.toml
/etc/cmk\\-agent/agent.toml.d/*.toml
.fi
.SH DESCRIPTION
TOML. The first file is CMK's own and has every key with its default; the others are the
administrator's and are read after it, those of the directory in the order of their names.
.B systemctl reload cmk\\-agent
makes changes take effect,
.B cmk\\-agent \\-\\-check\\-config
finds mistakes in them, and
.B cmk\\-agent \\-\\-dump\\-config
shows what is in force.
"""
    return page + "".join(section_text(*each) for each in sections_of(path)) + (
        ".SH SEE ALSO\n.BR cmk\\-agent (8),\n.BR cmkctl (1),\n.BR cmkctl\\-init (1)\n")


# ---- org.cmk.Agent1(5) -----------------------------------------------------------------------


def paragraphs(text):
    parts = [lines(textwrap.dedent(part)) for part in re.split(r"\n\s*\n", text) if part.strip()]
    return ".PP\n".join(parts)


def signature(node):
    kind, name = node.tagName, node.getAttribute("name")
    if kind == "property":
        return f"Property {name} ({node.getAttribute('type')})"
    arguments = []
    for child in node.getElementsByTagName("arg"):
        words = [child.getAttribute("direction"), child.getAttribute("type"),
                 child.getAttribute("name")]
        arguments.append(" ".join(word for word in words if word))
    return f"{kind.capitalize()} {name}({', '.join(arguments)})"


def member(node, comment):
    """A comment is "Name:", a line "@argument: text" for each, and what there is to say."""
    text = textwrap.dedent("\n".join(comment.split("\n"))).strip()
    name, _, rest = text.partition(":")
    if name != node.getAttribute("name"):
        sys.exit(f"make_page.py: the comment of {node.getAttribute('name')} is about {name}")
    page = f'.SS "{roff(signature(node))}"\n'
    about, entries = [], []
    for part in re.split(r"\n\s*\n", rest):
        found = re.split(r"^\s*@(\w+):", part, flags=re.MULTILINE)
        if found[0].strip():
            about.append(lines(textwrap.dedent(found[0].strip("\n"))))
        entries += zip(found[1::2], found[2::2])
    page += ".PP\n".join(about)
    for argument, meaning in entries:
        meaning = "\n".join(line.strip() for line in meaning.strip().splitlines())
        page += item(argument, meaning)
    return page


def introduction(comment):
    """What stands above all, its table of errors as a list."""
    text = "\n".join(line.strip() for line in comment.strip().splitlines())
    prose = re.sub(r"^org\.cmk\.Agent1\.Error\.\w+ .*$\n?", "", text, flags=re.MULTILINE)
    errors = re.findall(r"^(org\.cmk\.Agent1\.Error\.\w+) +(.*)$", text, flags=re.MULTILINE)
    page = paragraphs(prose)
    return page + "".join(item(name, meaning) for name, meaning in errors)


def bus_page(path, version):
    document = xml.dom.minidom.parse(path)
    page = head("org.cmk.Agent1", 5, "D-Bus interface of cmk-agent", version, "File Formats")
    page += ".SH SYNOPSIS\n.nf\nbusctl introspect org.cmk.Agent1 /org/cmk/Agent1\n.fi\n"
    page += ".SH DESCRIPTION\n"
    comments = [node.data for node in document.childNodes
                if node.nodeType == node.COMMENT_NODE and "SPDX" not in node.data]
    page += introduction("\n\n".join(comments))
    for interface in document.getElementsByTagName("interface"):
        page += f'.SH "INTERFACE {roff(interface.getAttribute("name"))}"\n'
        comment = ""
        for node in interface.childNodes:
            if node.nodeType == node.COMMENT_NODE:
                comment = node.data
            elif node.nodeType == node.ELEMENT_NODE:
                page += member(node, comment)
                comment = ""
    return page + ".SH SEE ALSO\n.BR busctl (1),\n.BR cmk\\-agent (8),\n.BR cmkctl (1)\n"


def main():
    pages = {"agent": (agent_page, 3), "cluster": (cluster_page, 3), "config": (config_page, 2), "bus": (bus_page, 2)}
    page, count = pages.get(sys.argv[1] if len(sys.argv) > 1 else "", (None, -1))
    if len(sys.argv) - 2 != count:
        sys.exit(__doc__.strip())
    sys.stdout.write(page(*sys.argv[2:]))


if __name__ == "__main__":
    main()
