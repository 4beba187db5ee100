import { together } from '#js/numbers/coordinates.js';
import { isSameView } from '#js/drawing/camera.js';
import { createPlot } from '#js/plot/plot.js';

/**
 * @import { Plot } from '#js/plot/plot.js'
 * @import { PlotListeners, Style } from '#js/plot/types.js'
 * @typedef {ReturnType<typeof createPair>} Pair
 */

/**
 * One plot, or several of the same points that are seen by one camera: where one of them is moved the others follow.
 *
 * @param {HTMLElement[]} elements one a plot
 * @param {PlotListeners} on each is told the plot's number last
 */
export function createPair(elements, on) {
  /** @type {Plot[]} */
  const plots = elements.map((element, at) =>
    createPlot(element, {
      hover: (row, x, y) => on.hover?.(row, x, y, at),
      click: (row, mode) => on.click?.(row, mode, at),
      select: (rows, mode) => on.select?.(rows, mode, at),
      name: (group, mode) => on.name?.(group, mode, at),
      camera(camera, settled) {
        lead(at, camera, settled);
        on.camera?.(camera, settled);
      },
      told: (text) => on.told?.(text),
      measured: () => join(at),
      unsupported: (message) => on.unsupported?.(message),
    }),
  );
  const [first] = plots;
  /** How many of the plots are on screen. */
  let shown = 1;

  /** The others follow the one that the reader moves; what they tell when they arrive is no news. */
  function lead(at, camera, settled) {
    plots.forEach((plot, i) => {
      if (i !== at && (!isSameView(plot.camera(), camera) || (settled && plot.isBehind())))
        plot.follow(camera, settled);
    });
  }

  /** A plot that has just found its size sees what the first one does. */
  function join(at) {
    const camera = first.camera();
    if (at > 0 && camera && !isSameView(plots[at].camera(), camera)) plots[at].follow(camera, true);
  }

  return {
    plots,
    /** @param {number} count how many are on screen from now on */
    show(count) {
      if (count === shown) return;
      shown = count;
      for (const plot of plots) plot.resize();
    },
    /** @param {Parameters<Plot['setPoints']>[0][]} scenes one a plot on screen; the same ends hold for all */
    setPoints(scenes) {
      const ranges = scenes.length > 1 ? together(scenes.map((scene) => scene.ranges)) : scenes[0].ranges;
      const around = scenes.map(({ coordinates }) => coordinates);
      scenes.forEach((scene, at) => plots[at].setPoints({ ...scene, ranges, around }));
      for (let at = 1; at < scenes.length; at++) join(at);
    },
    /** @param {Partial<Style>[]} styles one a plot on screen */
    setStyle: (styles) => styles.forEach((style, at) => plots[at].setStyle(style)),
    setPlotly: (Plotly) => plots.forEach((plot) => plot.setPlotly(Plotly)),
    setTool: (tool) => plots.forEach((plot) => plot.setTool(tool)),
    /** @returns {boolean} false where the camera is not one for what is shown */
    setCamera(camera) {
      const isSet = first.setCamera(camera);
      if (isSet) for (let at = 1; at < shown; at++) plots[at].follow(first.camera(), true);
      return isSet;
    },
    reaches: first.reaches,
    camera: first.camera,
    isHome: first.isHome,
    resetView() {
      first.resetView();
      if (first.camera()) for (let at = 1; at < shown; at++) plots[at].follow(first.camera(), true);
    },
    /** Bring points into sight: of several plots those of the first, which the others follow. */
    reveal: (rows) => first.reveal(rows),
    /** @returns {Float32Array} positions from the corner of one of the plots */
    screenPositions: (at = 0) => plots[at].screenPositions(),
    /** The names in one of the plots. */
    names: (at = 0) => plots[at].names(),
    /** @returns {Plot[]} those on screen, from the left */
    onScreen: () => plots.slice(0, shown),
  };
}
