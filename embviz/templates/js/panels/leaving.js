import { isWritten } from '#js/data/written.js';

/**
 * Have the browser ask before the page is left or loaded again while it holds what is in no file: tags, and bookmarks
 * of views. It keeps nothing by itself, as a page from a file or in a frame may have no place for that.
 *
 * @param {import('#js/state/view.js').View} view @param {import('#js/bookmarks/list.js').BookmarkList} bookmarks
 */
export function askBeforeLeaving(view, bookmarks) {
  window.addEventListener('beforeunload', (event) => {
    const views = bookmarks.get().items.flatMap(({ kept }) => (kept ? [kept] : []));
    if ([...view.get().tags, ...views].some((each) => !isWritten(each))) event.preventDefault();
  });
}
