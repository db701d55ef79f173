// From the schema's errors to sentences with a place. A value that was found is shown only where it
// is nearly one of the choices: anything else might be a secret that stands in the wrong place.
import type { Fault, Position } from '../errors.ts';
import type { MapNode, YamlNode } from '../yaml/node.ts';
import { describeType, getEntry, scalarText } from '../yaml/node.ts';
import { didYouMean } from './suggest.ts';
import type { SchemaError } from './validator.ts';

/** What the patterns of the schema mean in words. */
const PATTERN_WORDS: Readonly<Record<string, string>> = {
  '^[A-Za-z_][A-Za-z0-9_]*$': 'a name of letters, digits and _, not beginning with a digit',
  '^[a-z0-9_]+$': 'a name of lower-case letters, digits and _',
  '^[!-:<-?A-~](?:[ -:<-?A-~]*[!-:<-?A-~])?$':
    'a vault ID of printable ASCII, without ; and @ and with no space around it',
  '^[A-Za-z0-9._~-]+$': 'a device ID of letters, digits and . _ ~ -',
};

interface Spot {
  readonly node: YamlNode;
  /** Where the key stands that leads here. */
  readonly at: Position;
  /** The last keys, for naming the value. */
  readonly label: string;
  /** True where a secret stands, so that even a key may be one that lacks its colon. */
  readonly isSecret: boolean;
}

/** What stands at one of these keys, or below, is a secret or says where one is. */
const SECRET_KEYS = [
  'password',
  'shared_secret',
  'matrix_tokens_shared_secret_auth',
  'matrix_tokens_register',
];

/** Gives a fault for each of the schema's errors that says something of its own. */
export function faultsOf(
  errors: readonly SchemaError[],
  root: MapNode,
  knownKeys: KnownKeys,
): Fault[] {
  return errors.flatMap((error) => {
    if (error.propertyName !== undefined) return [];
    const fault = faultOf(error, findSpot(root, error.instancePath), knownKeys);
    return [fault];
  });
}

/** Gives the keys that are allowed in the map at this place of the data, a JSON pointer. */
export type KnownKeys = (instancePath: string) => readonly string[];

function faultOf(error: SchemaError, spot: Spot, knownKeys: KnownKeys): Fault {
  const params = error.params as Record<string, unknown>;
  switch (error.keyword) {
    case 'additionalProperties':
      return unknownKey(String(params['additionalProperty']), spot, knownKeys(error.instancePath));
    case 'propertyNames':
      return badName(String(params['propertyName']), spot);
    case 'required':
      return {
        code: 'E_REQUIRED',
        at: spot.at,
        found: `${spot.label} without '${String(params['missingProperty'])}'`,
        wanted: `'${String(params['missingProperty'])}'`,
      };
    default:
      return { code: 'E_VALUE', at: spot.node.at, ...describeValue(error, params, spot) };
  }
}

function describeValue(
  error: SchemaError,
  params: Record<string, unknown>,
  spot: Spot,
): { found: string; wanted: string; fix?: string } {
  const kind = `${spot.label} is ${describeType(spot.node)}`;
  switch (error.keyword) {
    case 'type':
      return { found: kind, wanted: wantedTypes(params['type']) };
    case 'enum':
      return wantedChoice(spot, params['allowedValues'] as readonly string[]);
    case 'const':
      return { found: `${spot.label} has another value`, wanted: String(params['allowedValue']) };
    case 'pattern':
      return {
        found: `${spot.label} is not written as it has to be`,
        wanted: PATTERN_WORDS[String(params['pattern'])] ?? String(params['pattern']),
      };
    default:
      return describeBounds(error.keyword, Number(params['limit']), spot.label);
  }
}

/** What is too short, too long, too small or too large. */
function describeBounds(
  keyword: string,
  limit: number,
  label: string,
): { found: string; wanted: string } {
  const many = (what: string): string => `${limit} ${what}${limit === 1 ? '' : 's'}`;
  switch (keyword) {
    case 'minLength':
      return limit === 1
        ? { found: `${label} is empty`, wanted: 'a text' }
        : { found: `${label} is too short`, wanted: `at least ${many('character')}` };
    case 'maxLength':
      return { found: `${label} is too long`, wanted: `at most ${many('character')}` };
    case 'minItems':
      return { found: `${label} has too few items`, wanted: `at least ${many('item')}` };
    case 'maxItems':
      return { found: `${label} has too many items`, wanted: `at most ${many('item')}` };
    case 'minProperties':
      return { found: `${label} has too few keys`, wanted: `at least ${many('key')}` };
    case 'maxProperties':
      return { found: `${label} has too many keys`, wanted: `at most ${many('key')}` };
    case 'minimum':
      return { found: `${label} is too small`, wanted: `${limit} or more` };
    case 'maximum':
      return { found: `${label} is too large`, wanted: `${limit} or less` };
    default:
      return {
        found: `${label} is not as it has to be`,
        wanted: 'a value as docs/definitions.md has it',
      };
  }
}

function wantedTypes(type: unknown): string {
  const words: Record<string, string> = {
    object: 'a map',
    array: 'a list',
    boolean: 'true or false',
  };
  const list = Array.isArray(type) ? (type as string[]) : String(type).split(',');
  return list.map((name) => words[name] ?? `a ${name}`).join(' or ');
}

function wantedChoice(
  spot: Spot,
  allowed: readonly string[],
): { found: string; wanted: string; fix?: string } {
  const value = spot.node.kind === 'scalar' ? scalarText(spot.node.value).slice(0, 40) : '';
  const fix = didYouMean(value, allowed);
  const wanted = allowed.join(' or ');
  // What is near to none of them may be anything, such as a password in the wrong line.
  if (fix === undefined)
    return { found: `${spot.label} has a value that it does not take`, wanted };
  return { found: `${spot.label} is '${value}'`, wanted, fix };
}

function unknownKey(key: string, spot: Spot, known: readonly string[]): Fault {
  const entry = spot.node.kind === 'map' ? getEntry(spot.node, key) : undefined;
  const fix = didYouMean(key, known);
  return {
    code: 'E_UNKNOWN_KEY',
    at: entry?.at ?? spot.at,
    found: describeUnknown(spot.isSecret && fix === undefined ? null : key, spot),
    wanted: `one of ${known.join(', ')}`,
    fix,
  };
}

function describeUnknown(key: string | null, { label }: Spot): string {
  if (key === null) return `a key in ${label} that it does not have`;
  return label === '' ? `the variable '${key}'` : `the key '${key}' in ${label}`;
}

function badName(name: string, spot: Spot): Fault {
  const entry = spot.node.kind === 'map' ? getEntry(spot.node, name) : undefined;
  return {
    code: 'E_VALUE',
    at: entry?.at ?? spot.at,
    found: `a service named '${name}'`,
    wanted: 'a name of lower-case letters, digits and _ (it becomes part of a file name)',
  };
}

function findSpot(root: MapNode, instancePath: string): Spot {
  let node: YamlNode = root;
  let at = root.at;
  const keys: string[] = [];
  for (const part of instancePath.split('/').slice(1)) {
    const key = part.replaceAll('~1', '/').replaceAll('~0', '~');
    const next: { at: Position; value: YamlNode } | undefined = child(node, key);
    if (next === undefined) break;
    node = next.value;
    at = next.at;
    keys.push(key);
  }
  const isSecret = keys.some((key) => SECRET_KEYS.includes(key));
  return { node, at, label: labelOf(keys), isSecret };
}

function child(node: YamlNode, key: string): { at: Position; value: YamlNode } | undefined {
  if (node.kind === 'map') return node.entries.find((entry) => scalarText(entry.key) === key);
  const item = node.kind === 'seq' ? node.items[Number(key)] : undefined;
  return item === undefined ? undefined : { at: item.at, value: item };
}

/** `matrix_tokens_services / rss / user` reads better as `'user' of service 'rss'`. */
function labelOf(keys: readonly string[]): string {
  const [variable = '', service, ...rest] = keys;
  if (!variable.startsWith('matrix_tokens_services'))
    return keys.map((key) => `'${key}'`).join(' → ');
  if (service === undefined) return `'${variable}'`;
  const inner = rest.map((key) => `'${key}'`).join(' → ');
  return inner === '' ? `service '${service}'` : `${inner} of service '${service}'`;
}
