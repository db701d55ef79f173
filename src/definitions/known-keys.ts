import { serviceSchema, varsSchema } from './schema.ts';

/** What is looked at of a schema. */
interface Schema {
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly description?: string;
}

/** Gives the keys that are allowed in the map at this place of the data, a JSON pointer. */
export function knownKeys(instancePath: string): readonly string[] {
  const [variable, ...keys] = instancePath.split('/').slice(1);
  if (variable === undefined) return Object.keys(varsSchema.properties);
  const isServices = variable.startsWith('matrix_tokens_services');
  const settings: Readonly<Record<string, Schema>> = varsSchema.properties;
  let schema: Schema | undefined = isServices ? serviceSchema : settings[variable];
  for (const key of isServices ? keys.slice(1) : keys) schema = schema?.properties?.[key];
  return Object.keys(schema?.properties ?? {});
}
