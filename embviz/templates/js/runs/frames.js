/** The recorded frames of a run are dropped where they would hold more numbers than this. */
const MOST_VALUES = 8e6;

/**
 * Keep the frames of a run until it is done.
 *
 * @param {number} size numbers a frame @param {string} unit what a step is called
 * @returns {{add: (frame: {iteration: number, kl: number | null, data: Float32Array}) => void, take: () => any}}
 *   `take` gives what an entry has of frames, nothing where there are less than two
 */
export function createFrames(size, unit) {
  let kept = [];
  return {
    add(frame) {
      if ((kept.length + 1) * size <= MOST_VALUES) kept.push(frame);
    },
    take() {
      const found = kept;
      kept = [];
      if (found.length < 2) return {};
      const frameData = new Float32Array(found.length * size);
      found.forEach(({ data }, i) => frameData.set(data, i * size));
      return {
        frameData,
        frames: {
          unit,
          steps: found.map(({ iteration }) => String(iteration)),
          figures: found.some(({ kl }) => kl !== null) ? { kl_divergence: found.map(({ kl }) => kl) } : {},
        },
      };
    },
  };
}
