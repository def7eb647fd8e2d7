// dockerode loads gRPC at start for BuildKit sessions. Builds here go through the Compose CLI, which has its own.
module.exports = {};
