/** A table that a run shows a person: what was looked at, and what was found. */
export interface Finding {
  readonly title: string;
  readonly columns: readonly string[];
  readonly rows: readonly (readonly string[])[];
}
