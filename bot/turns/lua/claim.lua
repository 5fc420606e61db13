-- Claims a delivery for one attempt. Answers one of
--   {'replay', reply}            the delivery is done; its stored reply (empty: none) is served
--   {'wait', lock_ttl_ms}        another attempt or an earlier message of this follower is at work
--   {'run', fence, state, allowance_left, allowance_until_ms, tries}
-- KEYS: 1 delivery  2 lock  3 state  4 payloads  5 pending  6 queue  7 allowance  8 waiters  9 fence counter
-- ARGV: 1 delivery key  2 openid  3 now_ms  4 lock_ttl_ms  5 sealed message  6 delivery_ttl_ms
local done = redis.call('HMGET', KEYS[1], 'done', 'reply')
if done[1] then
  -- Who takes the reply answers with it, or gives it back (redirect.lua).
  redis.call('HINCRBY', KEYS[1], 'takers', 1)
  return {'replay', done[2] or ''}
end

-- The message is written down before anything is done with it, so that it survives every process.
if redis.call('HSETNX', KEYS[4], ARGV[1], ARGV[5]) == 1 then
  redis.call('ZADD', KEYS[5], ARGV[3], ARGV[1])
  redis.call('ZADD', KEYS[6], redis.call('INCR', KEYS[9]), ARGV[1])
  redis.call('PEXPIRE', KEYS[6], 86400000)
end

local locked = redis.call('PTTL', KEYS[2])
if locked ~= -2 then
  redis.call('SET', KEYS[8], 1, 'PX', 15000)
  return {'wait', locked}
end
-- One follower's messages are worked on in the order in which they came.
local first = redis.call('ZRANGE', KEYS[6], 0, 0)[1]
if first and first ~= ARGV[1] then
  redis.call('SET', KEYS[8], 1, 'PX', 15000)
  return {'wait', 200}
end

local fence = redis.call('INCR', KEYS[9])
redis.call('SET', KEYS[2], fence, 'PX', ARGV[4])
-- A try counts from its start, so that a message which ends its process counts too.
local tries = redis.call('HINCRBY', KEYS[1], 'tries', 1)
redis.call('PEXPIRE', KEYS[1], ARGV[6])
local allowance = redis.call('HMGET', KEYS[7], 'left', 'until')
return {'run', fence, redis.call('GET', KEYS[3]) or '', allowance[1] or '0', allowance[2] or '0', tries}
