// @actions/core and @actions/github load undici at start, and need it only for requests to GitHub, some of them through a
// proxy. It is a third of the bundle: this loads it when one of the two things that they use is used.
const load = () => import('undici-full');

exports.fetch = async (...args) => (await load()).fetch(...args);

exports.ProxyAgent = class ProxyAgent {
  constructor(options) {
    this.options = options;
  }

  /** All that undici's fetch asks of a dispatcher. */
  dispatch(request, handler) {
    this.agent ??= load().then((full) => new full.ProxyAgent(this.options));
    this.agent.then(
      (agent) => agent.dispatch(request, handler),
      (error) => (handler.onResponseError ?? handler.onError).call(handler, error),
    );
    return true;
  }
};
