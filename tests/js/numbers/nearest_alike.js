/**
 * @param {Float32Array} y places (n, dims) @param {(i: number) => number} classOf of each point
 * @returns {number} how many points have one of their own class nearest to them
 */
export function countNearestAlike(y, n, dims, classOf) {
  const far = (a, b) => {
    let s = 0;
    for (let c = 0; c < dims; c++) s += (y[a * dims + c] - y[b * dims + c]) ** 2;
    return s;
  };
  let alike = 0;
  for (let i = 0; i < n; i++) {
    let best = -1;
    for (let j = 0; j < n; j++) if (j !== i && (best < 0 || far(i, j) < far(i, best))) best = j;
    if (classOf(best) === classOf(i)) alike++;
  }
  return alike;
}
