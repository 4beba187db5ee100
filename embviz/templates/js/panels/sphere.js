import { format, h, setText } from '#js/dom.js';
import { combined } from '#js/state/select.js';

/** @import { State } from '#js/data/types.js' */

const FIRST_RADIUS = 0.1;

/**
 * The selection sphere in 3D: a click on a point takes all within a radius of it; a slider sets the radius.
 *
 * @returns {{element: HTMLElement, click: (row: number, mode: string) => void, render: (state: State) => void}}
 */
export function createSphere(page, view) {
  const slider = h('input', {
    type: 'range',
    min: 0.005,
    max: 1,
    step: 0.005,
    aria: { label: 'Radius of the selection sphere' },
    on: { input: () => put(Number(slider.value)) },
  });
  const count = h('output.count');
  const radius = h('label.sphere-radius', {}, 'Radius', slider, count);
  const hint = h('span.hint', {}, 'Click a point: all within a radius of it are selected');
  const element = h('div.sphere-bar', { attributes: { role: 'status' } }, hint, radius);
  let started = { row: -1, before: new Int32Array(0), mode: 'replace' };
  let last = FIRST_RADIUS;

  function put(radius) {
    last = radius;
    const sphere = { row: started.row, radius };
    view.set({ sphere, selected: combined(started.before, view.rowsInSphere(sphere), started.mode) });
  }

  return {
    element,
    click(row, mode) {
      started = { row, before: view.get().selected, mode };
      put(last);
    },
    render(state) {
      const isInHand = state.tool === 'sphere' && state.dims === 3;
      hint.hidden = state.sphere !== null;
      radius.hidden = state.sphere === null;
      element.hidden = state.sphere === null && !isInHand;
      if (state.sphere === null) return;
      if (state.sphere.row !== started.row)
        started = { row: state.sphere.row, before: new Int32Array(0), mode: 'replace' };
      if (Number(slider.value) !== state.sphere.radius) slider.value = String(state.sphere.radius);
      slider.setAttribute(
        'aria-valuetext',
        `${format(Number((100 * state.sphere.radius).toPrecision(3)))} % of the longest side`,
      );
      setText(count, `${format(view.rowsInSphere(state.sphere).length)} points`);
    },
  };
}
