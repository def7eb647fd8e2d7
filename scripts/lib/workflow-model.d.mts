export interface PublicWorkflow {
  readonly file: string;
  readonly required: readonly string[];
  readonly leftOut: readonly string[];
  readonly chain?: Chain;
  readonly phases?: readonly Phase[];
}
export interface Phase {
  readonly name: string;
  readonly title: string;
  readonly whole: readonly string[];
  readonly changes: boolean;
}
export interface Chain {
  readonly calls: string;
  readonly hosts: number;
  readonly perHost: readonly string[];
  readonly own: readonly string[];
}
export interface ActionInput {
  readonly name: string;
  readonly description: string;
  readonly default: string | undefined;
}
export const PUBLIC_WORKFLOWS: readonly PublicWorkflow[];
export const MAINTENANCE_PHASES: readonly Phase[];
export const RED_OUTCOMES: readonly string[];
export const SECRET_INPUTS: readonly string[];
export const SUBFOLDER_ACTIONS: string;
export const SUBFOLDER_ACTION: string;
export function readActionInputs(file?: string): ActionInput[];
export function workflowType(input: ActionInput): 'boolean' | 'number' | 'string';
export function passedOn(workflow: PublicWorkflow, inputs: readonly ActionInput[]): ActionInput[];
export function secretInputs(inputs: readonly ActionInput[]): ActionInput[];
