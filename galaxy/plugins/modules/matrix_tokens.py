# Documentation only, for ansible-doc: plugins/action/matrix_tokens.py is what runs, on the control
# machine.

DOCUMENTATION = r"""
---
module: matrix_tokens
short_description: Get the Matrix access tokens that are missing
version_added: 0.1.0
description:
  - Logs in every bot of the host that has no access token yet, against its homeserver, and writes the
    token into that service's own Ansible Vault file. What is present is not touched.
  - The services, their passwords and the homeserver are no options but variables of the host, above all
    C(matrix_tokens_services), since Ansible renders options as a whole, and so every password, used or
    not. The vault password is that of the play.
  - The role of the same name calls this action, and loads the tokens for later tasks of the play as
    well. Without the role they are seen by the next run of C(ansible-playbook).
options:
  node:
    description: Path or name of Node 20.19 or newer on the control machine.
    type: str
    default: node
  bin:
    description:
      - Path of the program, one file, on the control machine.
      - 'Default: the one that comes with the collection.'
    type: str
  fail:
    description:
      - Whether the task fails where a service has no token in the end.
      - With V(false) the result only says so, in C(trouble). The role fails later, after it has loaded
        the tokens of the other services.
    type: bool
    default: true
  fail_on_deferred:
    description: Whether a service that a rate limit has put off counts as failed. The next run does it.
    type: bool
    default: true
attributes:
  check_mode:
    description: Says what a real run would do, contacts nobody, writes nothing.
    support: full
  diff_mode:
    description: Shows names of variables, never values.
    support: full
  async:
    description: Refused, since it would leave a login to itself.
    support: none
  no_log:
    description: Not needed, since no secret stands in arguments or results.
    support: none
requirements:
  - Node 20.19 or newer on the control machine; managed hosts need nothing
author:
  - the matrix-tokens contributors
"""

EXAMPLES = r"""
# The role does this, and loads the tokens for later tasks.
- name: Get the access tokens that are missing
  matrix_tokens.matrix_tokens.matrix_tokens:
  become: false
  register: tokens

- name: Name the services with a new token
  ansible.builtin.debug:
    var: tokens.changed_services
"""

RETURN = r"""
changed_services:
  description: Names of the services that got a token; in check mode, of those that would get one.
  returned: unless the input is bad
  type: list
  elements: str
  sample: [rss]
services:
  description: One entry a service, with what came of it.
  returned: unless the input is bad
  type: list
  elements: dict
  contains:
    host:
      description: Host of the inventory.
      type: str
    service:
      description: Name of the service.
      type: str
    outcome:
      description: One of ok, changed, skipped, unknown, deferred, failed, unreachable.
      type: str
    defined_at:
      description: Where it is defined.
      type: dict
      contains:
        file:
          description: Path of the file.
          type: str
        line:
          description: Counted from 1.
          type: int
        column:
          description: Counted from 1.
          type: int
    user_id:
      description: Full user ID, where it is known.
      type: str
    server_name:
      description: Server name of the homeserver.
      type: str
    message:
      description: One sentence.
      type: str
    code:
      description: What kind of trouble it is, where there is any.
      type: str
    hint:
      description: What to do, where there is anything to do.
      type: str
    file:
      description: The file that holds the token, or will.
      type: str
    variables:
      description: Names of the variables that are written.
      type: list
      elements: str
    install_tag:
      description: Tag of matrix-docker-ansible-deploy that installs the service anew.
      type: str
sessions_left:
  description: Sessions on a homeserver that no file holds and that wait to be removed.
  returned: unless the input is bad
  type: list
  elements: dict
trouble:
  description: What went wrong, a sentence each.
  returned: unless the input is bad
  type: list
  elements: str
load:
  description: Files that this play does not know yet, for ansible.builtin.include_vars.
  returned: unless the input is bad
  type: list
  elements: dict
  contains:
    file:
      description: Absolute path.
      type: str
    own:
      description: Whether it is a file that holds nothing else than what was written.
      type: bool
    names:
      description: Names of the variables.
      type: list
      elements: str
stand_ins:
  description: In check mode, variables that a real run would write, with a value to stand in for it.
  returned: unless the input is bad
  type: list
  elements: dict
next:
  description: Names of the task files of the role that have something to do.
  returned: unless the input is bad
  type: list
  elements: str
exit_code:
  description: The exit code that the command would have ended with.
  returned: unless the program could not be run
  type: int
"""
