import { ProcedureError } from '../model/errors.js';

/** The part of a process that cancellation listens to. */
export interface SignalSource {
  on(signal: 'SIGINT' | 'SIGTERM' | 'SIGHUP', listener: () => void): unknown;
  off(signal: 'SIGINT' | 'SIGTERM' | 'SIGHUP', listener: () => void): unknown;
  exit(code: number): never;
}

export interface Cancellation {
  /** Aborts with a ProcedureError E_CANCELLED. */
  readonly signal: AbortSignal;
  /** Stops listening: from then on a signal ends the process as usual. */
  dispose(): void;
}

/**
 * Turns the first SIGINT, SIGTERM or SIGHUP (the terminal is gone) into an abort, so that the run can leave what it touched in
 * order.
 *
 * The runner sends SIGINT, SIGTERM 7.5 s later and SIGKILL 2.5 s after that; the second one is therefore no reason to stop
 * cleaning up. In a shell a second Ctrl-C means that the person does not want to wait: exit 130 at once.
 */
export function cancellation(source: SignalSource, options: { readonly onRunner: boolean }): Cancellation {
  const controller = new AbortController();
  const abort = (signal: string): void => {
    controller.abort(
      new ProcedureError('E_CANCELLED', `The run was cancelled (${signal})`, {
        next: 'Look at what is live now, and start the procedure again when ready.',
      }),
    );
  };
  const onInterrupt = (): void => {
    if (controller.signal.aborted && !options.onRunner) source.exit(130);
    abort('SIGINT');
  };
  const onTerminate = (): void => abort('SIGTERM');
  const onHangUp = (): void => abort('SIGHUP');
  source.on('SIGINT', onInterrupt);
  source.on('SIGTERM', onTerminate);
  source.on('SIGHUP', onHangUp);
  return {
    signal: controller.signal,
    dispose: () => {
      source.off('SIGINT', onInterrupt);
      source.off('SIGTERM', onTerminate);
      source.off('SIGHUP', onHangUp);
    },
  };
}
