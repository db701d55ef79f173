// What --help prints: every flag with a line, and an example.
import type { TaskName } from './flags.ts';

const INPUT = `\
Where things are (as in Ansible):
  -i, --inventory FILE      inventory file, YAML or INI; may be repeated
  -l, --limit NAMES         only these hosts and groups, separated by commas
  -e, --extra-vars VARS     key=value, '{JSON}' or @file; wins over all else
      --playbook-dir DIR    folder of the playbook with its group_vars and
                            host_vars (default: the current folder)`;

const VAULT = `\
Vault password (as in Ansible; also ANSIBLE_VAULT_PASSWORD_FILE):
      --vault-password-file FILE, --vault-pass-file FILE
                            file that holds it, or a program that prints it
      --vault-id LABEL@FILE one of several; FILE may be \`prompt\`
  -J, --ask-vault-pass, --ask-vault-password
                            ask for it`;

const ENCRYPT_ID = `\
      --encrypt-vault-id LABEL
                            which one encrypts, where the service has no
                            vault_id and the file holds nothing yet`;

const OUTPUT = `\
Output:
      --format FORMAT       the report on stdout: text (the default) or json;
                            for CI: github, junit or sarif
      --json                the same as --format json
  -v, --verbose             show the requests, without secrets
  -h, --help                this text
      --version             the version`;

const CODES = `\
Exit codes: 0 converged · 1 a service failed · 2 changes are pending (with
--detailed-exitcode) · 3 deferred by a rate limit · 4 a homeserver was
unreachable · 5 bad input, nothing was tried · 70 a bug`;

const PROVISION = `\
usage: matrix-tokens provision [options] [SERVICE ...]

Logs every bot and bridge that has no access token yet in against its homeserver
and writes the token into its Ansible Vault file. Those present are skipped.
Names of services pick some; without them, all services of all hosts are meant.

${INPUT}

${VAULT}
${ENCRYPT_ID}

What to do:
  -C, --check               say what would be done; contact and write nothing
  -D, --diff                show the names of what is written
      --detailed-exitcode   with --check: exit code 2 if changes are pending
      --max-wait SECONDS    how long to wait for rate limits, a homeserver
                            (default: matrix_tokens_max_wait, else 600)
      --lock-timeout SECONDS
                            how long to wait for another run that works on the
                            same files (default: 60)

${OUTPUT}

Example:
  matrix-tokens provision -i inventory/hosts --vault-password-file ~/.vault_pass

${CODES}
`;

const REKEY = `\
usage: matrix-tokens rekey [options] [SERVICE ...]

Encrypts the values of services again, under a new vault password: those in our
own files, and those of our services in files that you keep by hand. All of
them, or none. Contacts nobody. Until your other vaults have the new password
as well, give Ansible both.

${INPUT}

${VAULT}

New vault password (as for \`ansible-vault rekey\`; without one it is asked for):
      --new-vault-password-file FILE
                            file that holds it, or a program that prints it
      --new-vault-id LABEL@FILE
                            the same, with a vault ID
      --encrypt-vault-id LABEL
                            one of the vault IDs above
      --old-vault-id LABEL  only values of this vault ID; may be repeated

What to do:
  -C, --check               say what would be done, and write nothing
  -D, --diff                show the names of what is encrypted again
      --detailed-exitcode   with --check: exit code 2 if changes are pending
      --lock-timeout SECONDS
                            how long to wait for another run that works on the
                            same files (default: 60)

${OUTPUT}

Example:
  matrix-tokens rekey -i inventory/hosts --vault-password-file ~/.vault_pass \\
      --new-vault-password-file ~/.new_vault_pass

${CODES}
`;

const VALIDATE = `\
usage: matrix-tokens validate [options] [SERVICE ...]

Checks inventory, vars and definitions, and says which tokens are there.
Contacts nobody and writes nothing; works without the vault password.

${INPUT}

${VAULT}

      --detailed-exitcode   exit code 2 if tokens are missing

${OUTPUT}

Example:
  matrix-tokens validate -i inventory/hosts --json

${CODES}
`;

const UNLOCK = `\
usage: matrix-tokens unlock FILE ...

Removes the lock of a file whose holder cannot be proved dead: a run on another
machine, or in another container. If that run is alive after all, it notices it
and writes no more to that file. Locks of dead runs on this machine go by
themselves; that of a process that runs on this machine stays (exit code 5): end
it, or let it end.

Example:
  matrix-tokens unlock inventory/host_vars/h/vault_matrix_tokens/rss.yml
`;

const OVERVIEW = `\
usage: matrix-tokens [TASK] [options] [SERVICE ...]

Gets Matrix access tokens for bots and bridges into Ansible Vault files.

Tasks:
  provision   log in whoever has no token yet, and store it (the default)
  rekey       encrypt the values again, under a new vault password
  validate    check inventory, vars and definitions, offline
  unlock      remove the lock of a run that ended on another machine

matrix-tokens TASK --help shows the options of a task.

Example:
  matrix-tokens provision -i inventory/hosts --check --diff
`;

/** Gives the help text of a task, or the overview. */
export function helpText(task: TaskName | null): string {
  if (task === null) return OVERVIEW;
  return { provision: PROVISION, rekey: REKEY, validate: VALIDATE, unlock: UNLOCK }[task];
}
