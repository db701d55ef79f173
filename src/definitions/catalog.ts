// The catalog of known consumers: what a service's definition need not say.
import type { FromSchema } from 'json-schema-to-ts';
import { catalogData } from './catalog-data.ts';
import type { catalogSchema } from './catalog-schema.ts';

export type CatalogEntry = FromSchema<typeof catalogSchema>;

/** Gives the entry of a known service, or undefined. The catalog's tests check every entry. */
export function catalogEntry(service: string): CatalogEntry | undefined {
  return Object.hasOwn(catalogData, service) ? (catalogData[service] as CatalogEntry) : undefined;
}

/** Gives the names of all known services. */
export function catalogNames(): readonly string[] {
  return Object.keys(catalogData);
}
