// SPDX-License-Identifier: Apache-2.0
//
// node ask_trace_processor.js DIRECTORY TRACE <queries.json >results.json
//
// Perfetto's trace_processor, compiled to WebAssembly and wrapped as a browser's worker (engine_bundle.js) in DIRECTORY, reads a
// trace and answers queries: {"name": "select ..."} becomes {"name": [{"column": value}]}. Its protocol is
// protos/perfetto/trace_processor/trace_processor.proto: TraceProcessorRpcStream both ways.
"use strict";
const fs = require("fs");
const path = require("path");
const vm = require("vm");

const [, , directory, trace] = process.argv;
const queries = JSON.parse(fs.readFileSync(0, "utf8"));

// --- protobuf, as far as it is needed here: fields are varints or bytes

const varint = (n) => (n < 0x80 ? [n] : [(n & 0x7f) | 0x80, ...varint(Math.floor(n / 0x80))]);
const number = (field, value) => Buffer.from([...varint(field << 3), ...varint(value)]);
const bytes = (field, value) => Buffer.concat([Buffer.from([...varint((field << 3) | 2), ...varint(value.length)]), value]);

function* varints(data) {
    for (let value = 0n, shift = 0n, at = 0; at < data.length; ++at) {
        value |= BigInt(data[at] & 0x7f) << shift;
        shift += 7n;
        if (data[at] < 0x80) {
            yield [BigInt.asIntN(64, value), at + 1];
            value = shift = 0n;
        }
    }
}

function* fields(data) {
    while (data.length > 0) {
        const [tag, length] = varints(data).next().value;
        data = data.subarray(length);
        const [value, next] = varints(data).next().value;
        const long = (tag & 7n) === 2n;
        yield [Number(tag >> 3n), long ? data.subarray(next, next + Number(value)) : value];
        data = data.subarray(long ? next + Number(value) : next);
    }
}

// --- TraceProcessorRpc

const append = 1, finalize = 2, query = 3;  // TraceProcessorMethod
const requests = [{ request: append, argument: bytes(101, fs.readFileSync(trace)) }, { request: finalize, argument: Buffer.alloc(0) },
    ...Object.values(queries).map((sql) => ({ request: query, argument: bytes(103, bytes(1, Buffer.from(sql))) }))];
const names = Object.keys(queries);
const results = Object.fromEntries(names.map((name) => [name, { columns: [], cells: [] }]));

/** \returns whether it is the last one of its query */
function readBatch(data, cells) {
    const got = { kinds: [], numbers: [], floats: [], strings: [], last: false };
    for (const [field, value] of fields(data)) {
        if (field === 1) {
            got.kinds = [...varints(value)].map(([kind]) => Number(kind));
        } else if (field === 2) {
            got.numbers = [...varints(value)].map(([each]) => Number(each));
        } else if (field === 3) {
            got.floats = Array.from({ length: value.length / 8 }, (_, i) => value.readDoubleLE(8 * i));
        } else if (field === 5) {
            got.strings = value.toString().split("\0");
        } else if (field === 6) {
            got.last = true;
        }
    }
    const next = { 1: () => null, 2: () => got.numbers.shift(), 3: () => got.floats.shift(), 4: () => got.strings.shift() };
    cells.push(...got.kinds.map((kind) => next[kind]()));
    return got.last;
}

let answered = 0;  // queries

function readResult(data) {
    const into = results[names[answered]];
    for (const [field, value] of fields(data)) {
        if (field === 1) {
            into.columns.push(value.toString());
        } else if (field === 2) {
            throw new Error(value.toString());
        } else if (field === 3 && readBatch(value, into.cells)) {
            ++answered;
        }
    }
}

function table({ columns, cells }) {
    const rows = [];
    for (let at = 0; at < cells.length; at += columns.length) {
        rows.push(Object.fromEntries(columns.map((column, i) => [column, cells[at + i]])));
    }
    return rows;
}

let received = Buffer.alloc(0);
const port = {
    postMessage(data) {
        for (const [, message] of fields(Buffer.from(data))) {  // one message, or several
            const rpc = Object.fromEntries(fields(message));
            if (rpc[5]) {
                throw new Error(rpc[5].toString());
            }
            if (rpc[203]) {
                readResult(rpc[203]);
            }
        }
    },
};

// --- the worker's world

global.importScripts = () => {};
global.self = { addEventListener() {} };
console.log = console.warn = () => {};
process.chdir(directory);
const worker = fs.readFileSync("engine_bundle.js", "utf8");
vm.runInThisContext(`(function (require, __dirname) { ${worker} })`)(require, path.resolve("."));
self.onmessage({ data: { enginePort: port } });

setTimeout(() => {  // behind what waits for the module
    try {
        requests.forEach(({ request, argument }, sequence) => {
            const rpc = Buffer.concat([number(1, sequence), number(2, request), argument]);
            port.onmessage({ data: new Uint8Array(bytes(1, rpc)) });
        });
    } catch (error) {  // the worker has its own way with what nobody catches
        process.stderr.write(`${error.stack}\n`);
        process.exit(1);
    }
    process.stdout.write(JSON.stringify(Object.fromEntries(names.map((name) => [name, table(results[name])]))));
});
