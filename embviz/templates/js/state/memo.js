/**
 * Keep the last result of each kind while its inputs stay the same objects.
 *
 * @typedef {<T>(kind: string, inputs: any[], compute: () => T) => T} Memo
 * @returns {Memo}
 */
export function createMemo() {
  const kept = new Map();
  return (kind, inputs, compute) => {
    const last = kept.get(kind);
    if (last && last.inputs.every((input, i) => Object.is(input, inputs[i]))) return last.value;
    const value = compute();
    kept.set(kind, { inputs, value });
    return value;
  };
}
