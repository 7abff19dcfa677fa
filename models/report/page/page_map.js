// SPDX-License-Identifier: Apache-2.0
// Guest memory by 64 KiB pages: their states, who wrote them, who looked; and the story of one.

const known_states = ["SECURE", "SHARED", "SHARED_IMPLICIT", "PSEUDO_SHARED", "PAGEDOUT", "NORMAL"];
const look_of_state = state => `state-${known_states.includes(state) ? state : "other"}`;
const is_in = (page, first, count) => page >= first && page < first + count;

function attribution_text(writer) {
    const where = writer.functions?.length ? writer.functions.join(" < ") : writer.origin;
    return where ? `${writer.initiator}: ${where}` : writer.initiator;
}

/** Everything that the report has of one page. */
function story_of(run, number, page) {
    const bytes = run.page_map?.page_bytes ?? 65536;
    const span = run.page_map?.spans.find(each => is_in(page, each.first, each.count));
    const watched = run.watched?.find(each => each.page === page);
    const within = each => Math.floor(each.address / bytes) === page;
    const violations = run.violations.kept.map((each, i) => [each, i]).filter(([each]) => each.page_state && within(each));
    const sightings = run.exposure.canaries.kept.filter(each => each.channel.endsWith("page") && within(each));
    const shares = run.exposure.shares.filter(each => is_in(page, each.first_page, each.pages));
    const rows = [
        ...shares.map(each => [each.time_ns, each.by || "?", `${each.call || "became readable"}: ${count_text(each.pages)} pages from ${hex(each.first_page)}`]),
        ...violations.map(([each, i]) => [each.time_ns, each.who, element("a", {href: `#violation-${number}-${i + 1}`}, `${each.kind}: ${each.detail}`)]),
        ...sightings.map(each => [each.time_ns, attribution_text(each.writer), `canary ${each.canary} reached the host`]),
        ...(watched?.events ?? []).map(each => [each.time_ns, each.who, [each.what, each.function, each.detail,
            each.bytes === undefined ? "" : `${count_text(each.bytes)} bytes`, each.count > 1 ? `${count_text(each.count)} times` : ""].filter(Boolean).join(", ")]),
    ].sort((a, b) => a[0] - b[0]).map(([at, who, what]) => [moment(at), who, what]);
    return element("div", {},
        element("h3", {}, `Page ${hex(page)}, at ${hex(page * bytes)}`),
        span ? paragraph(`State at the end: ${span.state}. `,
            span.writers?.length ? `Written by ${span.writers.join("; ")}: ${bytes_text(span.written)}` : "Nobody wrote where the host can read. ",
            span.writers?.length ? `, of which the host looked at ${bytes_text(span.looked_at)}${span.count > 1 ? ` (all ${count_text(span.count)} pages from ${hex(span.first)} on)` : ""}.` : "") : null,
        watched ? null : quiet("For every change, writer and look of this page, run again with --watch-page ", hex(page), "."),
        rows.length ? long_table("What happened to it", [["Time", "number"], ["Who", ""], ["What", "long"]], rows, 40) : null,
        watched?.standing?.length ? long_table("What stands in it", [["Bytes", "number"], ["Writer", "long"], ["Written", "number"], ["Looks", "number"]],
            watched.standing.map(each => [`${each.begin} … ${each.end}`, attribution_text(each.writer), moment(each.written_ns), count_text(each.host_reads)])) : null);
}

function page_map_section(run, number) {
    const section = element("section", {"aria-labelledby": "pages"}, element("h2", {id: "pages"}, "Pages"));
    const story = element("div", {class: "story card", "aria-live": "polite", tabindex: -1, id: "page-story"});
    section.show_page = page => {
        story.replaceChildren(story_of(run, number, page));
        story.hidden = false;
    };
    const map = run.page_map;
    const watched = run.watched ?? [];
    if (!map || !map.spans?.length) {
        section.append(quiet("The report has no map of guest memory."));
        story.hidden = true;
        section.append(...watched.map(each => element("p", {}, page_button(section, each.page, `Story of page ${hex(each.page)}`))), story);
        return section;
    }
    const spans = map.spans;
    const counts = new Map();
    for (const span of spans) {
        counts.set(span.state, (counts.get(span.state) ?? 0) + span.count);
    }
    // A cell is one page in a small machine; else as many as make a map of some 40 rows, and it shows the rarest state.
    const rows = 40;
    const rarest = (a, b) => (counts.get(a.state) <= counts.get(b.state) ? a : b);
    const cells_of = per_cell => {
        const cells = [];
        for (let next = 0, first = 0; first < map.pages; first += per_cell) {
            let chosen = null;
            while (next < spans.length && spans[next].first + spans[next].count <= first) {
                ++next;
            }
            for (let i = next; i < spans.length && spans[i].first < first + per_cell; ++i) {
                chosen = chosen ? rarest(spans[i], chosen) : spans[i];
            }
            cells.push(chosen);
        }
        return cells;
    };
    const scale = element("span", {});
    let at = Math.max(0, spans.findIndex(each => each.writers?.length));
    const span_text = span => `pages ${hex(span.first)} to ${hex(span.first + span.count - 1)}, ${span.state}` +
        (span.writers?.length ? `, written by ${span.writers.join("; ")}: ${bytes_text(span.written)}, host looked at ${bytes_text(span.looked_at)}` : "");
    const choose = index => {
        at = Math.min(spans.length - 1, Math.max(0, index));
        section.show_page(spans[at].first);
        tell();
        map_picture.redraw();
    };
    const size = 9;
    const draw = width => {
        const across = Math.max(16, 2 ** Math.floor(Math.log2(width / size)));
        const side = width / across;
        const per_cell = Math.max(1, Math.ceil(map.pages / (across * rows)));
        const cells = cells_of(per_cell);
        scale.textContent = per_cell > 1 ? `A cell is ${count_text(per_cell)} of them. ` : "";
        const shapes = [];
        cells.forEach((span, i) => {
            // Neighbours of one run and row are one shape.
            if (!span || (i % across !== 0 && cells[i - 1] === span)) {
                return;
            }
            let end = i + 1;
            while (end < cells.length && end % across !== 0 && cells[end] === span) {
                ++end;
            }
            const x = (i % across) * side, y = Math.floor(i / across) * (size + 1);
            shapes.push(shape("rect", {class: look_of_state(span.state), x, y, width: (end - i) * side - .6, height: size,
                "data-span": spans.indexOf(span)}, tooltip(span_text(span))));
            if (span.looked_at > 0) {
                shapes.push(shape("rect", {class: "looked-at", x, y: y + size - 2, width: (end - i) * side - .6, height: 2}));
            }
            if (spans[at] === span) {
                shapes.push(shape("rect", {class: "selected", x, y, width: (end - i) * side - .6, height: size}));
            }
        });
        return [Math.ceil(cells.length / across) * (size + 1) + 4, shapes];
    };
    // As a slider it is one stop of the keyboard, and a screen reader says the run of pages that it stands on.
    const map_picture = picture("Map of guest memory", draw, {
        role: "slider", tabindex: 0, "aria-valuemin": 1, "aria-valuemax": spans.length,
        click: event => { if (event.target.dataset.span) { choose(Number(event.target.dataset.span)); } },
        keydown: event => {
            const step = {ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1, PageDown: 10, PageUp: -10, Home: -Infinity, End: Infinity}[event.key];
            if (step !== undefined) {
                event.preventDefault();
                choose(Number.isFinite(step) ? at + step : step > 0 ? spans.length - 1 : 0);
            } else if (event.key === "Enter") {
                story.focus();
            }
        }});
    const tell = () => {
        const drawing = map_picture.firstChild;
        drawing.setAttribute("aria-valuenow", at + 1);
        drawing.setAttribute("aria-valuetext", span_text(spans[at]));
    };
    tell();
    section.append(
        paragraph(`${count_text(map.pages)} pages of ${bytes_text(map.page_bytes)}. `, scale,
            element("span", {class: "on-screen"}, "Click a page, or use the arrow keys, for its story.")),
        legend([...[...counts].map(([state, count]) => [look_of_state(state), `${state}: ${count_text(count)}`]),
            ["mark-looked", "black edge: the host looked"]]),
        map_picture, story);
    section.show_page(spans[at].first);
    const told = spans.filter(each => each.writers?.length || each.looked_at > 0);
    if (told.length) {
        section.append(long_table("Pages that the host can read", [["Pages", ""], ["State", ""], ["Written by", "long"], ["Written", "number"], ["Looked at", "number"]],
            told.map(each => [page_button(section, each.first, each.count === 1 ? hex(each.first) : `${hex(each.first)} … ${hex(each.first + each.count - 1)}`),
                each.state, (each.writers ?? []).join("; "), bytes_text(each.written ?? 0), bytes_text(each.looked_at ?? 0)])));
    }
    return section;
}

function page_button(section, page, text) {
    return element("button", {type: "button", click: () => {
        section.show_page(page);
        document.getElementById("page-story").focus();
    }}, text);
}
