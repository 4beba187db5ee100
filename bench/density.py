"""How long the density of all points takes to draw under a sample, as processor time a picture.

Prints a table: what of a picture of 200,000 points takes how long in plots of two sizes, for cells
smaller and larger than a pixel. It needs Node.js, as the tests do.

    python bench/density.py
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from tests.test_javascript import find_node

SCRIPT = """
import { openGrid, underlay } from '#js/drawing/cells.js';
import { createPicture, drawStamps, plusStamps } from '#js/drawing/raster.js';
import { createNormal, createRandom } from '#js/numbers/random.js';
const [N, POINTS, ROUNDS] = [1024, 200000, 20];
const normal = createNormal(createRandom(1));
let before = process.cpuUsage();
function spent() {
  const { user, system } = process.cpuUsage(before);
  before = process.cpuUsage();
  return (user + system) / 1000;
}
const counts = new Uint32Array(N * N);
for (let i = 0; i < 4e6; i++) {
  const [u, v] = [Math.floor(N / 2 + 120 * normal()), Math.floor(N / 2 + 120 * normal())];
  if (u >= 0 && v >= 0 && u < N && v < N) counts[v * N + u]++;
}
spent();
const grid = openGrid({ low: [0, 0], high: [N, N], shape: [N, N], n_points: 4e6 }, counts);
console.log(`opened in ${spent().toFixed(0)} ms, once`);
console.log('plot         a cell   density   points   (ms of processor time a picture)');
for (const [width, height] of [[770, 700], [1900, 1000]])
  for (const side of [0.68, 1.5, 6]) {
    const area = { left: 0, top: 0, width, height };
    const xy = new Float32Array(2 * POINTS);
    for (let i = 0; i < xy.length; i += 2)
      [xy[i], xy[i + 1]] = [width / 2 + 120 * side * normal(), height / 2 + 120 * side * normal()];
    const points = { xy, colors: 0xff0000ff, order: null, levels: null, visible: null };
    const [bx, by] = [width / 2 - side * 512, height / 2 + side * 512];
    const look = { transform: { kx: side, bx, ky: -side, by }, area, dark: false };
    const picture = createPicture(width, height, 1);
    const stamps = plusStamps(0.125);
    const sums = [0, 0];
    for (let i = 0; i < ROUNDS; i++) {
      picture.pixels.fill(0);
      spent();
      drawStamps(picture, points, stamps, area);
      sums[0] += spent();
      underlay(picture, grid, look);
      sums[1] += spent();
    }
    const [drawn, under] = sums.map((sum) => (sum / ROUNDS).toFixed(1).padStart(7));
    console.log(`${width} x ${height}`.padEnd(12), `${side} px`.padEnd(8), under, drawn);
  }
"""


def main() -> None:
    """Print the table."""
    root = Path(__file__).parent.parent
    command = [find_node(), "--input-type=module", "-e", SCRIPT]
    subprocess.run(command, cwd=root, check=True)


if __name__ == "__main__":
    main()
