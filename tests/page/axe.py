# SPDX-License-Identifier: Apache-2.0
"""axe-core, the judge of accessibility."""

import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
import npm_package  # noqa: E402

VERSION = "4.14.1"
SHA512 = "FHfa+lmNjQZfJz1q8wKqIDwC6DExcHt/pkjNQb09a3NPjCKg2rhu5qb2S4r76ASyFNNtuFooJpZe37OgudVGtQ=="


def source():
    """The script; None where it cannot be had."""
    package = npm_package.package("axe-core", VERSION, SHA512)
    return None if package is None else (package / "axe.min.js").read_text()


# Everything that it knows of WCAG 2.2 A and AA, and its best practices.
RUN = """axe.run(document, {resultTypes: ["violations"]}).then(result => result.violations.map(each =>
    `${each.id}: ${each.help}: ${each.nodes.slice(0, 3).map(node => node.html.slice(0, 200)).join(" | ")}`))"""
