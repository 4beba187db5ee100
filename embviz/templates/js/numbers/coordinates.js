/**
 * @param {Float32Array} data (n, n_components), row by row
 * @param {number} n_components @param {number[]} components which are wanted
 * @returns {Float32Array} (n, components.length), row by row
 */
export function pick(data, n_components, components) {
  const k = components.length;
  if (k === n_components && components.every((c, i) => c === i)) return data;
  const n = data.length / n_components;
  const out = new Float32Array(n * k);
  for (let i = 0; i < n; i++) for (let j = 0; j < k; j++) out[i * k + j] = data[i * n_components + components[j]];
  return out;
}

/**
 * The coordinates between two recorded frames.
 *
 * @param {Float32Array} frames (m, n, k) @param {number} size n * k
 * @param {number} at 0 .. m - 1, fractions in between
 * @returns {Float32Array} (n, k)
 */
export function frameAt(frames, size, at) {
  const last = frames.length / size - 1;
  const low = Math.max(0, Math.min(last, Math.floor(at)));
  const part = Math.min(1, at - low);
  const from = frames.subarray(low * size, (low + 1) * size);
  if (part <= 0 || low >= last) return from;
  const to = frames.subarray((low + 1) * size, (low + 2) * size);
  const out = new Float32Array(size);
  for (let i = 0; i < size; i++) out[i] = from[i] + (to[i] - from[i]) * part;
  return out;
}

/** @returns {{min: number[], max: number[]}} the box of some points; all where rows is null */
export function bounds(coordinates, k, rows = null) {
  const min = new Array(k).fill(Infinity);
  const max = new Array(k).fill(-Infinity);
  const grow = (i) => {
    for (let j = 0; j < k; j++) {
      const x = coordinates[i * k + j];
      if (x < min[j]) min[j] = x;
      if (x > max[j]) max[j] = x;
    }
  };
  if (rows) for (const row of rows) grow(row);
  else for (let i = 0; i < coordinates.length / k; i++) grow(i);
  return { min, max };
}

/** @param {{min: number[], max: number[]}[]} boxes @returns {{min: number[], max: number[]}} the box around all */
export const together = (boxes) => ({
  min: boxes[0].min.map((x, j) => Math.min(x, ...boxes.map(({ min }) => min[j]))),
  max: boxes[0].max.map((x, j) => Math.max(x, ...boxes.map(({ max }) => max[j]))),
});
