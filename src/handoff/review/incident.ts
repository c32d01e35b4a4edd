/** The sections of a review about an incident. */
import type { Incident } from '../../config/incidents';
import { loaderOf } from '../../config/kills';
import { code, escaped, list, numbered } from '../markdown';

/** A line of the summary. */
export function issueSummary(incident: Incident | undefined): string {
  if (!incident) return '**Previous issue:** there is none; no earlier run was reported.';
  const { config, killed, machine } = incident;
  const { batchSize, workers } = loaderOf(incident);
  return `**Previous issue:** the run of ${code(config)} (batch_size ${batchSize}, num_workers ${workers}) was killed after ${killed.afterBatches} batches on ${escaped(machine.description)}.`;
}

/** Paragraphs on what happened and what was lost; one that there was no incident without one. */
export function previousIssue(incident: Incident | undefined): string[] {
  if (!incident) return ['There is none: no earlier run was reported.'];
  const { date, config, killed, machine, source, lost } = incident;
  const { batchSize, workers } = loaderOf(incident);
  return [
    `On ${escaped(date)} the run of ${code(config)} with batch_size ${batchSize} and num_workers ${workers} was killed after ${killed.afterBatches} batches, on ${escaped(machine.description)} (${escaped(source)}).`,
    `Lost: ${escaped(lost)}.`,
  ];
}

/** Which process was killed, why, and what led to it: lists in Markdown. */
export function rootCause(incident: Incident | undefined): string[] {
  if (!incident) return ['There is no incident to explain.'];
  const { killed, machine, cause, factors } = incident;
  return [
    list([
      `Process: ${escaped(killed.process)}`,
      ...(killed.memory === undefined ? [] : [`Memory at the crash: ${escaped(killed.memory)}`]),
      `System: ${escaped(machine.description)}`,
      `Cause: ${escaped(cause)}`,
    ]),
    'Contributing factors, and what was ruled out:',
    numbered(factors.map(escaped)),
  ];
}
