/** @import { Manifest } from '#js/data/types.js' */

/**
 * Reads the page's manifest and blocks. A block is gzip'd, base64'd, little-endian bytes; arrays of
 * more than one byte an item come byte plane by byte plane (embviz/report/blocks.py writes them).
 */

/** Of the manifest, which Python writes (embviz/report/payload.py). */
const VERSION = 2;

const ARRAYS = {
  uint8: Uint8Array,
  int8: Int8Array,
  uint16: Uint16Array,
  uint32: Uint32Array,
  int32: Int32Array,
  float16: Uint16Array,
  bfloat16: Uint16Array,
  float32: Float32Array,
};

/**
 * @param {(id: string) => string} readText the text of the element with an id, once
 * @returns {{manifest: Manifest, block: (name: string) => Promise<any>, text: (name: string) => Promise<string>}}
 */
export function openPayload(readText) {
  const manifest = JSON.parse(readText('manifest'));
  if (manifest.version !== VERSION) {
    const found = manifest.version ?? 'an unknown version';
    throw new Error(
      `its data are of version ${found} and its script reads version ${VERSION}; make the file again with one embviz`,
    );
  }
  const opened = new Map();
  /** @returns {Promise<any>} what `read` makes of a block's bytes @throws {Error} that names the block */
  async function open(name, read) {
    const text = readText(`block-${name}`);
    try {
      return read(await inflate(fromBase64(text)));
    } catch (error) {
      throw new Error(`the block ${name} of this file is damaged (${error.message})`, { cause: error });
    }
  }
  const block = (name) => {
    const entry = manifest.blocks[name];
    if (!entry) return Promise.reject(new Error(`The page has no block ${name}`));
    if (!opened.has(name))
      opened.set(
        name,
        open(name, (data) => decode(data, entry)),
      );
    return opened.get(name);
  };
  return { manifest, block, text: (name) => open(name, (data) => new TextDecoder().decode(data)) };
}

/**
 * @param {Uint8Array} data
 * @param {{dtype: string, shape?: number[], offset?: number[], step?: number[], values?: number[],
 *   delta?: boolean, by_axis?: boolean}} entry
 * @returns {any} a typed array, C order, or the JSON value; 16-bit floats and steps become Float32Array
 */
export function decode(data, entry) {
  if (entry.dtype === 'json') return JSON.parse(new TextDecoder().decode(data));
  if (entry.dtype === 'texts') return fromPlaces(data, entry.shape[0]);
  const Kind = ARRAYS[entry.dtype];
  const array = new Kind(unshuffle(data, Kind.BYTES_PER_ELEMENT).buffer);
  const wanted = entry.shape.reduce((a, b) => a * b, 1);
  if (array.length !== wanted) throw new Error(`A block holds ${array.length} values where ${wanted} belong`);
  if (entry.delta) addUp(array, wanted / entry.shape[0]);
  if (entry.dtype === 'float16') return fromFloat16(array);
  if (entry.dtype === 'bfloat16') return fromUpperHalves(array);
  if (entry.values) return fromCodes(array, Float32Array.from(entry.values));
  if (entry.by_axis) return fromSteps(byPoint(array, entry.shape[1]), entry.offset, entry.step);
  return entry.step ? fromSteps(array, entry.offset, entry.step) : array;
}

/** @param {Uint8Array} data JSON of the texts that differ, a line feed, of each point a place @returns {string[]} */
function fromPlaces(data, n) {
  const end = data.indexOf(10);
  const texts = JSON.parse(new TextDecoder().decode(data.subarray(0, end)));
  const packed = data.subarray(end + 1);
  const places = packed.length === n ? packed : new Uint16Array(unshuffle(packed, 2).buffer);
  if (places.length !== n) throw new Error(`A block holds ${places.length} texts where ${n} belong`);
  return Array.from(places, (place) => texts[place]);
}

/** @param {Uint16Array} array k axes of n numbers @returns {Uint16Array} n points of k numbers */
function byPoint(array, k) {
  const out = new Uint16Array(array.length);
  for (let axis = 0, from = 0; axis < k; axis++) for (let to = axis; to < out.length; to += k) out[to] = array[from++];
  return out;
}

/** @param {Uint8Array} data @param {number} size bytes an item @returns {Uint8Array} */
export function unshuffle(data, size) {
  const n = data.length / size;
  const out = new Uint8Array(data.length);
  if (size === 1) out.set(data);
  for (let plane = 0; size > 1 && plane < size; plane++) {
    for (let i = 0, from = plane * n, to = plane; i < n; i++, to += size) out[to] = data[from + i];
  }
  return out;
}

/**
 * @param {Uint16Array | Uint32Array} steps (…, k) @param {number[]} offset k values @param {number[]} step
 * @returns {Float32Array}
 */
export function fromSteps(steps, offset, step) {
  const k = step.length;
  const out = new Float32Array(steps.length);
  for (let i = 0, c = 0; i < steps.length; i++) {
    out[i] = offset[c] + steps[i] * step[c];
    if (++c === k) c = 0;
  }
  return out;
}

/** Make parts of `size` numbers of their differences, modulo 65,536. @param {Uint16Array} frames changed in place */
function addUp(frames, size) {
  for (let i = size; i < frames.length; i++) frames[i] += frames[i - size];
}

/** @param {Uint16Array} halves the upper 16 bits of 32-bit floats @returns {Float32Array} */
function fromUpperHalves(halves) {
  const out = new Uint32Array(halves.length);
  for (let i = 0; i < halves.length; i++) out[i] = halves[i] << 16;
  return new Float32Array(out.buffer);
}

/** @param {Uint8Array} codes places in values @param {Float32Array} values @returns {Float32Array} */
function fromCodes(codes, values) {
  const out = new Float32Array(codes.length);
  for (let i = 0; i < codes.length; i++) out[i] = values[codes[i]];
  return out;
}

let halves = null;

/** @param {Uint16Array} bits IEEE 754 binary16 @returns {Float32Array} */
export function fromFloat16(bits) {
  if (!halves) {
    halves = new Float32Array(65536);
    for (let b = 0; b < 65536; b++) {
      const exponent = (b >> 10) & 31;
      const fraction = b & 1023;
      const magnitude =
        exponent === 0
          ? fraction * 2 ** -24
          : exponent === 31
            ? fraction
              ? NaN
              : Infinity
            : (1 + fraction / 1024) * 2 ** (exponent - 15);
      halves[b] = b & 0x8000 ? -magnitude : magnitude;
    }
  }
  const out = new Float32Array(bits.length);
  for (let i = 0; i < bits.length; i++) out[i] = halves[bits[i]];
  return out;
}

/** @param {string} text base64 @returns {Uint8Array<ArrayBuffer>} */
export function fromBase64(text) {
  const Newer = /** @type {any} */ (Uint8Array);
  if (Newer.fromBase64) return Newer.fromBase64(text);
  const raw = atob(text);
  const out = new Uint8Array(raw.length);
  for (let i = 0; i < raw.length; i++) out[i] = raw.charCodeAt(i);
  return out;
}

/**
 * The stream is fed by hand: that of a Blob takes its bytes through another process, and many small blocks take twice
 * as long.
 *
 * @param {Uint8Array<ArrayBuffer>} data gzip @returns {Promise<Uint8Array>}
 */
export async function inflate(data) {
  const { readable, writable } = new DecompressionStream('gzip');
  const writer = writable.getWriter();
  // What is wrong with the data is thrown where they are read.
  const ignore = () => {};
  writer.write(data).catch(ignore);
  writer.close().catch(ignore);
  const parts = [];
  let length = 0;
  const reader = readable.getReader();
  for (let next = await reader.read(); !next.done; next = await reader.read()) {
    parts.push(next.value);
    length += next.value.length;
  }
  if (parts.length === 1) return parts[0];
  const out = new Uint8Array(length);
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}
