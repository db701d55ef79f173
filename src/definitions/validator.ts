// The only home of ajv. In the bundle this module is replaced by code that ajv wrote at build
// time, since compiling a schema costs more than everything else of a run with nothing to do.
import { Ajv, type ErrorObject } from 'ajv';
import { catalogSchema } from './catalog-schema.ts';
import { varsSchema } from './schema.ts';

/** Options for every use of ajv here. Never `verbose`: errors would hold the values. */
export const AJV_OPTIONS = {
  allErrors: true,
  allowUnionTypes: true,
  inlineRefs: false,
  strict: true,
} as const;

const ajv = new Ajv(AJV_OPTIONS);

/** What ajv says of one fault; it holds no values. */
export type SchemaError = ErrorObject;

/** A check that leaves what it found on the function, as ajv's own functions do. */
export interface Validate {
  (data: unknown): boolean;
  errors?: readonly SchemaError[] | null;
}

/** Checks the variables of one host. */
export const validateVars: Validate = ajv.compile(varsSchema);

/** Checks one entry of the catalog. */
export const validateCatalogEntry: Validate = ajv.compile(catalogSchema);
