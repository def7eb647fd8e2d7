/**
 * Keeps requests waiting while no server is usable, between `hold on` and `hold off` on the Runtime API. In steps of
 * 20 ms, because an event for "a server is back" does not exist; nothing is sent anywhere while a request waits, so
 * nothing is sent twice. A request whose client has gone is never resumed: whoever waits therefore renews a mark, and
 * marks that are old do not count.
 *
 * `lua-load FILE MAX_MS MAX_QUEUE` with MAX_MS 0: not holding.
 */
export const HOLD_LUA = `local STEP_MS = 20
local STALE_MS = 1000

local max_ms, max_queue = table.pack(...)[1], table.pack(...)[2]
max_ms = tonumber(max_ms) or 0
max_queue = tonumber(max_queue) or 0

local waiting = {}
local last_id = 0

local function now_ms()
  local now = core.now()
  return now.sec * 1000 + math.floor(now.usec / 1000)
end

local function count(now)
  local number = 0
  for id, mark in pairs(waiting) do
    if now - mark > STALE_MS then waiting[id] = nil else number = number + 1 end
  end
  return number
end

local function hold(txn, backend)
  if max_ms == 0 then return end
  local began = now_ms()
  if count(began) >= max_queue then
    txn:set_var('txn.held', 'full')
    return
  end
  last_id = last_id + 1
  local id = last_id
  while max_ms > 0 and txn.f:nbsrv(backend) == 0 do
    local now = now_ms()
    if now - began >= max_ms then
      waiting[id] = nil
      txn:set_var('txn.held', 'long')
      return
    end
    waiting[id] = now
    core.msleep(STEP_MS)
  end
  waiting[id] = nil
end

core.register_action('hold', { 'http-req', 'tcp-req' }, hold, 1)

core.register_cli({ 'hold' }, 'hold on MAX_MS MAX_QUEUE | off | show', function(applet, _, verb, ms, queue)
  if verb == 'on' then
    max_ms = tonumber(ms) or 0
    max_queue = tonumber(queue) or 0
  elseif verb == 'off' then
    max_ms = 0
  elseif verb == 'show' then
    applet:send(string.format('hold %d %d %d\\n', max_ms, max_queue, count(now_ms())))
  else
    applet:send('unknown verb\\n')
  end
end)
`;
