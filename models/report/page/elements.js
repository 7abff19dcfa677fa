// SPDX-License-Identifier: Apache-2.0
// What all sections are made of: elements, figures for people, tables, pictures that are as wide as the screen.

const svg_space = "http://www.w3.org/2000/svg";

/** An element. `attributes`: names and values; a function is a listener. `content`: elements and text, null is none. */
function element(tag, attributes = {}, ...content) {
    return dressed(document.createElement(tag), attributes, content);
}

function shape(tag, attributes = {}, ...content) {
    return dressed(document.createElementNS(svg_space, tag), attributes, content);
}

function dressed(made, attributes, content) {
    for (const [name, value] of Object.entries(attributes)) {
        if (typeof value === "function") {
            made.addEventListener(name, value);
        } else if (value !== null && value !== undefined && value !== false) {
            made.setAttribute(name, value === true ? "" : value);
        }
    }
    made.append(...content.flat().filter(each => each !== null && each !== undefined));
    return made;
}

// --- figures

function digits(value) {
    const size = Math.abs(value);
    const places = size === 0 || size >= 100 ? 0 : size >= 10 ? 1 : size >= 1 ? 2 : 3;
    return value.toLocaleString("en-US", {minimumFractionDigits: places, maximumFractionDigits: places});
}

function scaled(value, steps) {
    const [factor, unit] = steps.find(([least]) => Math.abs(value) >= least) ?? steps[steps.length - 1];
    return `${digits(value / factor)} ${unit}`;
}

const time_text = ns => scaled(ns, [[1e9, "s"], [1e6, "ms"], [1e3, "us"], [1, "ns"]]);
const exact_time = ns => `${ns.toLocaleString("en-US", {maximumFractionDigits: 3})} ns`;
const count_text = value => value.toLocaleString("en-US");
const bytes_text = bytes => bytes < 1024 ? `${count_text(bytes)} B`
    : scaled(bytes, [[2 ** 30, "GiB"], [2 ** 20, "MiB"], [2 ** 10, "KiB"]]);
const hex = number => `0x${number.toString(16)}`;

function quantity_text(value, unit) {
    if (value === null || value === undefined) {
        return "not known";
    }
    return unit === "ns" ? time_text(value) : unit === "bytes" ? bytes_text(value)
        : `${Number.isInteger(value) ? count_text(value) : digits(value)} ${unit}`.trim();
}

/** A moment: short to read, in full to look up. */
const moment = ns => element("span", {title: exact_time(ns)}, time_text(ns));

// --- tables

/** `columns`: [title, "number" | "long" | ""]; `rows`: cells; what the table says stands in `caption`. */
function table(caption, columns, rows) {
    return element("div", {class: "scroll", tabindex: 0, role: "region", "aria-label": caption},
        element("table", {},
            element("caption", {}, caption),
            element("thead", {}, element("tr", {},
                columns.map(([title, kind]) => element("th", {scope: "col", class: kind || null}, title)))),
            element("tbody", {}, rows.map(cells => element("tr", {},
                cells.map((cell, i) => element("td", {class: columns[i][1] || null}, cell ?? "")))))));
}

/** The first `most` rows, the others behind a word. */
function long_table(caption, columns, rows, most = 12) {
    if (rows.length <= most + 3) {
        return table(caption, columns, rows);
    }
    return element("div", {}, table(caption, columns, rows.slice(0, most)),
        element("details", {}, element("summary", {}, `${count_text(rows.length - most)} more`),
            table(`${caption}: the rest`, columns, rows.slice(most))));
}

const paragraph = (...content) => element("p", {}, ...content);
const quiet = (...content) => element("p", {class: "quiet"}, ...content);
const legend = entries => element("ul", {class: "legend"},
    entries.map(([look, text]) => element("li", {}, element("span", {class: `swatch ${look}`}), text)));

// --- pictures

/**
 * A picture that is drawn again whenever it becomes wider or narrower. `draw(width)` returns [height, shapes]; `name` is what
 * a screen reader says of it.
 */
function picture(name, draw, attributes = {}) {
    const drawing = shape("svg", {role: "img", "aria-label": name, ...attributes});
    const place = element("div", {}, drawing);
    let last = 0;
    const redraw = () => {
        const width = Math.floor(place.clientWidth) || 800;
        if (width !== last) {
            last = width;
            const [height, shapes] = draw(width);
            drawing.setAttribute("viewBox", `0 0 ${width} ${height}`);
            drawing.setAttribute("width", width);
            drawing.setAttribute("height", height);
            drawing.replaceChildren(...shapes.flat(Infinity).filter(each => each));
        }
    };
    new ResizeObserver(redraw).observe(place);
    place.redraw = () => { last = 0; redraw(); };
    return place;
}

/** Round numbers between two, about `wanted` of them. */
function ticks(from, to, wanted) {
    const rough = (to - from) / wanted;
    const power = 10 ** Math.floor(Math.log10(rough));
    const step = [1, 2, 5, 10].map(each => each * power).find(each => each >= rough);
    const first = Math.ceil(from / step);
    return Array.from({length: Math.max(0, Math.floor(to / step) - first + 1)}, (_, i) => (first + i) * step);
}

const tooltip = text => shape("title", {}, text);

/** `text`, or its beginning, for about `width` pixels of small type. */
function fitted(text, width) {
    const most = Math.floor(width / 6.6);
    return text.length <= most ? text : most < 4 ? "" : `${text.slice(0, most - 1)}…`;
}
