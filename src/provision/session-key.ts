/** Names a service of a host. */
export function sessionKey(one: { readonly host: string; readonly service: string }): string {
  return `${one.host} ${one.service}`;
}
