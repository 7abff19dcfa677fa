# SPDX-License-Identifier: Apache-2.0
"""Constraints, figures that are computed, and conclusions: a line of arithmetic over names.

    depth * chunk <= swiotlb.size and cpus in (1, 4)
    1.5 * bounced < direct or dma_ops.policy == "merged"

Names may have dots and hyphens, so that a minus between names stands between blanks. Sizes and durations are literals:
64KiB, 10us. There is min(), max() and abs(), and nothing that could do harm.
"""

import ast
import operator
import re
from decimal import Decimal

from study import quantities
from study.complaints import mistake, unknown

TOKEN = re.compile(
    r"(?P<text>\"[^\"]*\"|'[^']*')"
    r"|(?P<quantity>\b\d+(?:\.\d+)?(?:KiB|MiB|GiB|TiB|ps|ns|us|ms|s)\b)"
    r"|(?P<number>\b\d+(?:\.\d+)?(?:[eE][+-]?\d+)?\b)"
    r"|(?P<name>[A-Za-z_]\w*(?:[.-]\w+)*)"
)
WORDS = {"and", "or", "not", "in", "true", "false"}
FUNCTIONS = {"min": min, "max": max, "abs": abs}
OPERATORS = {
    ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: operator.mul, ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv, ast.Mod: operator.mod, ast.USub: operator.neg, ast.UAdd: operator.pos,
    ast.Not: operator.not_, ast.Eq: operator.eq, ast.NotEq: operator.ne, ast.Lt: operator.lt, ast.LtE: operator.le,
    ast.Gt: operator.gt, ast.GtE: operator.ge, ast.In: lambda item, among: item in among,
    ast.NotIn: lambda item, among: item not in among,
}  # fmt: skip


class expression:
    """Of `known` names; `what` is it, for messages. Raises mistake when it is none."""

    def __init__(self, text, known, what):
        if not isinstance(text, str):
            raise mistake(f"{what}: {text!r} is not text")
        self.text, self.what, self.names = text, f"{what} '{text}'", []
        self._known = known
        try:
            tree = ast.parse(TOKEN.sub(self._replace, text).strip(), mode="eval").body
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            raise mistake(f"{self.what} cannot be read") from None
        self._value = self._compiled(tree)

    def __call__(self, values):
        """`values` has a number or text for each name; the result is None when one of them is None."""
        if any(values[name] is None for name in self.names):
            return None
        try:
            return self._value(values)
        except (ArithmeticError, TypeError) as error:
            where = ", ".join(f"{name} = {values[name]}" for name in self.names)
            reason = "division by zero" if isinstance(error, ArithmeticError) else "a word where a number is needed"
            raise mistake(f"{self.what}: {reason} ({where})") from None

    def _replace(self, found):
        word = found[0]
        if found["quantity"]:
            return f"'={word}'"
        if found["number"]:
            return f"'={word}'"
        if found["text"]:
            return repr(f":{word[1:-1]}")
        if word in WORDS:
            return {"true": "':yes'", "false": "':no'"}.get(word, word)
        if word in FUNCTIONS and found.string[found.end() :].lstrip().startswith("("):
            return word
        if word not in self._known:
            hint = " (minus stands between blanks)" if "-" in word else ""
            raise mistake(f"{self.what}: {unknown('name', word, self._known)}{hint}")
        if word not in self.names:
            self.names.append(word)
        return f"_{self.names.index(word)}"

    def _compiled(self, node):
        """A function from the values to this part's value."""
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            value = quantities.read(node.value[1:]).number if node.value[0] == "=" else node.value[1:]
            return lambda values: value
        if isinstance(node, ast.Name) and node.id[0] == "_":
            name = self.names[int(node.id[1:])]
            return lambda values: values[name]
        if isinstance(node, ast.BoolOp):
            parts = [self._compiled(each) for each in node.values]
            every = isinstance(node.op, ast.And)
            return lambda values: (all if every else any)(part(values) for part in parts)
        if isinstance(node, ast.BinOp) and type(node.op) in OPERATORS:
            what, left, right = OPERATORS[type(node.op)], self._compiled(node.left), self._compiled(node.right)
            return lambda values: what(*_numbers(left(values), right(values)))
        if isinstance(node, ast.UnaryOp) and type(node.op) in OPERATORS:
            what, one = OPERATORS[type(node.op)], self._compiled(node.operand)
            return lambda values: what(one(values))
        if isinstance(node, (ast.Tuple, ast.List)):
            parts = [self._compiled(each) for each in node.elts]
            return lambda values: tuple(part(values) for part in parts)
        if isinstance(node, ast.Compare):
            return self._comparison(node)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in FUNCTIONS:
            what, parts = FUNCTIONS[node.func.id], [self._compiled(each) for each in node.args]
            if parts and not node.keywords:
                return lambda values: what(*_numbers(*(part(values) for part in parts)))
        raise mistake(f"{self.what} cannot be read")

    def _comparison(self, node):
        parts = [self._compiled(each) for each in (node.left, *node.comparators)]
        if not all(type(each) in OPERATORS for each in node.ops):
            raise mistake(f"{self.what} cannot be read")
        what = [OPERATORS[type(each)] for each in node.ops]

        def value(values):
            found = [part(values) for part in parts]
            return all(each(left, right) for each, left, right in zip(what, found, found[1:]))

        return value


def _numbers(*values):
    if any(isinstance(each, (str, tuple)) for each in values):
        raise TypeError
    return [each if isinstance(each, Decimal) else Decimal(each) for each in values]
