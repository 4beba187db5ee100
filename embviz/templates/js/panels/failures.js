/** What goes wrong in a running page, which goes on with the rest. */

/** Run what draws a panel; where it fails the others are drawn all the same, and `tellFailures` says so. */
export function guarded(draw) {
  try {
    draw();
  } catch (error) {
    window.reportError(error);
  }
}

/** Say what went wrong in a running page, which goes on; the browser's console has the rest. */
export function tellFailures(say) {
  const tell = (error) => {
    if (error instanceof Error)
      say(
        `Something in this page went wrong (${error.message}). What still works goes on; ` +
          'reload the page to begin afresh.',
        true,
      );
  };
  window.addEventListener('error', (event) => tell(event.error));
  window.addEventListener('unhandledrejection', (event) => tell(event.reason));
}

/** Wait for a part that the page can do without. @returns {Promise<boolean>} whether it came */
export async function spared(part, loss, say) {
  try {
    await part;
    return true;
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    say(`${error.message}; ${loss}`, true);
    return false;
  }
}
