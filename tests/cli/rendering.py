# SPDX-License-Identifier: Apache-2.0
"""How a browser shows cmkctl's drawings: is each text where it belongs, and can all be read?"""

import html
import json
import pathlib
import re
import shutil
import subprocess

from need import need

PATIENCE = 60  # seconds

# Boxes as the browser lays them out, in CSS pixels.
MEASURE = """<script>
const box = (node) => {
  const at = node.getBoundingClientRect();
  return {text: node.textContent, left: at.left, top: at.top, right: at.right, bottom: at.bottom};
};
const found = {
  drawing: box(document.querySelector("svg")),
  texts: [...document.querySelectorAll("svg text")].map(box),
  marks: [...document.querySelectorAll("svg g.core")].map((core) => (
    {core: box(core.querySelector("rect.tenant")), texts: [...core.querySelectorAll("text")].map(box)})),
  cells: [...document.querySelectorAll("td")].map((cell) => cell.innerText),
  wide: document.documentElement.scrollWidth > document.documentElement.clientWidth,
};
const out = document.createElement("pre");
out.id = "found";
out.textContent = JSON.stringify(found);
document.body.append(out);
</script>"""


def browse(*arguments):
    command = ["chromium", "--headless", "--no-sandbox", "--disable-gpu", "--window-size=1280,900"]
    return subprocess.run(command + list(arguments), capture_output=True, text=True, check=True,
                          timeout=PATIENCE).stdout


def measure(page):
    """What the script above finds in a page, a file."""
    dom = browse("--dump-dom", page.as_uri())
    return json.loads(html.unescape(re.search(r'<pre id="found">(.*?)</pre>', dom, re.S)[1]))


def is_inside(inner, outer):
    return (inner["left"] >= outer["left"] and inner["right"] <= outer["right"]
            and inner["top"] >= outer["top"] and inner["bottom"] <= outer["bottom"] + 1)


def overlap(one, other):
    """By more than a pixel: the boxes are lines' heights, not letters'."""
    return (min(one["right"], other["right"]) - max(one["left"], other["left"]) > 1
            and min(one["bottom"], other["bottom"]) - max(one["top"], other["top"]) > 1)


class Rendering:
    """Tests to mix into a class with an agent; see cli_test.py."""

    def page(self, name, markup):
        path = pathlib.Path(self.directory.name) / name
        path.write_text(markup)
        return path

    def check_drawing(self, found, name):
        for text in found["texts"]:
            self.assertTrue(is_inside(text, found["drawing"]), (name, text))
        for mark in found["marks"]:
            for text in mark["texts"]:
                self.assertTrue(is_inside(text, mark["core"]), (name, text, mark["core"]))
        texts = found["texts"]
        for number, one in enumerate(texts):
            for other in texts[number + 1:]:
                self.assertFalse(overlap(one, other), (name, one, other))

    def test_texts_of_the_svg_are_where_they_belong(self):
        need(self, shutil.which("chromium"), "chromium")
        drawing = self.run_cmkctl("topology", "--format", "svg")
        found = measure(self.page("svg.html", f"<body>{drawing}{MEASURE}</body>"))
        self.check_drawing(found, "svg")
        shown = {text["text"] for text in found["texts"]}
        self.assertLessEqual({str(cpu) for cpu in range(16)}, shown)
        self.assertTrue(any(text.startswith("lease aa11bb22: ") for text in shown), shown)
        self.assertEqual(len(found["marks"]), 8)

    def test_machines_of_every_shape_can_be_read(self):
        need(self, shutil.which("chromium"), "chromium")
        for shape in ("pu:1", "core:64 pu:2", "pack:8 [numa] l3:4 core:16 pu:2",
                      "pack:2 numa:4 l3:2 core:3 pu:8"):
            drawing = self.run_cmkctl("simulate", "--topology", shape, "--pool", "a:shared:rest",
                                      "--lease", "a", "--format", "svg")
            page = self.page("shape.html", f"<body>{drawing}{MEASURE}</body>")
            self.check_drawing(measure(page), shape)

    def test_the_page_shows_its_tables(self):
        need(self, shutil.which("chromium"), "chromium")
        page = self.run_cmkctl("topology", "--format", "html")
        found = measure(self.page("page.html", page.replace("</body>", MEASURE + "</body>")))
        self.check_drawing(found, "html")
        for expected in ("aa11bb22", "a<b>&?", "exclusive", "0-3,8-11"):
            self.assertIn(expected, found["cells"])
        self.assertFalse(found["wide"], "it has to be scrolled sideways")

    def test_it_prints(self):
        need(self, shutil.which("chromium"), "chromium")
        need(self, shutil.which("pdftotext"), "pdftotext")
        page = self.page("page.html", self.run_cmkctl("topology", "--format", "html"))
        printed = pathlib.Path(self.directory.name) / "page.pdf"
        browse(f"--print-to-pdf={printed}", page.as_uri())
        text = subprocess.check_output(["pdftotext", "-layout", printed, "-"], text=True)
        for expected in ("aa11bb22", "exclusive", "0-3,8-11", "CPU cores by pool and lease"):
            self.assertIn(expected, text)
