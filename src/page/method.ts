import type { PageContent } from '../report/html.ts'
import type { Report } from '../report/model.ts'
import { el, section } from './dom.ts'

/** How the numbers came about, for a reader who has nothing but the page. */
export function methodSection({ tool, groups }: Report, { ci }: PageContent): HTMLElement {
  const interval =
    ci === 't'
      ? "Student's t distribution with n − 1 degrees of freedom"
      : 'the normal distribution (1.959964 standard errors), as published tables have them'
  const ofGroups = [
    'A group holds the migrations that have the same levels of the factors. Those that did not complete are counted and enter no figure; outliers, which lie more than 1.5 interquartile ranges beyond the quartiles, are flagged and never dropped.',
    `The standard deviation is that of a sample (n − 1). The 95 % interval of a mean is by ${interval}. CoV is the standard deviation over the mean.`,
    'A share is the sum of a phase over all migrations of the group, over the sum of their total migration times. Shares and stacked means reach beyond the total where phases overlap.',
  ]
  const lines = [
    `Made by ${tool.name} ${tool.version} from packet captures alone. Every boundary of a phase is a packet, with the number that Wireshark gives it (frame.number), and the rule that took it.`,
    'Times are seconds after the first packet of the capture. A phase lasts from its first boundary to its last; total migration time from the start of the first phase to the end of the last one that was seen; unattributed is what of it lies in no phase.',
    '~ before a packet: it stands for a boundary that could not be read or was not captured. – is unknown, never 0.',
    'The downtime is from when the guest was stopped to when it ran again, by the packets where they tell, else by a ping, else as the hypervisor reports it. Thin lines below its bar are where its ends may lie.',
    'Payload over time is that of the memory connections towards the destination, as means over bins.',
    ...(groups === undefined ? [] : ofGroups),
    'All numbers are in this file at full precision, as JSON, in the element with the id "report".',
  ]
  return section('method', 'How it was computed', ...lines.map((line) => el('p', {}, line)))
}
