/** What runs logged, as files for other tools. */
import { writeZip } from '../../../checkpoints/zip';
import { schemaText } from '../../../config/json_schema';
import { configYaml } from '../../../training/logs/config_yaml';
import { eventFileName, writeEventFile } from '../../../training/logs/event_file';
import { logOf, rowsOf } from '../../../training/logs/log';
import { metricsCsv, metricsJsonl, type NamedRows } from '../../../training/logs/metrics_files';
import type { ShownRun } from './shown_run';

/** The steps of runs, by names that differ; runs of which there are weights alone are left out. */
export function namedRows(runs: readonly ShownRun[]): NamedRows[] {
  const taken = new Map<string, number>();
  return runs.flatMap(({ run, summary }) => {
    if (!summary) return [];
    const before = taken.get(run.name) ?? 0;
    taken.set(run.name, before + 1);
    const name = before === 0 ? run.name : `${run.name} (${before + 1})`;
    return [{ name, seed: summary.settings.seed, rows: rowsOf(summary) }];
  });
}

/** A folder a run, where TensorBoard finds each by its name, one CSV of all, and the schema that their config.yaml name. */
export function logsZip(runs: readonly ShownRun[]): Blob {
  const encoder = new TextEncoder();
  const named = namedRows(runs);
  const files = new Map([
    ['metrics.csv', encoder.encode(metricsCsv(named))],
    ['schema.json', encoder.encode(schemaText())],
  ]);
  const known = runs.flatMap(({ run, summary }) => (summary ? [{ run, summary }] : []));
  const folders = new Set<string>();
  known.forEach(({ run, summary }, i) => {
    const { name, rows } = named[i] as NamedRows;
    const wanted = name.replace(/[^\p{L}\p{N}.,()_-]+/gu, '_').replace(/^\.+/, '') || 'run';
    let folder = wanted;
    for (let n = 2; folders.has(folder.toLowerCase()); n++) folder = `${wanted}_${n}`;
    folders.add(folder.toLowerCase());
    const time = run.created / 1000;
    files.set(`${folder}/metrics.jsonl`, encoder.encode(metricsJsonl(rows)));
    files.set(`${folder}/${eventFileName(time)}`, writeEventFile(logOf(rows), time));
    const config = `${folder}/config.yaml`;
    files.set(config, encoder.encode(configYaml(summary.settings, config)));
  });
  return new Blob(writeZip(files), { type: 'application/zip' });
}
