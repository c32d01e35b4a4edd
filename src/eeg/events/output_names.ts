/** Names of the files that detected events are written to: in the folder of their recording, and never one twice. */

export interface OutputNames {
  readonly csvBi: string;
  readonly eventsTsv: string;
  /** The recording with the events written in, as EDF+ or BDF+. */
  readonly edf: string;
}

/**
 * One entry for each recording, by its path with slashes. `a/b.edf` → `a/b.predicted.csv_bi`, `a/b_events.tsv` and
 * `a/b.predicted.edf`; where another recording has the name already, as `a/b.bdf` has, the extension stays: `a/b.bdf.….`
 * Letters that differ in case alone count as the same.
 */
export function outputNames(paths: readonly string[]): OutputNames[] {
  const taken = new Set<string>();
  const claim = (...names: string[]): string => {
    const [first = ''] = names;
    let free = names.find((name) => !taken.has(name.toLowerCase()));
    for (let n = 2; free === undefined; n++) {
      const numbered = first.replace(/(\.predicted\.\w+|_events\.tsv)$/, `-${n}$1`);
      if (!taken.has(numbered.toLowerCase())) free = numbered;
    }
    taken.add(free.toLowerCase());
    return free;
  };
  return paths.map((path) => {
    const [, stem = path, extension = '.edf'] = /^(.*)(\.[^./]*)$/.exec(path) ?? [];
    const both = (name: (stem: string) => string): string => claim(name(stem), name(path));
    return {
      csvBi: both((name) => `${name}.predicted.csv_bi`),
      // BIDS writes sub-01_events.tsv beside sub-01_eeg.edf.
      eventsTsv: claim(
        `${stem.replace(/_i?eeg$/i, '')}_events.tsv`,
        `${stem}_events.tsv`,
        `${path}_events.tsv`,
      ),
      edf: both((name) => `${name}.predicted${extension.toLowerCase()}`),
    };
  });
}
