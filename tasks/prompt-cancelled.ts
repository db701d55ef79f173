/** The operator pressed Ctrl-C at a prompt. */
export class PromptCancelled extends Error {
  override name = 'PromptCancelled' as const;
}
