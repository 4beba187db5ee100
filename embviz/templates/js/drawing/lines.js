import { projectPoint } from '#js/drawing/camera.js';

/** Nearer to the camera's plane than this, in parts of the scene, nothing is drawn. */
const CLIP = 1e-3;

/** @returns {number[][] | null} the two ends on the screen of what of a line lies before the camera */
export function clippedLine(a, b, m, area) {
  const depth = ([x, y, z]) => m[3] * x + m[7] * y + m[11] * z + m[15];
  const [da, db] = [depth(a), depth(b)];
  if (da <= CLIP && db <= CLIP) return null;
  const cut = (from, to, df, dt) =>
    df > CLIP ? from : from.map((x, j) => x + (to[j] - x) * ((CLIP - df) / (dt - df)));
  return [cut(a, b, da, db), cut(b, a, db, da)].map((end) => projectPoint(end, m, area));
}
