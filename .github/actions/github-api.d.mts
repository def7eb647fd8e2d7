export type Api = (
  method: string,
  path: string,
  body?: object,
  options?: { readonly file?: boolean },
) => Promise<{ readonly status: number; readonly body: unknown }>;
export function createApi(access: { apiUrl: string; repository: string; token: string }): Api;
