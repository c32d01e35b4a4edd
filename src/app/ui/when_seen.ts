import type { Attachment } from 'svelte/attachments';

/** Calls `seen` once, when the element comes into the visible part of the page or close to it. */
export const whenSeen =
  (seen: () => void): Attachment =>
  (element) => {
    const observer = new IntersectionObserver(
      (entries) => {
        if (!entries.some(({ isIntersecting }) => isIntersecting)) return;
        observer.disconnect();
        seen();
      },
      { rootMargin: '50%' },
    );
    observer.observe(element);
    return () => observer.disconnect();
  };
