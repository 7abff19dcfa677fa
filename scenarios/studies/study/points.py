# SPDX-License-Identifier: Apache-2.0
"""The points of a study: each combination of the axes' values that the constraints allow, in the order of the file.

A point's key is a hash of the contents of everything that decides its result: the binary, every setting, the files that
settings name. Equal keys are the same run, in whichever study, folder or place.
"""

import hashlib
import itertools
import json
import math
import re
from typing import NamedTuple

from study import axes, expressions, quantities, scenario
from study.complaints import mistake, unknown

KEY_OF = "pefsim point 1"  # changes when the key is made of something else
PLACE = re.compile(r"\{([\w.-]+)\}")  # of an axis's value in a parameter: swiotlb={slots}


class point(NamedTuple):
    number: int
    values: dict  # axis -> quantity
    options: tuple  # of the scenario's command line
    inputs: tuple  # stamps of the files that these name
    key: str


def of(study, subject):
    """A list. Raises mistake when an axis, a value or a constraint cannot be."""
    number = math.prod(len(each) for each in study.axes.values())
    if number > axes.MOST:
        raise mistake(f"the axes span {number:,} points; {axes.MOST:,} is the most")
    found = list(_points(study, subject))
    if not found:
        raise mistake("the constraints allow no point")
    return found


def names_known(study, subject):
    """What a constraint or a formula may speak of, besides figures."""
    return {**dict.fromkeys(subject.parameters), **dict.fromkeys(study.axes)}


def numbers_of(study, subject, values):
    """name -> number or text, of a point's axes and of all parameters as they are there."""
    found = {name: number_of(quantities.read(each.fallback)) for name, each in subject.parameters.items()}
    found |= {name: number_of(each[-1]) for name, each in study.parameters.items()}
    return found | {name: number_of(each) for name, each in values.items()}


def _points(study, subject):
    within = _places(study)
    _check_names(study, subject, within)
    parameters = dict(study.parameters)
    if subject.takes_image([*study.parameters, *study.axes]):
        parameters["image"] = [quantities.read("")]
    known = names_known(study, subject)
    constraints = [expressions.expression(each, known, "constraint") for each in study.constraints]
    settings = _settings(study, subject)
    subject.check(
        [(name, value.text) for name, each in parameters.items() if name not in within for value in each]
        + [(name, value.text) for name, each in study.axes.items() if name in subject.parameters for value in each]
    )
    base = numbers_of(study, subject, {})
    number = itertools.count(1)
    for chosen in itertools.product(*study.axes.values()):
        values = dict(zip(study.axes, chosen))
        numbers = base | {name: number_of(each) for name, each in values.items()}
        if all(each(numbers) for each in constraints):
            options, contents, inputs = settings(parameters, values)
            yield point(next(number), values, options, inputs, _key(subject, contents))


def _check_names(study, subject, within):
    for name in study.parameters:
        if name not in subject.parameters:
            raise mistake(f"{unknown('parameter', name, subject.parameters)} ({subject.name} --help lists them)")
    used = {word for words in within.values() for word in words}
    for name in study.axes:
        if name not in subject.parameters and name not in used:
            raise mistake(f"{unknown('axis', name, subject.parameters)} ({subject.name} has no such parameter, "
                          f"and none of the parameters here has {{{name}}} in it)")  # fmt: skip


def _places(study):
    """Parameter -> the axes whose values it has within."""
    found = {}
    for name, each in study.parameters.items():
        words = [word for value in each for word in PLACE.findall(value.text)]
        if words:
            found[name] = words
        for word in words:
            if word not in study.axes:
                raise mistake(f"parameter {name}: {unknown('axis', word, study.axes)}")
    return found


def _settings(study, subject):
    """A function from parameters and a point's values to its options, what they are by content, and stamps of files."""
    beside = study.file.absolute().parent
    remembered = {}

    def setting(name, text):
        if (name, text) not in remembered:
            value, file = subject.with_file(name, text, beside)
            stamps = () if file is None else scenario.stamps_of(file)
            content = text if file is None else f"{scenario.content_of(file)} {value[len(str(file)):]}"
            remembered[name, text] = scenario.option(name, value), f"{name}={content}", stamps
        return remembered[name, text]

    def of_point(parameters, values):
        rows = [(name, PLACE.sub(lambda found: values[found[1]].text, value.text))
                for name, each in parameters.items() for value in each]  # fmt: skip
        rows += [(name, value.text) for name, value in values.items() if name in subject.parameters]
        found = [setting(*row) for row in rows]
        return (tuple(word for words, _, _ in found for word in words), [content for _, content, _ in found],
                tuple(stamp for _, _, stamps in found for stamp in stamps))  # fmt: skip

    return of_point


def _key(subject, contents):
    text = json.dumps([KEY_OF, subject.name, subject.content, sorted(contents)])
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def number_of(value):
    return value.text if value.number is None else value.number
