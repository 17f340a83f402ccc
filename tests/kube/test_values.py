# SPDX-License-Identifier: Apache-2.0
"""What the chart's schema says of values."""

import json
import unittest
from typing import Any

from manifests import CHART, values
from need import need

WRONG: tuple[tuple[str, dict[str, Any]], ...] = (
    ("namespace", {"namespace": "Upper"}), ("namespace", {"namespace": 7}),
    ("unknown", {"unknown": 1}), ("pullPolicy", {"image": {"pullPolicy": "Sometimes"}}),
    ("repositry", {"image": {"repositry": "typo"}}), ("tag", {"image": {"tag": "a:b"}}),
    ("taint", {"publisher": {"taint": "no"}}), ("replicas", {"webhook": {"replicas": 0}}),
    ("replicas", {"webhook": {"replicas": "2"}}),
    ("certificate", {"webhook": {"certificate": "mine"}}),
    ("failurePolicy", {"webhook": {"failurePolicy": "ignore"}}),
    ("schedule", {"webhook": {"schedule": "monthly"}}),
    ("confDir", {"webhook": {"confDir": "etc"}}),
    ("memory", {"webhook": {"resources": {"limits": {"memory": "much"}}}}),
    ("kind", {"webhook": {"issuer": {"kind": "Other"}}}),
    ("apiServerPorts", {"networkPolicy": {"apiServerPorts": []}}),
    ("interval", {"podMonitor": {"interval": "often"}}),
)


class Values(unittest.TestCase):
    def setUp(self) -> None:
        try:
            import jsonschema
        except ImportError:
            jsonschema = None
        need(self, jsonschema, "python3-jsonschema")
        schema = json.loads((CHART / "values.schema.json").read_text())
        jsonschema.Draft7Validator.check_schema(schema)
        self.validator = jsonschema.Draft7Validator(schema)

    def problems(self, **changes: Any) -> str:
        return "\n".join(f"{'.'.join(map(str, each.absolute_path))}: {each.message}"
                         for each in self.validator.iter_errors(values(**changes)))

    def test_the_presets_are_right(self) -> None:
        self.assertEqual(self.problems(), "")
        self.assertEqual(self.problems(webhook={"schedule": "@monthly", "issuer": {"name": "x"}}), "")

    def test_every_value_is_in_the_schema(self) -> None:
        def missing(schema: dict, value: Any, path: str) -> list[str]:
            if not isinstance(value, dict) or "properties" not in schema:
                return []
            return [f"{path}{key}" for key in value if key not in schema["properties"]] + [
                each for key, item in value.items()
                for each in missing(schema["properties"].get(key, {}), item, f"{path}{key}.")]
        self.assertEqual(missing(self.validator.schema, values(), ""), [])

    def test_what_is_wrong_is_named(self) -> None:
        for name, changes in WRONG:
            with self.subTest(changes):
                self.assertIn(name, self.problems(**changes))


if __name__ == "__main__":
    unittest.main()
