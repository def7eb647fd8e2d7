// docker-modem loads ssh2 at start for ssh:// engines. Rolling Restart refuses ssh:// engines by name
// (src/engine/endpoint.ts), so the bundle carries this instead of a native-code SSH client.
exports.Client = class {
  constructor() {
    throw new Error('ssh:// Docker engines are not supported; use a unix socket or tcp:// with TLS');
  }
};
