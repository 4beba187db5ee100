/** @returns {string} the shortest decimal that reads back as the same 32-bit float */
export function shortest(value) {
  if (Number.isInteger(value) && Math.abs(value) < 1e15) return String(value === 0 ? 0 : value);
  for (let digits = 6; digits < 9; digits++) {
    const near = Number(value.toPrecision(digits));
    if (Math.fround(near) === Math.fround(value)) return String(near);
  }
  return String(Number(value.toPrecision(9)));
}
