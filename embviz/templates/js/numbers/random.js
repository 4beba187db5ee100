/**
 * Uniform numbers that a seed repeats (mulberry32 by Tommy Ettinger, public domain).
 *
 * @param {number} seed @returns {() => number} each in 0 .. 1, without 1
 */
export function createRandom(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

/**
 * @param {() => number} random
 * @returns {() => number} numbers of the standard normal distribution, by Box and Muller
 */
export function createNormal(random) {
  return () => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
}
