/** The file on the host that emergencies are written into, one line each. */
export interface IncidentLog {
  readonly path: string;
  append(line: string): Promise<void>;
}
