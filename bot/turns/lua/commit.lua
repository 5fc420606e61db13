-- Ends a turn: dialogue state, stored reply, outbox, log, allowance ledger and lock release, all or nothing.
-- Answers 1, or 0 when the fencing token is no longer the lock's (another attempt has taken over).
-- KEYS: 1 delivery  2 lock  3 state  4 payloads  5 pending  6 queue  7 allowance  8 waiters  9 outbox  10 log  11 held
--       12 forgotten
-- ARGV: 1 delivery key  2 openid  3 fence  4 reply  5 reply_ttl_ms  6 state  7 state_ttl_ms  8 allowance_left
--       9 allowance_until_ms  10 log entry  11 release held (1 or 0)  12 number of outbox entries, then per entry id and body
if redis.call('GET', KEYS[2]) ~= ARGV[3] then
  return 0
end
-- The reply is with the attempt that commits, until that gives it back (redirect.lua).
redis.call('HSET', KEYS[1], 'done', 1, 'reply', ARGV[4], 'takers', 1)
redis.call('PEXPIRE', KEYS[1], ARGV[5])
-- What was erased while the turn was at work is not written again (forget.lua).
if redis.call('DEL', KEYS[12]) == 1 or ARGV[6] == '' then
  redis.call('DEL', KEYS[3])
else
  redis.call('SET', KEYS[3], ARGV[6], 'PX', ARGV[7])
end
redis.call('HDEL', KEYS[4], ARGV[1])
redis.call('ZREM', KEYS[5], ARGV[1])
redis.call('ZREM', KEYS[6], ARGV[1])
if tonumber(ARGV[8]) > 0 then
  redis.call('HSET', KEYS[7], 'left', ARGV[8], 'until', ARGV[9])
  -- 'until' decides, by our clock; the key only has to go some time after the longest allowance, by Redis's own.
  redis.call('PEXPIRE', KEYS[7], 172800000)
end
if ARGV[11] == '1' then
  -- Messages that waited for a new allowance go out before this turn's own.
  for _, waiting in ipairs(redis.call('LRANGE', KEYS[11], 0, -1)) do
    redis.call('XADD', KEYS[9], '*', 'openid', ARGV[2], 'held', waiting)
  end
  redis.call('DEL', KEYS[11])
end
for i = 1, tonumber(ARGV[12]) do
  redis.call('XADD', KEYS[9], '*', 'openid', ARGV[2], 'id', ARGV[11 + 2 * i], 'body', ARGV[12 + 2 * i])
end
redis.call('XADD', KEYS[10], '*', 'entry', ARGV[10])
redis.call('DEL', KEYS[2])
if redis.call('DEL', KEYS[8]) == 1 then
  redis.call('PUBLISH', 'turns', ARGV[2])
end
return 1
