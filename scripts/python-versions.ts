// The one place that names which ansible-core and which Synapse the tests run against, and on which
// Python each of them runs. The first line of a package whose Python is there is taken.

export interface PythonPackage {
  readonly name: string;
  readonly version: string;
  /** The oldest minor version of Python 3 that it runs on. */
  readonly oldestMinor: number;
  /** The newest one; default: any. */
  readonly newestMinor?: number;
  /** About how long the first installation takes, for the line that says so. */
  readonly seconds: number;
}

export const ANSIBLE_VERSIONS: readonly PythonPackage[] = [
  { name: 'ansible-core', version: '2.19.14', oldestMinor: 11, seconds: 10 },
  { name: 'ansible-core', version: '2.17.14', oldestMinor: 10, seconds: 10 },
];

/** For comparing with what operators have: every release line from the oldest that is supported on. */
export const ANSIBLE_LINES: readonly PythonPackage[] = [
  { name: 'ansible-core', version: '2.15.13', oldestMinor: 9, newestMinor: 11, seconds: 10 },
  { name: 'ansible-core', version: '2.16.19', oldestMinor: 10, newestMinor: 12, seconds: 10 },
  { name: 'ansible-core', version: '2.17.14', oldestMinor: 10, newestMinor: 12, seconds: 10 },
  { name: 'ansible-core', version: '2.18.19', oldestMinor: 11, newestMinor: 13, seconds: 10 },
  { name: 'ansible-core', version: '2.19.14', oldestMinor: 11, newestMinor: 13, seconds: 10 },
  { name: 'ansible-core', version: '2.20.10', oldestMinor: 12, newestMinor: 14, seconds: 10 },
  { name: 'ansible-core', version: '2.21.5', oldestMinor: 12, newestMinor: 14, seconds: 10 },
];

/** What Galaxy, too, checks collections with. */
export const LINT_VERSIONS: readonly PythonPackage[] = [
  { name: 'ansible-lint', version: '26.10.1', oldestMinor: 10, seconds: 40 },
];

export const SYNAPSE_VERSIONS: readonly PythonPackage[] = [
  { name: 'matrix-synapse', version: '1.163.2', oldestMinor: 10, seconds: 40 },
];

/** Commands under which a Python is looked for on PATH, and then among those of pyenv, best first. */
export const PYTHON_COMMANDS = [
  'python3',
  'python3.14',
  'python3.13',
  'python3.12',
  'python3.11',
  'python3.10',
] as const;
