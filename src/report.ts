// The last stage: what a run says of itself, as text, as JSON and as an exit code. No I/O.
export { EXIT, exitCodeOf } from './report/exit-code.ts';
export { orderFaults } from './report/faults.ts';
export { formatFaultsJson, formatJson, reportSchema } from './report/json.ts';
export {
  formatPlayFailure,
  formatPlayFaults,
  formatPlayMessage,
  formatPlayResult,
} from './report/play.ts';
export { formatFaults, formatText, PLAIN, type TextStyle } from './report/text.ts';
export type { Report } from './report/types.ts';
