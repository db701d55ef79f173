// How a script begins and ends: its arguments, the first signal, and its exit code.

/** Runs a script until its end. What `main` gives is the exit code (no number: 0); a throw is told, and 1. */
export async function runMain(
  name: string,
  main: (argv: string[], signal: AbortSignal) => Promise<unknown>,
): Promise<void> {
  const interrupted = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.once(signal, () => {
      interrupted.abort();
    });
  }
  try {
    const code = await main(process.argv.slice(2), interrupted.signal);
    process.exitCode = typeof code === 'number' ? code : 0;
  } catch (error) {
    process.stderr.write(`${name}: ${error instanceof Error ? error.message : String(error)}\n`);
    process.exitCode = 1;
  }
}
