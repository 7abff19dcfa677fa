# SPDX-License-Identifier: Apache-2.0
"""A study as one HTML file that needs no other: pictures, conclusions, sensitivity, and every point with the line that runs
it again.
"""

import html
import pathlib
import shlex

from study import statistics
from study.quantities import for_people

STYLE = """
body { font: 15px/1.45 sans-serif; margin: 2em auto; max-width: 75em; color: #222; }
table { border-collapse: collapse; } td, th { padding: .15em .7em; text-align: right; border-bottom: 1px solid #ddd; }
th { background: #f3f3f3; } td.word, th.word { text-align: left; }
tr.failed td { color: #a00; } #points tr { cursor: pointer; } #points tr.chosen td { background: #ffd; }
pre { background: #f3f3f3; padding: .6em; white-space: pre-wrap; position: sticky; top: 0; }
figure { margin: 1.5em 0; } figcaption { font-style: italic; } svg { max-width: 100%; height: auto; }
"""
SCRIPT = """
const replay = document.getElementById("replay");
document.getElementById("points").addEventListener("click", event => {
  const row = event.target.closest("tr[data-options]");
  if (!row) return;
  document.querySelectorAll(".chosen").forEach(each => each.classList.remove("chosen"));
  row.classList.add("chosen");
  replay.textContent = replay.dataset.begin + row.dataset.options;
});
"""


def write(study, found, what, holds, folder, file):
    """`holds`: as of table.conclusions. The pictures are taken from the folder."""
    parts = [
        f"<!doctype html><html lang=en><meta charset=utf-8><title>{_text(study.title)}</title><style>{STYLE}</style>",
        f"<h1>{_text(study.title)}</h1>",
        f"<p>Scenario <code>{_text(study.scenario)}</code>, {len(what.rows):,} of {len(found):,} points, "
        f"{sum(row.status == 'failed' for row in what.rows):,} failed.</p>",
        *_pictures(study, folder),
        *_conclusions(holds),
        *_sensitivity(study, what),
        *_points(study, found, what),
    ]
    file.write("\n".join(parts) + "\n")


def replay(study, options):
    """The line that runs a point again, with its waveform and its report, anywhere in a shell."""
    return shlex.join(["scenarios/run", study.scenario, *options, "--report", "report.json"])


def _pictures(study, folder):
    for each in study.pictures:
        path = pathlib.Path(folder) / f"{each.name}.svg"
        if path.exists():
            svg = path.read_text(encoding="utf-8")
            yield f"<figure>{svg[svg.index('<svg') :]}<figcaption>{_text(each.proves)}</figcaption></figure>"


def _conclusions(holds):
    if holds:
        yield "<h2>Conclusions</h2><table><tr><th class=word>conclusion<th>holds at<th>of"
        for name, found in holds.items():
            known = [each for each in found if each is not None]
            yield f"<tr><td class=word>{_text(name)}<td>{sum(map(bool, known)):,}<td>{len(known):,}"
        yield "</table>"


def _sensitivity(study, what):
    axes = [name for name, values in study.axes.items() if len(values) > 1]
    yield "<h2>Which axis moves which figure</h2><p>First-order indices over the grid.</p><table><tr><th class=word>figure"
    yield "".join(f"<th>{_text(name)}" for name in axes)
    for figure in study.figures:
        found = statistics.first_order(what.good(), axes, figure)
        cells = "".join("<td>" + ("" if found[name] is None else f"{found[name]:.3f}") for name in axes)
        yield f"<tr><td class=word>{_text(figure)}{cells}"
    yield "</table>"


def _points(study, found, what):
    names = [*study.axes, *study.figures]
    yield "<h2>Points</h2><p>A click on one shows the line that runs it again, from the folder of pefsim.</p>"
    begin = f"scenarios/run {study.scenario} --report report.json"
    yield f'<pre id=replay data-begin="{_text(begin)}">{_text(begin)} ...</pre><table id=points><tr><th>point'
    yield "".join(f"<th>{_text(_head(name, what.units[name]))}" for name in names) + "<th class=word>status"
    options = {each.number: each.options for each in found}
    for row in what.rows:
        cells = "".join(f"<td>{_text(_cell(each))}" for each in
                        [*row.values.values(), *(row.figures.get(name) for name in study.figures)])  # fmt: skip
        line = _text(" " + shlex.join(options[row.number]))
        said = f"{row.status} ({row.reason})" if row.reason else row.status
        kind = " class=failed" * (row.status == "failed")
        yield f'<tr{kind} data-options="{line}"><td>{row.number}{cells}<td class=word>{_text(said)}'
    yield f"</table><script>{SCRIPT}</script>"


def _head(name, unit):
    return f"{name} [{unit}]" if unit else name


def _cell(value):
    return "" if value is None else for_people(value) if isinstance(value, float) else value


def _text(value):
    return html.escape(str(value), quote=True)
