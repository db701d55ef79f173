// The behaviours of the command line that have to do with vaults: tests/cli/vault*.txt and rekey*.txt.
import { testCases } from './helpers/cli-suite.ts';

await testCases('vault');
