// The bin: reads the command line, runs a task, prints, and ends with the right exit code.
import { InputError } from '../src/errors.ts';
import { EXIT, formatFaults, orderFaults } from '../src/report.ts';
import { renderFaults } from './formats.ts';
import { describeBug } from './bug.ts';
import type { TaskName } from './flags.ts';
import { fitFor } from './lines.ts';
import { guessOptions, parseOptions, type Options, type Request } from './options.ts';
import { PromptCancelled } from './prompt-cancelled.ts';
import { styleFor } from './style.ts';
import { isTooOld, VERSION } from './version.ts';

/** Runs what the arguments ask for and gives the exit code. */
async function main(argv: readonly string[]): Promise<number> {
  let request: Request | null = null;
  if (isTooOld(process.versions.node)) return reportOldNode();
  try {
    request = parseOptions(argv);
    if (request.kind === 'help') return await printHelp(request.task);
    if (request.kind === 'version') return print(`matrix-tokens ${VERSION}\n`);
    if (request.kind === 'play') return await play();
    if (request.kind === 'unlock') return await unlock(request.files);
    return await runTask(request.options);
  } catch (error) {
    if (error instanceof PromptCancelled) return 130;
    if (!(error instanceof InputError)) return reportBug(error);
    return await reportFaults(
      error,
      request?.kind === 'run' ? request.options : guessOptions(argv),
    );
  }
}

function reportOldNode(): number {
  process.stderr.write(
    `matrix-tokens: error: this is Node ${process.versions.node}, and 20.19 or newer is wanted\n`,
  );
  return EXIT.badInput;
}

/** Loads no more than the task needs: most runs find nothing to do. */
async function runTask(options: Options): Promise<number> {
  if (options.task === 'validate') {
    const { runValidate } = await import('./validate.ts');
    return runValidate(options);
  }
  if (options.task === 'rekey') {
    const { runRekey } = await import('./rekey.ts');
    return runRekey(options);
  }
  const { runProvision } = await import('./provision.ts');
  return runProvision(options);
}

async function unlock(files: readonly string[]): Promise<number> {
  const { runUnlock } = await import('./unlock.ts');
  return runUnlock(files);
}

async function play(): Promise<number> {
  const { runPlay } = await import('./play.ts');
  return runPlay();
}

async function printHelp(task: TaskName | null): Promise<number> {
  const { helpText } = await import('./help.ts');
  return print(helpText(task));
}

function print(text: string): number {
  process.stdout.write(text);
  return EXIT.converged;
}

async function reportFaults(
  error: InputError,
  options: Pick<Options, 'task' | 'check' | 'format'>,
): Promise<number> {
  const faults = orderFaults(error.faults);
  const text = formatFaults(faults, styleFor(process.stderr, process.env));
  process.stderr.write(fitFor(options, text));
  process.stdout.write(await renderFaults(faults, options));
  return EXIT.badInput;
}

function reportBug(error: unknown): number {
  process.stderr.write(`${describeBug(error)}\n`);
  return EXIT.bug;
}

void main(process.argv.slice(2)).then((exitCode) => {
  process.exitCode = exitCode;
});
