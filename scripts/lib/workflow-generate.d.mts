export function generateAll(root?: string): Promise<Map<string, string>>;
export function subfolderAction(rootAction: string): string;
export function fillBlock(text: string, name: string, body: string): string;
export function generate(options: { check: boolean; root?: string }): Promise<string[]>;
