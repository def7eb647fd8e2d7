import * as z from 'zod';

/** What an operation does to the containers of its service. */
export type ContainerEffect =
  | 'none'
  /** Compose creates a container in the place of each. */
  | 'replaces'
  /** Containers are created beside those that are there. */
  | 'copies'
  | 'restarts'
  | 'starts'
  | 'thaws'
  | 'stops'
  | 'kills'
  | 'removes'
  /** Another set has replaced them: they are stopped and removed. */
  | 'retires';

/** What holds for every operation of a kind. */
export interface Traits {
  /**
   * Whether something that runs, or the checkout it runs from, may differ afterwards. `unseen`: a look at containers, checkout
   * and tags does not show the difference.
   */
  readonly changes: 'nothing' | 'seen' | 'unseen';
  readonly containers: ContainerEffect;
  /** Requests may fail from here on: the measurement of an outage begins. */
  readonly interrupts: boolean;
  /** Whether a recovery does something else after its end than after its beginning. */
  readonly endMatters: boolean;
  /**
   * What a recovery reads from it. `change`: the service was touched. `intent`: what a person wants of the service. `verdict`: a
   * failure says that the release is wrong.
   */
  readonly recovery: 'nothing' | 'change' | 'intent' | 'verdict';
  /** It comes before the release command, which runs right before the change. */
  readonly beforeReleaseCommand: boolean;
}

/** Traits of operations that prepare, end or record a change. */
export const PREPARES: Traits = {
  changes: 'nothing',
  containers: 'none',
  interrupts: false,
  endMatters: true,
  recovery: 'nothing',
  beforeReleaseCommand: false,
};

/** Traits of operations that only look. */
export const LOOKS: Traits = PREPARES;

/** Traits of operations that touch what runs. */
export const CHANGES: Traits = { ...PREPARES, changes: 'seen', recovery: 'change' };

/** An operation of any kind. */
export interface AnyOperation {
  readonly kind: string;
}

/** What undoes an operation, or why nothing does. */
export type Undo<U extends AnyOperation> =
  { readonly kind: 'operation'; readonly operation: U } | { readonly kind: 'none'; readonly reason: string };

type Shape = Readonly<Record<string, z.ZodType>>;

/** The type of an operation, inferred from the shape that its file declares. */
export type Fields<S extends Shape> = Readonly<z.infer<z.ZodObject<S>>>;

/** All that is known of a kind of operation without performing it. */
export interface Definition<O, U extends AnyOperation> {
  readonly shape: Shape;
  readonly traits: Traits;
  /** @returns one line for plan, log and timeline */
  readonly describe: (operation: O) => string;
  /** @returns what undoes it: the plan shows it, and an undo performs it */
  readonly undo: (operation: O) => Undo<U>;
}

/** @param shape fields of the operation as journal and report have them */
export function define<S extends Shape & { readonly kind: z.ZodLiteral<string> }, U extends AnyOperation = never>(
  shape: S,
  rest: Omit<Definition<Fields<S>, U>, 'shape'>,
): Definition<Fields<S>, U> {
  return { shape, ...rest };
}

/** A field that JSON leaves out when it is undefined. */
export function maybe<T extends z.ZodType>(schema: T): z.ZodOptional<T> {
  return schema.optional();
}

/** Undone by another operation. */
export function by<const U extends AnyOperation>(operation: U): Undo<U> {
  return { kind: 'operation', operation };
}

/** Undone by nothing, for a reason that the plan shows. */
export function nothing(reason: string): { readonly kind: 'none'; readonly reason: string } {
  return { kind: 'none', reason };
}

export const TOUCHES_NOTHING = 'touches nothing that runs';
export const ONLY_LOOKS = 'only looks';
export const USERS_COMMAND = 'your command: what it does outside the project is yours to undo';
export const ENDS_A_CHANGE = 'it ends a change; going back is a change of its own';
export const NOT_KEPT = 'touches no data; a backup that is not kept is removed';
export const PROCESS_IS_GONE = 'a stopped process does not come back; the service is started again';
