// What docs/troubleshooting.md advises for each code that an error can carry. The compiler asks for
// every one of them.
import type { FaultCode } from '../src/errors.ts';
import type { RunCode } from '../src/provision/run-codes.ts';

/** Bad input: exit code 5, nothing was tried. */
export const FAULT_ADVICE: Readonly<Record<FaultCode, string>> = {
  E_OPTION: '`matrix-tokens provision --help` shows every option with its values.',
  E_ENVIRONMENT:
    'Unset the variable for this run. `NODE_TLS_REJECT_UNAUTHORIZED=0` would send passwords to anybody: name your own certificate authority in `matrix_tokens_ca_file` instead.',
  E_FILE:
    'Check that the file exists and that you may read it. Relative paths in vars start at the folder of the inventory, those of options at the current folder.',
  E_YAML:
    'The place is where reading stopped making sense; the cause often stands a line above. Values that begin with `{{` need quotes, tabs are not allowed as indentation, a key may stand once in a map.',
  E_INI: 'Look at the line that is named: a section, a host with `key=value` pairs, or a variable.',
  E_INVENTORY:
    'Compare with `ansible-inventory -i FILE --list`. Names of hosts become folders, so `/` and `..` are refused in them.',
  E_UNSUPPORTED:
    'Save what Ansible makes of it, `ansible-inventory -i SOURCE --list --yaml --export > hosts.yml`, and give that file; remove secrets of others from it first.',
  E_PLAY:
    'The role runs for each host by itself: without `run_once` in a play of several hosts, and without `async`. See [in a playbook](playbook.md).',
  E_LIMIT: '`-l` takes names of hosts and groups of this inventory, separated by commas.',
  E_REFERENCE:
    'Define the variable in the inventory, in host_vars or group_vars, or hand it over with `-e`. Defaults of roles are not visible on the command line; in a play they are, if the role stands before this one.',
  E_TEMPLATE:
    "Only `{{ name }}` and `{{ map.key }}` are followed, alone or within text. If the braces belong to the value, as in a password, write `!unsafe 'VALUE'`; otherwise write the value itself, or hand it over with `-e @file` (on a command line everybody on the machine could read it).",
  E_VAULT_FORMAT:
    'The value was cut or changed by hand. Encrypt it again with `ansible-vault encrypt_string`, or take it from your version control.',
  E_VAULT_PASSWORD:
    'Give the password that the rest of the inventory is encrypted with: `--vault-password-file`, `--vault-id LABEL@FILE`, `--ask-vault-pass` or `ANSIBLE_VAULT_PASSWORD_FILE`. To look without it: `--check`. Which password opens and encrypts what stands in [vault passwords](vault.md).',
  E_NO_SAFE_SPLICE:
    'The values would change something else in a file that you keep by hand. [Files that you keep by hand](hand-written-files.md) lists every reason with its cure. Or leave `vault_file` out: then the values get a file of their own.',
  E_REKEY_FILE:
    '`matrix-tokens rekey` changes values of services and nothing else. A file that is encrypted as a whole can only be changed as a whole: run the command of the message, then the same `matrix-tokens rekey` again ([vault passwords](vault.md#a-new-password)).',
  E_LOCKED:
    'It was waited for in vain. Let it end, or wait longer for it (`--lock-timeout SECONDS`, 60 by default). If the run that is named is on another machine, or in another container, and has ended: `matrix-tokens unlock FILE`. That refuses to take the lock of a process that is running on this machine: end the process, or let it end.',
  E_UNKNOWN_KEY: 'The keys are listed in [definitions](definitions.md).',
  E_UNKNOWN_SERVICE:
    'Names of services are those of `matrix_tokens_services`; the catalog stands in [definitions](definitions.md). A service of your own needs `user`.',
  E_VALUE:
    'The types are listed in [definitions](definitions.md). Text that looks like a number or a date needs quotes.',
  E_REQUIRED: 'Add what is named; see [definitions](definitions.md).',
  E_DUPLICATE_SERVICE:
    'Variables `matrix_tokens_services_…` of one host are merged, so a service may stand in one of them only.',
  E_USER_ID:
    'A user is a localpart (`bot.rss`) or a full user ID (`@bot.rss:example.com`); a server name is what stands after the colon.',
  E_RENAMED: 'The playbook has renamed the variable and would refuse it as well: rename it.',
  E_NO_PASSWORD:
    'Add `password`: a reference to a vaulted variable, `{file: path}` or `{env: NAME}`. Where the user has no password at all, a shared secret of the homeserver may log it in ([logging in](login.md)); otherwise put a token into the variable by hand, or set `enabled: false`.',
  E_NO_SECRET:
    'The place names the setting of the host: `matrix_tokens_shared_secret_auth` or `matrix_tokens_register`. Its `shared_secret` is a reference to a vaulted variable, `{file: path}`, `{env: NAME}`, `{command: [program]}` or `{prompt: true}`; see [logging in](login.md).',
  E_SHARED_DEVICE: 'Leave `device_id` out, or give each service its own.',
  E_SHARED_VARIABLE: 'Name another variable in `variables` of one of the services.',
  E_SHARED_SERVICE:
    'A group gave the service to several hosts of one homeserver. Define it in host_vars of the host that runs it, or use `--limit`.',
  E_OVERRIDDEN:
    'Ansible would take the value that is named instead of the token, and the next run would log in again. Remove that line.',
  E_HIDES_MAP:
    'Ansible replaces maps as a whole. Name the file that holds the map in `vault_file`, or refer to a variable of its own from inside the map, as the message shows.',
  E_TARGET:
    '`vault_file` must be a file below the folder of the inventory or of the playbook that can be read and written, and belong to one host. Below host_vars and group_vars it must stand where Ansible reads it for that host: `host_vars/<host>/NAME.yml`, or a group that the host is in.',
  E_THROWAWAY:
    'AWX copies the project for each job, and an execution environment is a container: what is written there is gone with the job, and the next one would log everybody in again. Name a lasting folder in `matrix_tokens_vault_dir`; see [in a playbook](playbook.md).',
  E_HOST_VARS_FILE:
    'Ansible ignores `host_vars/<host>.yml` as soon as a folder `host_vars/<host>/` exists. Run the commands of the message: they move the file into the folder, where it is read as before.',
  E_TOKEN_VALUE: 'Remove the value, so that a token is written, or make it a string.',
  E_DEVICE_MISSING:
    'Token and device ID belong together. Write the device ID of that token (whoami tells it), or remove the token for a new login.',
};

/** Trouble of this machine with one service. */
export const RUN_ADVICE: Readonly<Record<RunCode, string>> = {
  STORE_FAILED:
    'Make room, or mend the permissions that are named, and run again. No token was lost: its session was logged out, or the message says that it could not be and names the device.',
  STORE_UNSURE: 'Run again: if the token is there, nothing else happens.',
  SESSION_LEFT:
    'The message says why. Run again, or log the device that is named out by hand: [how](replacing-a-token.md#logging-a-device-out-by-hand).',
  USER_MISSING: 'Create the user on the homeserver, then run again.',
  REKEY_FAILED:
    'No file was changed, and all passwords are valid as before. Mend what the message names, and run again.',
  REKEY_UNFINISHED:
    'The other files have the new vault password, this one still has the old one: give both until it is done. Mend what the message names; the next `provision` or `rekey` then puts the file into its place.',
  CLOSED_VAULT: 'Give the vault password to see what the closed files hold.',
};
