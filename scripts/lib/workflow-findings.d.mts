export interface Finding {
  readonly tool: 'actionlint' | 'zizmor' | 'parser';
  readonly file: string;
  readonly line: number;
  readonly message: string;
}
export const NOT_KNOWN_YET: readonly {
  readonly tool: Finding['tool'];
  readonly message: RegExp;
  readonly why: string;
}[];
export function isKnown(finding: Finding): boolean;
export function runActionlint(files: readonly string[]): Promise<Finding[]>;
export function runZizmor(files: readonly string[]): Promise<Finding[]>;
export function runParser(files: readonly string[]): Promise<Finding[]>;
