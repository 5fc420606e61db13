-- Takes one customer-service message from the follower's allowance, once per message id. Answers
--   {'send'}     go on and call the platform; the id is marked as being sent
--   {'sending'}  a process died while it sent this id: whether it arrived cannot be known
--   {another mark}  how the id ended before: 'sent', 'unknown', or 'failed:' with a code
--   {'held'}     no allowance is left; the message is put aside until the follower acts again
-- KEYS: 1 mark of the id  2 allowance  3 held   ARGV: 1 now_ms  2 mark_ttl_ms  3 the entry  4 held_ttl_ms
local mark = redis.call('GET', KEYS[1])
if mark then
  return {mark}
end
local allowance = redis.call('HMGET', KEYS[2], 'left', 'until')
if tonumber(allowance[1] or '0') < 1 or tonumber(allowance[2] or '0') <= tonumber(ARGV[1]) then
  redis.call('RPUSH', KEYS[3], ARGV[3])
  redis.call('PEXPIRE', KEYS[3], ARGV[4])
  return {'held'}
end
redis.call('HINCRBY', KEYS[2], 'left', -1)
redis.call('SET', KEYS[1], 'sending', 'PX', ARGV[2])
return {'send'}
