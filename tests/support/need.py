# SPDX-License-Identifier: Apache-2.0
"""What a test needs of the machine it runs on."""

import os
import unittest


def need(case: unittest.TestCase, there: object, what: str) -> None:
    """Skips the test where that is lacking; in CI, which installs all of it, the test fails."""
    if there:
        return
    if os.environ.get("CI") == "true":
        case.fail(f"this machine lacks {what}, which CI has to have")
    case.skipTest(f"this machine lacks {what}")
