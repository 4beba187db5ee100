import { h } from '#js/dom.js';
import { isAllowed } from '#js/panels/host.js';
import { showToCopy } from '#js/panels/shown.js';

const REASONS = {
  no: 'The place that shows this page does not let it save files.',
  unsure: 'The place that shows this page may not let it save files.',
};

/**
 * Hand a file to the reader; where the frame around the page forbids that, or may, show it to be copied.
 *
 * @param {Blob | string} content a text, or a picture @param {string} name @param {string} type of a text
 * @returns {boolean} whether it was saved, and not shown
 */
export function download(content, name, type = 'text/plain') {
  const blob = typeof content === 'string' ? new Blob([content], { type: `${type};charset=utf-8` }) : content;
  const answer = isAllowed('allow-downloads');
  if (answer === 'yes') {
    save(blob, name);
    return true;
  }
  showToCopy(name, {
    reason: REASONS[answer],
    text: typeof content === 'string' ? content : '',
    picture: blob.type.startsWith('image/') ? blob : null,
    attempt: answer === 'unsure' ? { label: 'Try to save it', run: () => save(blob, name) } : null,
  });
  return false;
}

function save(blob, name) {
  const url = URL.createObjectURL(blob);
  const link = h('a', { href: url, download: name, hidden: true });
  document.body.append(link);
  link.click();
  link.remove();
  setTimeout(() => URL.revokeObjectURL(url), 60000);
}
