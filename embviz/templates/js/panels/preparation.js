import { covarianceOf } from '#js/numbers/axes.js';
import { times } from '#js/numbers/linalg.js';
import { leadingLeft } from '#js/numbers/pca.js';
import { ownTab } from '#js/state/tabs.js';

/** @import { Page } from '#js/data/types.js' */

/**
 * While the page rests, get ready what an axis without queries needs, so that the first one answers as fast as the
 * rest.
 *
 * @param {Page} page
 */
export function prepareAxes(page) {
  const covariance = page.vectors && ownTab(page.tabs, 'axes') ? covarianceOf(page.vectors) : null;
  if (!covariance) return;
  const idle =
    window.requestIdleCallback ?? ((run) => setTimeout(() => run({ didTimeout: false, timeRemaining: () => 8 }), 30));
  function go(deadline) {
    let isDone = false;
    do isDone = covariance.advance();
    while (!isDone && deadline.timeRemaining() > 4);
    if (!isDone) idle(go);
    else for (const step of rest) idle(step);
  }
  // Once through what follows, so that the browser has compiled it.
  const { vectors } = page;
  const rest = [
    () => leadingLeft(covariance.finish(), vectors.d, []),
    () => times(vectors, new Float64Array(vectors.d)),
  ];
  idle(go);
}
