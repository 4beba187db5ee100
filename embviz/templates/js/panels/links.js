import { hasAddress, isAllowed } from '#js/panels/host.js';
import { showToCopy } from '#js/panels/shown.js';

/** Let links open windows of their own; where the place of this page forbids that, or may, show their address. */
export function followLinks() {
  document.addEventListener('click', (event) => {
    const link = /** @type {Element} */ (event.target).closest('a[target="_blank"]');
    if (!(link instanceof HTMLAnchorElement)) return;
    const answer = isAllowed('allow-popups');
    if (answer === 'yes' && hasAddress()) return;
    event.preventDefault();
    if (!hasAddress())
      return showToCopy('An image beside the page', {
        reason: 'It lies beside the file of this page, which is shown here without its folder:',
        text: link.getAttribute('href') ?? '',
      });
    const { href } = link;
    const open = () => {
      window.open(href, '_blank', 'noopener');
    };
    return showToCopy('A link', {
      reason: `The place that shows this page ${answer === 'no' ? 'does' : 'may'} not let it open others. The address:`,
      text: href,
      attempt: answer === 'no' ? null : { label: 'Try to open it', run: open },
    });
  });
}
