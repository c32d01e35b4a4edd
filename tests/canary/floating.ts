// Wrong on purpose: if the lint accepts this promise, the rules that need types are not checking.
export const late = Promise.resolve();
late.finally(() => undefined);
