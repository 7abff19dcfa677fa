// SPDX-License-Identifier: Apache-2.0
// Where the time of a request goes, by device and kind.

const short_device = name => name.replace(/^machine\./, "");
const look_of_part = part => `part-${["driver", "map", "copy", "ring", "doorbell", "device", "interrupt", "copy back",
    "completion"].includes(part) ? part.replace(" ", "-") : "other"}`;
/** Parts that nobody saw (of a guest whose drivers tell nothing) are null. */
const sum = numbers => numbers.reduce((all, each) => all + (each ?? 0), 0);
const part_text = value => value === null || value === undefined ? "not seen" : time_text(value);

function anatomy_section(run) {
    const anatomy = run.anatomy;
    const title = element("h2", {id: "anatomy"}, "Where a request's time goes");
    if (!anatomy || !(anatomy.requests?.length || anatomy.unfinished?.length)) {
        return element("section", {"aria-labelledby": "anatomy"}, title,
            quiet("The report has no anatomy of requests."));
    }
    const parts = anatomy.parts;
    const used = parts.filter((_, i) => anatomy.requests.some(each => each.mean_ns[i] > 0));
    const bars = anatomy.requests.flatMap(group => {
        const of = `${short_device(group.device)} ${group.kind}`;
        return [[`${of}, mean of ${count_text(group.count)}`, group.mean_ns],
            ...(group.first ? [[`first: request ${group.first.number}`, group.first.parts_ns]] : []),
            ...(group.slowest ? [[`slowest: request ${group.slowest.number}`, group.slowest.parts_ns]] : [])];
    });
    // Each group has its own scale: a slow disk would hide what a network card does.
    const scale_of = bars.map((_, i) => {
        let first = i;
        while (first > 0 && !bars[first][0].includes("mean of")) {
            --first;
        }
        let last = first + 1;
        while (last < bars.length && !bars[last][0].includes("mean of")) {
            ++last;
        }
        return Math.max(...bars.slice(first, last).map(([, values]) => sum(values)), 1);
    });
    const draw = width => {
        let y = 4;
        const shapes = bars.map(([name, values], i) => {
            y += name.includes("mean of") && i > 0 ? 14 : 0;
            const total = sum(values);
            const row = [shape("text", {x: 0, y: y + 11}, `${name}: ${time_text(total)}`)];
            let x = 0;
            values.forEach((value, part) => {
                const wide = value / scale_of[i] * width;
                if (wide > 0) {
                    row.push(shape("rect", {class: look_of_part(parts[part]), x, y: y + 16, width: Math.max(wide - 1, .5), height: 18},
                        tooltip(`${parts[part]}: ${time_text(value)}, ${digits(100 * value / total)} %`)));
                    if (wide > 6.6 * parts[part].length + 6) {
                        row.push(shape("text", {class: "in-bar", x: x + 4, y: y + 29}, parts[part]));
                    }
                }
                x += wide;
            });
            y += 42;
            return row;
        });
        return [y + 4, shapes];
    };
    const share = (value, of) => of > 0 ? `${digits(100 * value / of)} %` : "";
    return element("section", {"aria-labelledby": "anatomy"}, title,
        bars.length === 0 ? null : picture(`Bars: ${bars.map(([name, values]) => `${name} ${time_text(sum(values))}`).join("; ")}`, draw),
        legend(used.map(part => [look_of_part(part), part])),
        anatomy.requests.map(group => table(
            `${short_device(group.device)} ${group.kind}: ${count_text(group.count)} requests, mean ${time_text(group.total.mean_ns)},` +
            ` p50 ${time_text(group.total.p50_ns)}, p90 ${time_text(group.total.p90_ns)}, p99 ${time_text(group.total.p99_ns)},` +
            ` slowest ${time_text(group.total.max_ns)}`,
            [["Part", ""], ["Mean", "number"], ["Share", "number"], ["p50", "number"], ["p99", "number"], ["Slowest request", "number"]],
            parts.map((part, i) => [part, part_text(group.mean_ns[i]), share(group.mean_ns[i] ?? 0, sum(group.mean_ns)),
                part_text(group.p50_ns?.[i]), part_text(group.p99_ns?.[i]), part_text(group.slowest?.parts_ns[i])]))),
        anatomy.unfinished?.length ? long_table("Requests that have not come to their end",
            [["Device", ""], ["Queue", "number"], ["Kind", ""], ["Request", "number"], ["Waits for", ""], ["Since", "number"]],
            anatomy.unfinished.map(each => [short_device(each.device), count_text(each.queue), each.kind || "not taken yet",
                each.number || "", each.waiting_for, exact_time(each.since_ns)])) : null);
}
