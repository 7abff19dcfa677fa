// SPDX-License-Identifier: Apache-2.0
// The workload over time: rate, latency, pool; where the violations and the slowest request were.

/**
 * The series by columns, or null. Where a run has fewer requests than rows, neighbours are joined until some of them fall
 * into each: a curve, not a comb. Of a joined row counts are sums, latency is the mean of its requests, the rest the highest.
 */
function series_of(run) {
    const series = run.series;
    if (!series?.rows?.length) {
        return null;
    }
    const column = name => series.columns.findIndex(each => each.name === name);
    const values = name => column(name) < 0 ? null : series.rows.map(row => row[column(name)]);
    const requests = values("requests");
    const wanted = requests ? Math.max(24, Math.floor(requests.reduce((all, each) => all + each, 0) / 4)) : series.rows.length;
    const joined = Math.max(1, Math.ceil(series.rows.length / wanted));
    const groups = of => of && Array.from({length: Math.ceil(of.length / joined)}, (_, i) => of.slice(i * joined, (i + 1) * joined));
    const total = of => groups(of)?.map(group => group.reduce((all, each) => all + each, 0));
    const at = groups(values("at")).map(group => group[0]);
    const row_time = series.rows.length > 1 ? series.rows[1][column("at")] - series.rows[0][column("at")] : 0;
    const latency = values("latency_mean");
    const times = latency && requests && total(latency.map((mean, i) => mean * requests[i]));
    const sums = total(requests);
    return {
        at, per_second: of => total(values(of))?.map((n, i) => n / (row_time * groups(values("at"))[i].length) * 1e9),
        latency: times?.map((sum, i) => sums[i] > 0 ? sum / sums[i] : null),
        highest: of => groups(values(of))?.map(group => Math.max(...group)),
    };
}

/** Names and times of what a reader may want to find. */
function moments_of(run, number) {
    const found = run.violations.kept.map((each, i) => ({
        id: `moment-${number}-${i + 1}`, at: each.time_ns, look: "violation-mark",
        text: `violation ${i + 1}: ${each.who}: ${each.detail}`}));
    for (const group of run.anatomy?.requests ?? []) {
        for (const which of ["first", "slowest"]) {
            const of = group[which];
            if (of) {
                found.push({id: `request-${number}-${short_device(group.device)}-${of.number}-${group.kind}-${which}`, at: of.begin_ns,
                            look: "request-mark",
                            text: `${which} ${group.kind} of ${short_device(group.device)}: request ${of.number}`});
            }
        }
    }
    return found;
}

function timeline_section(run, number) {
    const series = series_of(run);
    const marks = moments_of(run, number);
    const times = series?.at ?? [];
    const window_ = run.rates_are_of_ns ?? {begin: 0, end: run.simulated_time_ns};
    // Marks outside of the workload widen the axis, or they could not be seen.
    const from = Math.min(window_.begin, ...marks.map(each => each.at), ...times);
    const to = Math.max(window_.end, ...marks.map(each => each.at), ...times, from + 1);

    const rate_text = value => scaled(value, [[1e6, "M/s"], [1e3, "k/s"], [1, "/s"]]);
    const curves = !series ? [] : [
        ["Requests per second", series.per_second("requests"), rate_text],
        ["Data per second", series.per_second("bytes"), value => `${bytes_text(value)}/s`],
        ["Mean latency", series.latency, time_text],
        ["Slots of the bounce pool in use", series.highest("pool_used"), count_text],
    ].filter(([, values]) => values?.some(each => each > 0));

    const left = 78, right = 12, lane = 84, top = 22;
    const draw = width => {
        const x = at => left + (at - from) / (to - from) * (width - left - right);
        const bottom = top + curves.length * lane + 24;
        const shapes = curves.map(([title, values, text], i) => {
            const most = Math.max(...values);
            const base = top + i * lane + lane - 14;
            const y = value => base - (value / most) * (lane - 34);
            const known = values.map((value, n) => [times[n], value]).filter(([, value]) => value !== null);
            const path = known.map(([at, value], n) => `${n ? "L" : "M"}${x(at).toFixed(1)} ${y(value).toFixed(1)}`).join("");
            const begin = x(known[0][0]).toFixed(1), end = x(known[known.length - 1][0]).toFixed(1);
            return [
                shape("path", {class: "area", d: `${path}L${end} ${base}L${begin} ${base}Z`}),
                shape("path", {class: "axis", d: `M${left} ${base}H${width - right}`}),
                shape("path", {class: "curve", d: path}, tooltip(title)),
                shape("text", {x: left, y: top + i * lane + 8}, title),
                shape("text", {class: "quiet", x: left - 6, y: y(most) + 4, "text-anchor": "end"}, text(most)),
                shape("text", {class: "quiet", x: left - 6, y: base + 4, "text-anchor": "end"}, "0")];
        });
        shapes.push(shape("path", {class: "axis", d: `M${left} ${bottom}H${width - right}`}));
        for (const tick of ticks(from, to, width < 500 ? 3 : 7)) {
            shapes.push(shape("path", {class: "axis", d: `M${x(tick).toFixed(1)} ${bottom}v5`}),
                shape("text", {class: "quiet", x: Math.min(x(tick), width - 24).toFixed(1), y: bottom + 18, "text-anchor": "middle"},
                    time_text(tick)));
        }
        for (const mark of marks) {
            const at = x(mark.at).toFixed(1);
            shapes.push(shape("g", {id: mark.id, class: mark.look}, tooltip(`${exact_time(mark.at)}: ${mark.text}`),
                shape("path", {d: `M${at} ${top - 10}V${bottom}`}),
                mark.look === "violation-mark" ? shape("path", {d: `M${at} ${top - 4}l-5 -9h10z`}) : null));
        }
        return [bottom + 28, shapes];
    };
    const what = curves.length ? curves.map(([title]) => title.toLowerCase()).join(", ") : "no curves";
    const drawing = picture(`Timeline from ${time_text(from)} to ${time_text(to)}: ${what}; ${marks.length} marked moments`, draw);
    drawing.id = `timeline-${number}`;
    return element("section", {"aria-labelledby": "timeline"},
        element("h2", {id: "timeline"}, "Timeline"),
        series ? null : quiet("The report has no time series of a workload; the axis is the whole run."),
        drawing,
        marks.length ? legend([...(run.violations.kept.length ? [["mark-violation", "line with a head: a violation"]] : []),
            ...(run.anatomy ? [["mark-request", "dashed line: first and slowest requests"]] : [])]) : null,
        marks.length ? long_table("Marked moments", [["Time", "number"], ["In full", "number"], ["What", "long"]],
            [...marks].sort((a, b) => a.at - b.at).map(each => [time_text(each.at), exact_time(each.at), each.text]), 6) : null);
}
