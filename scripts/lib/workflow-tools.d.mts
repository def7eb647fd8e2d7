export const VERSIONS: Readonly<Record<string, string>>;
export function zizmor(): Promise<string>;
export function act(): Promise<string>;
export function actionlint(): Promise<string>;
export function languageService(): Promise<string>;
