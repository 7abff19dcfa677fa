// SPDX-License-Identifier: Apache-2.0
// The machine as a diagram: what is where on the three sides of the trust boundary, and how much went between them.

/** The boxes of a run's machine: {side, title, facts}, by what its metrics are called. */
function parts_of(run) {
    const {counters, levels, tallies} = run.metrics;
    const count = name => counters[`machine.${name}`]?.value ?? 0;
    const total = name => tallies[`machine.${name}`]?.total ?? 0;
    const all = (group, pattern, of) => Object.entries(group).filter(([name]) => pattern.test(name)).reduce((n, [, each]) => n + of(each), 0);
    const names = [...new Set([...Object.keys(counters), ...Object.keys(tallies), ...Object.keys(levels)].map(name => name.split(".")[1]))];
    const facts = rows => rows.filter(([, value]) => value).map(([name, value, unit]) => `${name} ${unit === "bytes" ? bytes_text(value) : count_text(value)}`);
    const boxes = [];
    for (const cpu of names.filter(name => /^cpu\d+$/.test(name)).slice(0, 4)) {
        boxes.push({side: "guest", id: "cpu", title: `Guest CPU ${cpu.slice(3)}`, facts: facts([["hypercalls", total(`${cpu}.hypercalls`)], ["ultracalls", total(`${cpu}.ultracalls`)],
            ["MMIO", count(`${cpu}.mmio_loads`) + count(`${cpu}.mmio_stores`)], ["interrupts", count(`${cpu}.interrupts`)]])});
    }
    const more = names.filter(name => /^cpu\d+$/.test(name)).length - 4;
    if (more > 0) {
        boxes.push({side: "guest", id: "cpu", title: `${more} more guest CPUs`, facts: []});
    }
    for (const operations of ["direct", "swiotlb", "iommu"].filter(name => total(`${name}.x`) || count(`${name}.maps`))) {
        boxes.push({side: "guest", id: "dma", title: `DMA operations: ${operations}`, facts: facts([["maps", count(`${operations}.maps`)], ["failures", count(`${operations}.failures`)],
            ["copied", count(`${operations}.bytes_to_bounce`) + count(`${operations}.bytes_from_bounce`), "bytes"]])});
    }
    boxes.push({side: "shared", id: "pool", title: "Pages that the host can read", facts: [
        `${count_text(run.exposure.pages_exposed)} pages`,
        ...(levels["machine.swiotlb.pool_used"] ? [`pool: up to ${count_text(levels["machine.swiotlb.pool_used"].high_water)} of ${count_text(levels["machine.swiotlb.pool_slots"]?.value ?? counters["machine.swiotlb.pool_slots"]?.value ?? 0)} slots`] : [])]});
    if (names.includes("ultravisor")) {
        boxes.push({side: "trusted", id: "uv", title: "Ultravisor", facts: facts([["ultracalls", total("ultravisor.ultracalls")], ["hypercalls reflected", total("ultravisor.hypercalls")],
            ["MMIO reflected", count("ultravisor.mmio_reflected")], ["pages encrypted", count("ultravisor.pages_encrypted")], ["refused as tampered", count("ultravisor.tamper_refusals")]])});
    }
    boxes.push({side: "untrusted", id: "hv", title: "Hypervisor", facts: facts([["hypercalls", total("hypervisor.hypercalls")], ["MMIO exits", count("hypervisor.mmio_exits")],
        ["refused", count("hypervisor.hypercalls_refused")]])});
    boxes.push({side: "untrusted", id: "pci", title: "PCI host bridge", facts: facts([["TCE lookups", count("pci.tce_lookups")], ["bypasses", count("pci.iommu_bypasses")],
        ["messages", count("pci.interrupt_messages")], ["IOMMU faults", count("pci.iommu_faults")]])});
    for (const device of names.filter(name => /^virtio-/.test(name)).slice(0, 6)) {
        const of = suffix => all(counters, new RegExp(`^machine\\.${device}\\.\\w+\\.${suffix}$`), each => each.value);
        boxes.push({side: "untrusted", id: "device", title: device, facts: facts([["doorbells", of("doorbells")], ["interrupts", of("interrupts")],
            ["read", count(`${device}.dma_bytes_read`), "bytes"], ["written", count(`${device}.dma_bytes_written`), "bytes"], ["errors", of("errors")]])});
    }
    for (const controller of ["xics", "xive"].filter(name => total(`${name}.interrupts_presented`))) {
        boxes.push({side: "untrusted", id: "ic", title: controller.toUpperCase(), facts: facts([["interrupts", total(`${controller}.interrupts_presented`)]])});
    }
    const cpu_sum = suffix => all(tallies, new RegExp(`^machine\\.cpu\\d+\\.${suffix}$`), each => each.total);
    const reflected = total("ultravisor.hypercalls") > 0;
    const mmio = `${count_text(count("hypervisor.mmio_exits"))} MMIO`;
    const dma = all(counters, /^machine\.virtio-[^.]+\.dma_bytes_(read|written)$/, each => each.value);
    // With MSR[S]=1 every call and every MMIO access passes through the Ultravisor.
    const arrows = [
        ...(reflected ? [["cpu", "uv", `${count_text(cpu_sum("ultracalls"))} ultracalls, ${mmio}`], ["uv", "hv", `${count_text(total("ultravisor.hypercalls"))} reflected`]]
            : [["cpu", "hv", `${count_text(cpu_sum("hypercalls"))} hypercalls, ${mmio}`]]),
        ["hv", "pci", ""],
        ["device", "pool", `DMA ${bytes_text(dma)}`],
    ];
    return {boxes, arrows};
}

const side_names = {guest: "Guest", shared: "Shared", trusted: "Trusted", untrusted: "Untrusted host"};

function machine_section(run) {
    const {boxes, arrows} = parts_of(run);
    const high = box => 26 + 16 * box.facts.length;
    const place = (list, x, y, wide, gap) => {
        for (const box of list) {
            Object.assign(box, {x, y, wide, high: high(box)});
            y += box.high + gap;
        }
        return y;
    };
    const draw = width => {
        const shapes = [];
        const columns = width >= 760;
        const of = (...sides) => boxes.filter(box => sides.includes(box.side));
        let bottom;
        const secure = (run.metrics.tallies["machine.ultravisor.ultracalls"]?.counts.UV_ESM ?? 0) > 0;
        const heading = (side, x, y) => shapes.push(shape("text", {class: side, x, y, "font-weight": 700},
            side === "guest" ? (secure ? "Guest: protected" : "Guest: not protected") : side_names[side]));
        if (columns) {
            const gap = Math.max(90, width * .11), wide = (width - 2 * gap) / 3;
            const lanes = [["guest", ["guest", "shared"]], ["trusted", ["trusted"]], ["untrusted", ["untrusted"]]];
            bottom = Math.max(...lanes.map(([side, sides], i) => {
                heading(side, i * (wide + gap), 14);
                return place(of(...sides), i * (wide + gap), 24, wide, 14);
            }));
        } else {
            bottom = 0;
            for (const [side, sides] of [["guest", ["guest", "shared"]], ["trusted", ["trusted"]], ["untrusted", ["untrusted"]]]) {
                if (of(...sides).length) {
                    heading(side, 0, bottom + 14);
                    bottom = place(of(...sides), 0, bottom + 24, width, 8) + 10;
                }
            }
        }
        if (columns) {
            for (const [from, to, text] of arrows) {
                const a = boxes.find(box => box.id === from), b = boxes.find(box => box.id === to);
                if (a && b) {
                    shapes.push(arrow(a, b, text));
                }
            }
        }
        for (const box of boxes) {
            shapes.push(shape("rect", {class: box.side, x: box.x + .5, y: box.y + .5, width: box.wide - 1, height: box.high - 1, rx: 5}),
                shape("text", {x: box.x + 8, y: box.y + 17, "font-weight": 600}, fitted(box.title, box.wide - 12)),
                box.facts.map((fact, i) => shape("text", {class: "quiet", x: box.x + 8, y: box.y + 34 + 16 * i}, fitted(fact, box.wide - 12))));
        }
        return [bottom + 4, shapes];
    };
    const arrow = (a, b, text) => {
        const rightward = b.x > a.x, same = b.x === a.x;
        const y = same ? 0 : Math.min(Math.max(a.y, b.y) + 18, a.y + a.high - 6);
        const to_y = Math.min(Math.max(y, b.y + 14), b.y + b.high - 6);
        const x1 = rightward ? a.x + a.wide : a.x, x2 = rightward ? b.x : b.x + b.wide;
        const tip = rightward ? -7 : 7;
        if (same) {
            const x = a.x + a.wide / 2, down = b.y > a.y;
            return [shape("path", {class: "arrow", d: `M${x} ${down ? a.y + a.high : a.y}V${down ? b.y - 6 : b.y + b.high + 6}`}),
                shape("path", {class: "arrow-head", d: `M${x} ${down ? b.y : b.y + b.high}l-4 ${down ? -7 : 7}h8z`})];
        }
        const long = Math.abs(x2 - x1) > a.wide;  // past the lane in between: the label stands at its end
        const words = text.split(", ");
        const label_x = long ? x2 + tip * 2 : (x1 + x2) / 2;
        return [shape("path", {class: "arrow", d: `M${x1} ${y}L${x2 + tip} ${to_y}`}),
            shape("path", {class: "arrow-head", d: `M${x2} ${to_y}l${tip} -4v8z`}),
            words.map((word, i) => shape("text", {class: "quiet", x: label_x, y: (long ? to_y : (y + to_y) / 2) - 6 - 13 * (words.length - 1 - i),
                "text-anchor": long ? (rightward ? "end" : "start") : "middle"}, word))];
    };
    return element("section", {"aria-labelledby": "machine"},
        element("h2", {id: "machine"}, "The machine"),
        picture(`Diagram. ${boxes.map(box => `${side_names[box.side]}: ${box.title}${box.facts.length ? ` (${box.facts.join(", ")})` : ""}`).join(". ")}.`, draw));
}
