import { recall, remember } from '../../ui/stored';

const NAME = 'seizure-texts';

/** Which annotations of EDF+ are seizures, as it was chosen in this browser. */
export function rememberedTexts(): string[] {
  try {
    const texts: unknown = JSON.parse(recall(NAME) ?? '[]');
    return Array.isArray(texts) ? texts.filter((text) => typeof text === 'string') : [];
  } catch {
    return [];
  }
}

/** Keeps them for the next visit. */
export const rememberTexts = (texts: readonly string[]): void => remember(NAME, JSON.stringify(texts));
